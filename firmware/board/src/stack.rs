//! How deep the stack ever went: painted at start, looked at later. Measured where the program really
//! runs, it holds for every path that was taken, interrupts included.

use crate::register::Register;

const PAINT: u32 = 0x6C69_6E6C;

unsafe extern "C" {
    /// The linker's end of everything static (`cortex-m-rt`).
    static __sheap: u32;
    /// The linker's begin of the stack.
    static _stack_start: u32;
}

fn bottom() -> usize {
    (&raw const __sheap) as usize
}

fn top() -> usize {
    (&raw const _stack_start) as usize
}

/// Paints what is not used yet. Called first of all.
pub fn paint() {
    let used_from = cortex_m::register::msp::read() as usize;
    // Some room below the pointer for this very function.
    for address in (bottom()..used_from - 256).step_by(4) {
        // SAFETY: between the end of everything static and the stack's pointer nothing lives.
        unsafe { Register::at(address) }.write(PAINT);
    }
}

/// Bytes that were never used.
#[must_use]
pub fn never_used() -> u32 {
    let mut address = bottom();
    // SAFETY: reading the stack's own memory, below what is in use.
    while address < top() && unsafe { Register::at(address) }.read() == PAINT {
        address += 4;
    }
    (address - bottom()) as u32
}

/// Bytes that were used at most.
#[must_use]
pub fn used() -> u32 {
    (top() - bottom()) as u32 - never_used()
}
