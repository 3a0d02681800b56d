//! The mode switch: what the machine of each room decides is made durable with its line of the
//! record, then carried out by commands, then proven by what is read.
//!
//! The decisions are [`linli_mode::step`]'s; here are the journal, the actuator and the eyes.

mod actuator;
mod alternate;
mod announcements;
mod batching;
mod commit;
mod engine;
mod evidence;
#[cfg(test)]
mod golden;
mod heads;
mod metrics;
mod notices;
mod operations;
mod orders;
mod payload;
mod pending_audit;
mod policy;
mod record;
mod request;
mod room;
mod room_event;
mod room_metrics;
mod service;
mod setup;
mod signer;
mod snapshot;
mod stop;
mod stored_orders;
#[cfg(test)]
mod upgrade;
mod view;

pub use engine::Deps;
pub use metrics::{Health, RESULTS, RoomMetrics, STEPS, Tally, cause};
pub use notices::{Deps as NoticeDeps, run as show_notices};
pub use policy::PolicyPublisher;
pub use request::{Asked, Operation, RequestedAction};
pub use service::ModeService;
pub use setup::Setup;
pub use signer::signer;

/// Batches waiting at the service.
pub const BATCH_QUEUE: usize = 1024;

/// Requests waiting at the service.
pub const REQUEST_QUEUE: usize = 64;

/// Orders from the broker waiting at the service.
pub const ORDER_QUEUE: usize = 32;
