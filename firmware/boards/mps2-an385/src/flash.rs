//! The board's flash, part by part, and the memory that a reset leaves alone.

use core::mem::size_of;

use linli_board::nor::Mapped;
use linli_board::note::{BYTES, Note};
use linli_bootloader::Parts;
use linli_node::Retained;

use crate::layout::{ACTIVE, CONFIG, COUNTER, KEPT, OTHER, STATE};

/// Flash.
pub type Flash = Mapped;

const _: () = assert!(BYTES as usize + size_of::<Retained>() <= KEPT.1 as usize, "the kept memory is enough");

/// The parts the bootloader works on.
#[must_use]
pub fn parts() -> Parts<Flash> {
    Parts { active: part(ACTIVE), other: part(OTHER), state: part(STATE), counter: part(COUNTER) }
}

/// The configuration's pages.
#[must_use]
pub fn config() -> Flash {
    part(CONFIG)
}

const fn part((base, len): (u32, u32)) -> Flash {
    // SAFETY: the layout's parts do not overlap and hold no Rust objects; the program that runs in
    // the active one does not write to it.
    unsafe { Mapped::new(base, len) }
}

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
