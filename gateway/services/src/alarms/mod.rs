//! Alarms: one task evaluates the rules, stores every transition and publishes it once.

#[cfg(test)]
mod golden;
mod notice;
mod payload;
mod publish;
mod service;
mod siren;
mod stored;

pub use notice::{Notice, NoticeBody, NoticeResult, Notices};
pub use payload::AlarmView;
pub use service::{Action, AlarmService, Deps, Health, Request};
pub use siren::run as run_sirens;
pub mod webhook;

/// Bound of the queue of batches.
pub const BATCH_QUEUE: usize = 1024;

/// Bound of the queue of requests.
pub const REQUEST_QUEUE: usize = 64;
