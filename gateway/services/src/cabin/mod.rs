//! The health cabin: measurements become durable, belong to a visit, and name nobody outside.
//!
//! One task owns the visits, so nobody can sit down between a measurement and its binding. It
//! takes measurements from the lines and requests from people; both answers come when what was
//! asked is on the disk.

mod corrections;
#[cfg(test)]
mod golden;
mod identity;
mod measuring;
mod payload;
mod reception;
mod request;
mod rooms;
mod service;
mod steady;
mod timing;

pub use identity::{Identity, check_digit};
pub use reception::{Reception, Shown, Wanted};
pub use request::{Done, Opening, Request};
pub use service::{CabinService, Deps, Health};
pub use steady::Steady;

/// Measurements that may wait to be made durable.
pub const MEASUREMENT_QUEUE: usize = 64;

/// Requests that may wait.
pub const REQUEST_QUEUE: usize = 64;
