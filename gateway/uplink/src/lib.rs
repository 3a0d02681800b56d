//! Northbound: pure encoders and the one connection that delivers the outbox.
//!
//! A record leaves the outbox only by the broker's acknowledgement. Every connection has
//! a new client, a clean session and its own window of unacknowledged messages; no record depends on
//! the queue of a client library.

mod backoff;
pub mod json;
mod session;
mod settings;
mod status;
mod task;
mod tls;

pub use session::InboundOrder;
pub use settings::{Acknowledge, Credentials, Settings, Tls, Version};
pub use status::{Birth, UplinkStatus};
pub use task::{Context, run};
pub use tls::TlsError;
