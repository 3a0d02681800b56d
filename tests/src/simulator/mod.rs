//! A bus of Modbus devices with faults as data: what each register held, and when, is known afterwards.
//!
//! The devices answer on any byte stream: a duplex pair in virtual time, a TCP connection, a pseudo-terminal.
//! [`Schedule`] says which request meets which [`Fault`]; [`Bus`] carries it out and keeps the [`Exchange`]s, from
//! which [`Trial`] decides whether each `good` sample of the real line task was true when it was taken.

mod bus;
mod fault;
mod media;
mod registers;
mod schedule;
mod trial;

pub use bus::{Bus, Exchange};
pub use fault::{Fault, Framing};
pub use registers::{COIL_COUNT, COILS, COUNTER, FIRST, SECOND, coil, word_pair};
pub use schedule::{Planned, Schedule};
pub use trial::{PROFILE, Rates, Trial, Violation, plan, profiles};
