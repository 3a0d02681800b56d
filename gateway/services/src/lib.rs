//! The services of a gateway. Each is one task that owns a part of the state, and resumes with its stored state
//! after a restart. A service imports no other; it receives the queues that it needs.

pub mod alarms;
pub mod audit_log;
pub mod cabin;
pub mod canteen;
pub mod client;
pub mod command_answer;
pub mod command_queue;
pub mod commands;
mod error;
pub mod events;
#[cfg(test)]
mod golden;
pub mod kiosks;
pub mod live;
pub mod mode;
pub mod outputs;
pub mod random;
pub mod refusal_budget;
pub mod routes;
mod stored;

pub use error::ServiceError;

/// The software's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
