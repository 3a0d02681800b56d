//! Government kiosks: what residents get of each, and how it spent the opening hours.

#[cfg(test)]
mod golden;
mod service;
mod state;

pub use service::{Deps, KioskService, Query, Request};

/// Batches that may wait to be looked at.
pub const BATCH_QUEUE: usize = 256;

/// Requests that may wait.
pub const REQUEST_QUEUE: usize = 16;
