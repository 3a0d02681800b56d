//! The board as the loop sees it.

use core::cell::RefCell;
use core::sync::atomic::{AtomicU32, Ordering};

use cortex_m::peripheral::SYST;
use linli_board::frames::LONGEST;
use linli_board::note::Ended;
use linli_board::run::{Hardware, start_milliseconds};
use linli_board::serial::Uart;
use linli_board::twowire::Shared;
use linli_node::node::Line;
use linli_node::rtc;

use crate::interrupts::{LINE, enable};
use crate::kept::note;
use crate::serial::{CLOCK_HZ, CONSOLE, power};
use crate::twowire::TwoWire;

static NOW: AtomicU32 = AtomicU32::new(0);

/// The board, started.
#[derive(Debug)]
pub struct Lm3s {
    bus: Option<&'static RefCell<TwoWire>>,
}

// === impl Lm3s ===

impl Lm3s {
    /// Starts clocks and interrupts.
    #[must_use]
    pub fn start(mut timer: SYST) -> Self {
        start_milliseconds(&mut timer, CLOCK_HZ);
        power();
        CONSOLE.start(115_200);
        enable();
        Self { bus: None }
    }

    /// The clock chip on this bus is told what time it is.
    pub const fn keeps_time_on(&mut self, bus: &'static RefCell<TwoWire>) {
        self.bus = Some(bus);
    }
}

/// A millisecond passed; for the program's exception handler.
pub fn on_millisecond() {
    NOW.fetch_add(1, Ordering::Relaxed);
}

impl Hardware for Lm3s {
    fn now_ms(&mut self) -> u32 {
        NOW.load(Ordering::Relaxed)
    }

    fn set_line(&mut self, line: &Line) {
        LINE.set(line);
    }

    fn take(&mut self, request: &mut [u8; LONGEST]) -> Option<usize> {
        LINE.take(request)
    }

    fn has_lost(&mut self) -> bool {
        LINE.has_lost()
    }

    fn send(&mut self, bytes: &[u8], wait_us: u32) {
        LINE.send(bytes, wait_us);
    }

    fn rest(&mut self) {
        cortex_m::asm::wfi();
    }

    fn keep_time(&mut self, unix_s: u32) {
        if let Some(bus) = self.bus {
            // A chip that does not answer is seen at the next start: the node then has no time.
            let _ = rtc::write(&mut Shared(bus), unix_s);
        }
    }

    fn restart(&mut self) -> ! {
        note().reset(Ended::Asked)
    }
}
