//! The services of a gateway. Each is one task that owns a part of the state, and resumes with its stored state
//! after a restart. A service imports no other; it receives the queues that it needs.

pub mod alarms;
pub mod audit_log;
pub mod canteen;
pub mod client;
mod error;
pub mod events;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod guarded_commands;
pub mod live;
pub mod mode;
pub mod random;
pub mod stored;

pub use error::ServiceError;
pub use linli_commands::{
    answer as command_answer, outputs, queue as command_queue, refusal_budget, routes, service as commands,
};

/// The software's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
