//! The CMSDK watchdog: its first time-out raises an interrupt, its second resets the board.

use linli_board::register::Register;

const CLOCK_HZ: u32 = 25_000_000;
const UNLOCK: u32 = 0x1ACC_E551;

const fn register(offset: usize) -> Register {
    // SAFETY: the board's watchdog by its memory map; only this module uses it.
    unsafe { Register::at(0x4000_8000 + offset) }
}

/// Starts it; whoever does not feed it within this time is reset. It cannot be stopped by accident:
/// its registers are locked again.
pub fn start(seconds: u32) {
    register(0xC00).write(UNLOCK);
    register(0x00).write(CLOCK_HZ / 2 * seconds);
    register(0x08).write(1 | 2);
    register(0xC00).write(0);
}

/// For the node.
#[derive(Debug)]
pub struct Feeder;

impl linli_node::Watchdog for Feeder {
    fn feed(&mut self) {
        feed();
    }
}

/// The program lives.
pub fn feed() {
    register(0xC00).write(UNLOCK);
    register(0x0C).write(1);
    register(0xC00).write(0);
}
