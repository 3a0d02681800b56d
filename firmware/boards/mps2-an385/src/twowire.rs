//! The board's two-wire bus: two lines that software moves (SBCon). The emulator puts devices that are
//! given no bus on the one of the second shield.

use linli_board::register::Register;
use linli_board::twowire::Lines;

const CLOCK: u32 = 1;
const DATA: u32 = 2;

// SAFETY: the bus of the second shield by the board's memory map; only this module uses it.
const SET: Register = unsafe { Register::at(0x4002_A000) };
// SAFETY: as above.
const CLEAR: Register = unsafe { Register::at(0x4002_A004) };

/// Its lines.
#[derive(Debug)]
pub struct Sbcon;

impl Lines for Sbcon {
    fn clock(&mut self, is_high: bool) {
        if is_high { SET.write(CLOCK) } else { CLEAR.write(CLOCK) }
    }

    fn data(&mut self, is_high: bool) {
        if is_high { SET.write(DATA) } else { CLEAR.write(DATA) }
    }

    /// The board cannot read its clock back.
    fn is_clock_held(&mut self) -> bool {
        false
    }

    fn is_data_high(&mut self) -> bool {
        SET.has(DATA)
    }

    /// The way through the registers is slow enough.
    fn pause(&mut self) {}
}
