//! What linli knows, and nothing it does: pure rules without I/O, clock or randomness.
//!
//! Time and entropy arrive as arguments, so the same functions run in production, under a
//! model checker and in replay.
//!
//! Words, each defined once: a **centre** has **sites** with **rooms**; a **line** is one bus or
//! connection; a **device** hangs on a line and has **points**; reading a point gives a
//! **sample**: a value, its source time and a **quality**. A **command** writes one point and is
//! done only when read back. A **record** is what the store accepts and the uplink delivers.

pub mod alarm;
pub mod audit;
mod batch;
pub mod caller;
pub mod canteen;
mod civil;
mod class;
pub mod command;
#[cfg(test)]
pub(crate) mod golden;
pub mod hours;
mod id;
pub mod kiosk;
pub mod loss;
pub mod printable;
mod quality;
mod record;
pub mod report;
pub mod rollup;
mod time;
pub mod timezone;
pub mod unit;
mod value;
pub mod visit;
pub mod vital;

pub use batch::{Batch, Layout, PointSpec, Sample};
pub use civil::Civil;
pub use class::{DeviceClass, Lane};
pub use id::{Id, IdError};
pub use quality::{NoQuality, Quality, Reason};
pub use record::{Message, Record, Topic};
pub use time::{ClockQuality, Stamp, Timestamp};
pub use value::{Value, ValueType};
