//! Time by a counter that runs freely (the CMSDK dual timer): an interrupt that comes late makes no
//! millisecond shorter, which an emulator on a busy host would do.

use linli_board::register::Register;

/// The board's clock divided by 256.
const TICKS_PER_S: u64 = 25_000_000 / 256;

// SAFETY: the dual timer's first half by the board's memory map; only this module uses it.
const VALUE: Register = unsafe { Register::at(0x4000_2004) };
// SAFETY: as above.
const CONTROL: Register = unsafe { Register::at(0x4000_2008) };

/// Milliseconds since it was started.
#[derive(Debug)]
pub struct Clock {
    last: u32,
    ticks: u64,
}

// === impl Clock ===

impl Clock {
    /// Starts it: enabled, running freely, divided by 256, 32 bits wide.
    #[must_use]
    pub fn start() -> Self {
        CONTROL.write(0);
        CONTROL.write(1 << 7 | 0b10 << 2 | 1 << 1);
        Self { last: VALUE.read(), ticks: 0 }
    }

    /// What it shows; to be asked at least once in twelve hours.
    pub fn now_ms(&mut self) -> u32 {
        let value = VALUE.read();
        self.ticks += u64::from(self.last.wrapping_sub(value));
        self.last = value;
        (self.ticks * 1000 / TICKS_PER_S) as u32
    }
}
