//! Profiles of Modbus devices: what a model's registers mean, and how its values lie in them.
//!
//! Pure data, without a line: a profile is read, checked against its own captures, and embedded. The drivers
//! plan the requests and decode the answers with it.

pub mod codec;
pub mod data;
pub mod duration;
pub mod profile;
