//! The memory that a reset leaves alone.

use core::mem::size_of;

use linli_board::note::{BYTES, Note};
use linli_node::Retained;

use crate::layout::KEPT;

const _: () = assert!(BYTES as usize + size_of::<Retained>() <= KEPT.1 as usize, "the kept memory is enough");

/// The note over a reset.
#[must_use]
pub const fn note() -> Note {
    // SAFETY: the kept memory is outside of what the linker knows; its first bytes are the note's.
    unsafe { Note::at(KEPT.0) }
}

/// The node's log and counters.
///
/// # Safety
/// Called once.
pub unsafe fn retained() -> &'static mut Retained {
    // SAFETY: behind the note, outside of what the linker knows, aligned; any bits are valid.
    unsafe { &mut *((KEPT.0 + BYTES) as *mut Retained) }
}
