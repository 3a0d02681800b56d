//! Health-cabin devices: byte streams, characteristics and messages to measurements.
//!
//! Every decoder is pure: bytes in, readings or a reason out. What a device marks as invalid is
//! no value; what is cut short is rejected whole.

pub mod ble;
pub mod contec;
pub mod nonin;
pub mod spp;
