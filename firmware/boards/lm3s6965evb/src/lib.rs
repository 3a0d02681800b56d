//! Stellaris LM3S6965 evaluation board (Cortex-M3), as the emulator has it: the same node on another
//! maker's UART, timer and two-wire bus. Its configuration lies in an EEPROM and its time in a clock
//! chip, both on that bus. The emulator's flash is read-only, so there is no update here.

#![no_std]

pub mod hardware;
pub mod interrupts;
pub mod kept;
pub mod layout;
pub mod pins;
pub mod serial;
pub mod twowire;

/// The board's number.
pub const NUMBER: u16 = linli_wire::board::Board::Lm3s6965evb as u16;

/// Silence between frames, in 100 µs: an emulator on a busy host splits frames at the standard's.
pub const GAP: u16 = 120;
