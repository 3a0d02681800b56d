//! What health-cabin devices send: HL7 version 2, Bluetooth health profiles, records on serial lines.
//!
//! Every decoder is pure: bytes in, readings or a reason out. What a device marks as invalid is no value; what
//! is cut short is rejected whole.

pub mod ble;
pub mod contec;
mod decoded;
pub mod hl7;
pub mod nonin;
pub mod scanner;
pub mod spot;
pub mod spp;
mod zone;

pub use decoded::{Decoded, Decoder};
pub use zone::Zone;
