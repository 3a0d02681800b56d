//! Maintenance of sensor nodes: updates, logs, self-tests, settings.
//!
//! Maintenance requests are executed between the polls of a line, so its other devices are still polled.
//! [`Client`] speaks the protocol of the wire crate through a maintenance handle: of a running line, or of a
//! port that is opened temporarily. The service does so in the running gateway, one node of a line at a time,
//! and records every change in a hash chain.

mod client;
mod flash;
#[cfg(test)]
mod golden;
mod image;
mod job;
pub mod provision;
mod record;
mod request;
mod scan;
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

/// Bound of the request queue.
pub const REQUEST_QUEUE: usize = 16;

/// Longest image in bytes: more than the flash of any node.
pub const LONGEST_IMAGE: usize = 2 << 20;

/// Longest time that a node takes to answer, also while it writes its flash.
pub const ANSWER_TIMEOUT: Duration = Duration::from_millis(1000);
