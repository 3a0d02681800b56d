//! The canteen: an account of every cabinet, retained samples, cooling, the daily record.

mod cooling;
mod day;
#[cfg(test)]
mod golden;
mod operations;
mod record;
mod request;
mod service;

use std::time::Duration;

use linli_domain::Id;

pub use request::{Action, Request};
pub use service::{CanteenService, Deps};

/// What is reckoned is told twice a minute; this old it is stale.
pub const STALE_AFTER: Duration = Duration::from_secs(120);

/// The line that what is reckoned hangs on.
#[must_use]
pub fn line() -> Id {
    Id::new("canteen").expect("an id")
}

/// Batches that may wait to be looked at.
pub const BATCH_QUEUE: usize = 1024;

/// Requests that may wait.
pub const REQUEST_QUEUE: usize = 16;
