//! Profiles of Modbus devices: what a model's registers mean, how its values lie in them, and in which frames they travel.
//!
//! Pure, without a line: a profile is read, checked against its own captures, and embedded; frames are made and cut. The
//! drivers plan the requests and decode the answers with it.

pub mod codec;
pub mod data;
pub mod duration;
pub mod profile;
pub mod wire;
