//! Alarms: one task evaluates the rules, makes every step durable, tells it once.

mod desk;
#[cfg(test)]
mod golden;
mod noted;
mod payload;
mod siren;
mod telling;

pub use desk::{Action, Asked, Desk, Health, Parts};
pub use payload::Shown;
pub use siren::run as run_sirens;
pub mod webhook;

/// Batches that may wait to be looked at.
pub const BATCH_QUEUE: usize = 1024;

/// Requests that may wait.
pub const REQUEST_QUEUE: usize = 64;
