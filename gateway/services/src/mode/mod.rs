//! The mode switch: stores each decision of a room's state machine with its audit entry, executes it by
//! commands, and proves it by readings.
//!
//! [`linli_mode::step`] decides; this module stores, executes and reads.

mod actuator;
mod alternate;
mod announcements;
mod batching;
mod chatter;
mod commit;
mod deferred_queue;
mod engine;
mod evidence;
mod explain;
mod follow_up;
mod following;
#[cfg(test)]
mod golden;
mod heads;
mod keep_ahead;
mod kept;
mod metrics;
mod needed;
#[cfg(test)]
mod noticed;
mod notices;
mod operations;
mod order_flood;
mod order_intake;
mod order_numbers;
mod order_outcome;
#[cfg(test)]
mod order_tests;
mod orders;
#[cfg(test)]
mod output_safety;
mod payload;
mod pending_audit;
mod pending_stop;
mod plans;
mod policy;
mod quarantine;
mod record;
mod record_retention;
mod request;
mod room;
mod room_event;
mod room_metrics;
mod room_service;
mod service;
mod service_rooms;
#[cfg(test)]
mod service_state;
mod setup;
mod signer;
mod snapshot;
mod stop;
mod stored_orders;
mod trusted_time;
#[cfg(test)]
mod upgrade;
mod view;
mod while_storing;

pub use engine::Deps;
pub use metrics::{Health, RESULTS, RoomMetrics, STEPS, Tally, cause};
pub use needed::{Needed, missing};
pub use notices::{Deps as NoticeDeps, run as show_notices};
pub use order_numbers::{OrderNumbersFile, commission};
pub use policy::PolicyPublisher;
pub use record_retention::forget_old_entries;
pub use request::{Asked, Finding, Operation, RequestedAction};
pub use room_service::USUAL_SERVICE;
pub use service::ModeService;
pub use setup::Setup;
pub use signer::signer;

/// Capacity of the queue of batches.
pub const BATCH_QUEUE: usize = 1024;

/// Capacity of the queue of requests.
pub const REQUEST_QUEUE: usize = 64;

/// Capacity of the queue of orders from the broker.
pub const ORDER_QUEUE: usize = 32;
