//! The mode switch: what the machine of each room decides is made durable with its line of the
//! record, then carried out by commands, then proven by what is read.
//!
//! The decisions are [`linli_domain::mode::step`]'s; here are the journal, the hands and the eyes.

mod alternate;
mod deciding;
mod desk;
mod evidence;
mod figures;
mod hands;
mod happening;
mod heads;
mod keeper;
mod notices;
mod orders;
mod payload;
mod policy;
mod record;
mod request;
mod room;
mod setup;
mod shown;
mod snapshot;
mod urgent;
pub mod words;

pub use desk::{Desk, Parts};
pub use figures::{Health, RESULTS, RoomFigures, STEPS, Tally, cause};
pub use keeper::keeper;
pub use notices::{Parts as NoticeParts, run as show_notices};
pub use policy::Telling;
pub use record::{LINE, Line, Moved, What, line_id};
pub use request::{Asked, Deed, RequestedAction};
pub use setup::Setup;

/// Batches waiting at the desk.
pub const BATCH_QUEUE: usize = 1024;

/// Requests waiting at the desk.
pub const REQUEST_QUEUE: usize = 64;

/// Orders from the broker waiting at the desk.
pub const ORDER_QUEUE: usize = 32;
