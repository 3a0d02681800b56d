//! The chip's part of the vector table. Few interrupts are used; every other one is a fault of the
//! program and ends the run.

use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::NVIC;

/// An entry of the vector table.
pub type Vector = unsafe extern "C" fn();

unsafe extern "C" {
    fn DefaultHandler();
}

/// The number of an interrupt.
#[derive(Clone, Copy)]
struct Number(u16);

// SAFETY: `unmask` is given numbers of the chip's interrupts.
unsafe impl InterruptNumber for Number {
    fn number(self) -> u16 {
        self.0
    }
}

/// A table with these handlers by interrupt number; every other interrupt is unexpected.
///
/// # Panics
/// At compile time, if a number is not below `N`.
#[must_use]
pub const fn table<const N: usize>(handlers: &[(u16, Vector)]) -> [Vector; N] {
    let mut table: [Vector; N] = [DefaultHandler; N];
    let mut at = 0;
    while at < handlers.len() {
        table[handlers[at].0 as usize] = handlers[at].1;
        at += 1;
    }
    table
}

/// Enables interrupts.
///
/// # Safety
/// They are numbers of the chip's interrupts, and their handlers may run from now on.
pub unsafe fn unmask(numbers: &[u16]) {
    for number in numbers {
        // SAFETY: promised by the caller.
        unsafe { NVIC::unmask(Number(*number)) };
    }
}
