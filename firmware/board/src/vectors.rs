//! The chip's part of the vector table. Few interrupts are used; every other one is a fault of the
//! program and ends the run.

/// An entry of the vector table.
pub type Vector = unsafe extern "C" fn();

unsafe extern "C" {
    fn DefaultHandler();
}

/// A table of interrupts, each of them unexpected.
#[must_use]
pub const fn unexpected<const N: usize>() -> [Vector; N] {
    [DefaultHandler; N]
}
