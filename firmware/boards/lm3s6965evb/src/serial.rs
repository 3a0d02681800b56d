//! The PL011 UART with its FIFO, and a general-purpose timer that measures the silence after a byte.

use linli_board::register::Register;
use linli_board::serial::{self, OneShot};

/// The clock after a reset: 12.5 MHz in the emulator.
pub const CLOCK_HZ: u32 = 12_500_000;
const RX_EMPTY: u32 = 0x10;
const TX_FULL: u32 = 0x20;
const OVERRUN: u32 = 1 << 10;

/// The bus.
pub const BUS: Uart = Uart(0x4000_C000);
/// The console of the emulator.
pub const CONSOLE: Uart = Uart(0x4000_D000);
/// The timer of the silence between frames.
pub const GAP: Gap = Gap(0x4003_0000);

/// A UART.
#[derive(Debug, Clone, Copy)]
pub struct Uart(usize);

/// A timer that fires once, unless it is started anew before.
#[derive(Debug, Clone, Copy)]
pub struct Gap(usize);

const fn register(base: usize, offset: usize) -> Register {
    // SAFETY: the chip's UARTs, timers and clock gates, by its memory map; only this module uses them.
    unsafe { Register::at(base + offset) }
}

/// Gives a clock to what this board uses: UART 0 and 1, the two-wire bus, timer 0 and 1, ports D to F.
pub fn power() {
    register(0x400F_E000, 0x104).write(0b11 | 1 << 12 | 0b11 << 16);
    register(0x400F_E000, 0x108).write(0b11_1000);
    // Port D's lowest two pins drive relays.
    register(0x4000_7000, 0x400).set(0b11);
    register(0x4000_7000, 0x51C).set(0b11);
    register(GAP.0, 0x04).write(1);
    register(GAP.0, 0x18).write(1);
}

// === impl Uart ===

impl serial::Uart for Uart {
    // Sends and receives, eight bits and FIFO on; its interrupts are "received" and "received and
    // then nothing". The emulator's line has no baud rate, the registers get it all the same.
    fn start(self, baud: u32) {
        let sixty_fourths = CLOCK_HZ * 4 / baud.max(1);
        register(self.0, 0x30).write(0);
        register(self.0, 0x24).write(sixty_fourths / 64);
        register(self.0, 0x28).write(sixty_fourths % 64);
        register(self.0, 0x2C).write(0x70);
        register(self.0, 0x34).write(0b010 << 3);
        register(self.0, 0x38).write(1 << 4 | 1 << 6);
        register(self.0, 0x30).write(0x301);
    }

    fn send(self, bytes: &[u8]) {
        for byte in bytes {
            while register(self.0, 0x18).has(TX_FULL) {}
            register(self.0, 0x00).write(u32::from(*byte));
        }
    }

    fn receive(self, mut push: impl FnMut(u8)) -> bool {
        let is_lost = register(self.0, 0x3C).has(OVERRUN);
        register(self.0, 0x44).write(0x7FF);
        while !register(self.0, 0x18).has(RX_EMPTY) {
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
        register(self.0, 0x0C).write(0);
        register(self.0, 0x28).write((u64::from(CLOCK_HZ) * u64::from(micros.max(1)) / 1_000_000) as u32);
        register(self.0, 0x0C).write(1);
    }

    fn clear(self) {
        register(self.0, 0x24).write(1);
    }
}
