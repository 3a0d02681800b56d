//! Government kiosks: what residents get of each, and how it spent the opening hours.

#[cfg(test)]
mod golden;
mod service;
mod state;

pub use service::{Deps, KioskService, Query, Request};

/// Bound of the queue of batches.
pub const BATCH_QUEUE: usize = 256;

/// Bound of the queue of requests.
pub const REQUEST_QUEUE: usize = 16;
