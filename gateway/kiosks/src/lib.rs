//! Government kiosks: the services that each offers, and its availability in the opening hours.

#[cfg(test)]
mod golden;
mod note;
mod service;
mod state;

pub use note::{KioskNote, Notes, PutBack};
pub use service::{Deps, KioskService, Query, Request};

/// Bound of the queue of batches.
pub const BATCH_QUEUE: usize = 256;

/// Bound of the queue of requests.
pub const REQUEST_QUEUE: usize = 16;
