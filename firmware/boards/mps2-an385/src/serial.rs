//! The CMSDK UART, without a FIFO, and a CMSDK timer that measures the silence after a byte.

use linli_board::register::Register;
use linli_board::serial::{self, OneShot};

/// The board's clock.
pub const CLOCK_HZ: u32 = 25_000_000;
const TX_FULL: u32 = 1;
const RX_FULL: u32 = 2;
const RX_OVERRUN: u32 = 8;

/// The bus.
pub const BUS: Uart = Uart(0x4000_4000);
/// The console of the emulator.
pub const CONSOLE: Uart = Uart(0x4000_5000);
/// The timer of the silence between frames.
pub const GAP: Gap = Gap(0x4000_0000);

/// A UART.
#[derive(Debug, Clone, Copy)]
pub struct Uart(usize);

/// A timer that fires once, unless it is started anew before.
#[derive(Debug, Clone, Copy)]
pub struct Gap(usize);

const fn register(base: usize, offset: usize) -> Register {
    // SAFETY: the board's UARTs and timers, by its memory map; only this module uses them.
    unsafe { Register::at(base + offset) }
}

// === impl Uart ===

impl serial::Uart for Uart {
    // Sends and receives; the interrupt tells of every byte. The emulator's line has no baud rate,
    // the register gets it all the same.
    fn start(self, baud: u32) {
        register(self.0, 0x10).write((CLOCK_HZ / baud.max(1)).max(16));
        register(self.0, 0x08).write(1 | 2 | 8);
    }

    fn send(self, bytes: &[u8]) {
        for byte in bytes {
            while register(self.0, 0x04).has(TX_FULL) {}
            register(self.0, 0x00).write(u32::from(*byte));
        }
    }

    fn receive(self, mut push: impl FnMut(u8)) -> bool {
        register(self.0, 0x0C).write(2);
        let is_lost = register(self.0, 0x04).has(RX_OVERRUN);
        register(self.0, 0x04).write(RX_OVERRUN);
        while register(self.0, 0x04).has(RX_FULL) {
            push(register(self.0, 0x00).read() as u8);
        }
        is_lost
    }
}

impl core::fmt::Write for Uart {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        serial::Uart::send(*self, text.as_bytes());
        Ok(())
    }
}

// === impl Gap ===

impl OneShot for Gap {
    fn restart(self, micros: u32) {
        let ticks = CLOCK_HZ / 1_000_000 * micros.max(1);
        register(self.0, 0x00).write(0);
        register(self.0, 0x08).write(ticks);
        register(self.0, 0x04).write(ticks);
        register(self.0, 0x00).write(1 | 8);
    }

    fn clear(self) {
        register(self.0, 0x00).write(0);
        register(self.0, 0x0C).write(1);
    }
}
