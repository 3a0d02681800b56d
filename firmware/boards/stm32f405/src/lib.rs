//! The field board: an STM32F405 with an RS-485 driver, sensors and an EEPROM on a two-wire bus, four
//! inputs, two relays.
//!
//! | pins | what |
//! |---|---|
//! | PA9, PA10, PA8 | RS-485: out, in, driver on |
//! | PB8, PB9 | two-wire bus: clock, data, with pull-ups on the board |
//! | PC0 to PC3 | digital inputs, closed is low |
//! | PC6, PC7 | relays, high is on |
//!
//! A crystal of 8 MHz gives 168 MHz. The emulator has no such clock: there the chip's own 16 MHz serve.

#![no_std]

pub mod flash;
pub mod hardware;
pub mod kept;
pub mod layout;
pub mod pins;
pub mod serial;

/// The board's number.
pub const NUMBER: u16 = linli_wire::board::Board::Stm32f405 as u16;

/// Silence between frames: the standard's.
pub const GAP: u16 = 0;
