//! Frames: pure functions over bytes, fuzzed, never panicking.
//!
//! We cut frames ourselves because that is where lines break: client crates treat a late reply, a
//! foreign frame or noise as an error of the connection, and the next request gets the last
//! one's answer.

mod crc;
pub mod mbap;
pub mod pdu;
pub mod rtu;

pub use crc::crc16;
