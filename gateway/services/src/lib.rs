//! The services of a gateway: each owns its part of the centre in one task, and goes on where it
//! was when the process ended. A service imports no other; it is handed the queues it needs.

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
pub mod nodes;
pub mod outputs;
pub mod random;
pub mod refusal_budget;
pub mod routes;
mod stored;

pub use error::ServiceError;

/// The software's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
