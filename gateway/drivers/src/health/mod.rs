//! Health-cabin devices: byte streams, characteristics and messages to measurements.
//!
//! Every decoder is pure: bytes in, readings or a reason out. What a device marks as invalid is
//! no value; what is cut short is rejected whole.

pub mod ble;
pub mod contec;
pub mod hl7;
mod listener;
pub mod models;
pub mod nonin;
mod plan;
pub mod spot;
pub mod spp;
mod stream;

pub use listener::{MLLP, Mllp, PROFILE};
pub use stream::{SERIAL, SerialDevices};
