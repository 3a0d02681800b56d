//! Profiles of Modbus devices: what a model's registers mean, how its values lie in them, and in which frames they travel.
//!
//! Pure, without a line: a profile is read, checked against its own captures, and embedded; frames are made and cut. The
//! requests that read a device are planned, and what its values may mean otherwise is judged.

pub mod codec;
pub mod data;
pub mod duration;
pub mod planner;
pub mod plausible;
pub mod profile;
pub mod wire;
