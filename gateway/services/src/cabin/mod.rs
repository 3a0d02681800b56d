//! The health cabin: measurements become durable, belong to a visit, and name nobody outside.
//!
//! One task owns the visits, so nobody can sit down between a measurement and its binding. It
//! takes measurements from the lines and requests from people; both answers come when what was
//! asked is on the disk.

mod audited_reader;
mod corrections;
#[cfg(test)]
mod golden;
mod identity;
mod measuring;
mod payload;
mod request;
mod rooms;
mod service;
mod steady;
mod timing;

pub use audited_reader::{AuditedReader, MeasurementFilter, VisitView};
pub use identity::{Identity, check_digit};
pub use request::{Action, NewVisit, Outcome, Request};
pub use service::{CabinService, Deps, Health};
pub use steady::Steady;

/// Bound of the queue of measurements that are not stored yet.
pub const MEASUREMENT_QUEUE: usize = 64;

/// Bound of the queue of requests.
pub const REQUEST_QUEUE: usize = 64;
