//! Frames, messages and files of devices: what is decoded, and what is rejected.
#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

mod codec;
mod duration;
mod mbap;
mod pdu;
mod printer;
mod report;
mod rtu;
mod zigbee;
