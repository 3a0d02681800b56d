//! Our own sensor nodes: what a technician does with them besides reading them.
//!
//! A node is updated, asked for its log and its self-test, and set up, through the maintenance lane
//! of its line, so that the telemetry of its neighbours keeps flowing. [`Client`] speaks the
//! protocol of the wire crate over any attendant: that of a running line, or that of a port opened
//! for a moment. The service does so inside the running gateway, one node of a line at a time, and
//! writes everything into a record that nobody changes unseen.

mod client;
mod flash;
#[cfg(test)]
mod golden;
mod image;
mod job;
pub mod provision;
mod record;
mod request;
mod service;
mod view;

use std::time::Duration;

pub use client::Client;
pub use image::Image;
pub use job::{Target, run, update};
pub use record::{NodeEvent, Record};
pub use request::{Action, Do, Request};
pub use service::{Deps, NodeService};
pub use view::identity as shown_identity;

/// Bound of the queue of requests.
pub const REQUEST_QUEUE: usize = 16;

/// Longest image that is read: more than any node's flash.
pub const LONGEST_IMAGE: usize = 2 << 20;

/// A node answers within this, also while it writes to its flash.
pub const PATIENCE: Duration = Duration::from_millis(1000);
