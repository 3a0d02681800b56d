//! HL7 version 2 results (ORU^R01) over MLLP: what monitors and analysers send.

pub mod acknowledge;
pub mod batch;
mod encapsulated;
mod grouping;
pub mod message;
pub mod mllp;
mod observation;
mod oru;
mod patients;
mod query;
mod refused;
mod time;

pub use acknowledge::{Code, acknowledge};
pub use message::{Message, Unreadable};
pub use oru::{Results, results};
pub use query::{Answer, Asked, Form, Found, Query};
pub use refused::Refused;
