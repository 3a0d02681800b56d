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

/// Age at which a calculated value is stale; values are published twice a minute.
pub const STALE_AFTER: Duration = Duration::from_secs(120);

/// Id of the line under which calculated values appear.
#[must_use]
pub fn line() -> Id {
    Id::new("canteen").expect("an id")
}

/// Bound of the queue of batches.
pub const BATCH_QUEUE: usize = 1024;

/// Bound of the queue of requests.
pub const REQUEST_QUEUE: usize = 16;
