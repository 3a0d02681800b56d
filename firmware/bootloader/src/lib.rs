//! What happens between power and the jump into a node's firmware.
//!
//! ```text
//!           ┌── swap, if an update is marked; revert, if the last trial was not confirmed
//! power ──► │
//!           └── is the active image whole, signed, for this board, not below the counter?
//!                 yes ─► watchdog, jump
//!                 no, on trial ─► revert, look again
//!                 no ─► is the other slot's? ─► copy it over, look again
//!                 no ─► recovery: an update over the serial line, nothing else
//! ```
//!
//! The swap is embassy-boot's and survives a power cut at every word. Nothing here trusts the marks it
//! finds: whatever they say, only a signed image runs.

#![no_std]

pub mod choose;
pub mod counter;
pub mod crypto;
pub mod marks;
pub mod recovery;

pub use choose::{Choice, How, Parts, choose};
pub use counter::Counter;
pub use crypto::Salty;
pub use marks::Marks;
pub use recovery::Recovery;
