//! The health cabin: makes measurements durable, binds them to visits, protects the residents' identities.
//!
//! One task owns the visits, so a visit cannot change while a measurement is bound to it. It takes
//! measurements from the lines and requests from people, and answers both when the result is on the disk.

mod attachments;
mod audited_reader;
#[cfg(test)]
mod belonging_tests;
mod corrections;
#[cfg(test)]
mod golden;
mod identity;
mod measuring;
mod request;
mod resident_keys;
mod rooms;
mod service;
mod timing;

pub use audited_reader::{AuditedReader, MeasurementFilter, VisitView};
pub use identity::{Identity, check_digit};
pub use request::{Action, NewVisit, Outcome, Request};
pub use resident_keys::ResidentKeys;
pub use service::{CabinService, Deps, Health};

/// Bound of the queue of measurements.
pub const MEASUREMENT_QUEUE: usize = 64;

/// Bound of the request queue.
pub const REQUEST_QUEUE: usize = 64;
