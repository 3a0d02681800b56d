//! ARM's MPS2 board with the AN385 image (Cortex-M3), as the emulator has it. Its flash is the board's
//! PSRAM, kept in a file of the host; relays are its two LEDs; digital inputs come from a PCA9552 on the
//! two-wire bus, because this board's own switches cannot be moved in emulation.

#![no_std]

pub mod clock;
pub mod flash;
pub mod hardware;
pub mod inputs;
pub mod interrupts;
pub mod layout;
pub mod serial;
pub mod twowire;
pub mod watchdog;

/// The board's number.
pub const NUMBER: u16 = linli_wire::board::Board::Mps2An385 as u16;

/// Silence between frames, in 100 µs: an emulator on a busy host splits frames at the standard's.
pub const GAP: u16 = 120;
