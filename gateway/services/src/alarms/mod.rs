//! Alarms: one task evaluates the rules, makes every step durable, tells it once.

#[cfg(test)]
mod golden;
mod payload;
mod publish;
mod service;
mod siren;
mod stored;

pub use payload::AlarmView;
pub use service::{Action, AlarmService, Deps, Health, Request};
pub use siren::run as run_sirens;
pub mod webhook;

/// Batches that may wait to be looked at.
pub const BATCH_QUEUE: usize = 1024;

/// Requests that may wait.
pub const REQUEST_QUEUE: usize = 64;
