//! Modbus RTU, TCP and RTU-over-TCP: the acquisition engine.
//!
//! `profile` says what a model's registers mean, `plan` what a checked line looks like. The rest
//! turns the plan into frames: `wire` cuts and checks them, `task` owns the line.

pub mod plan;
pub mod profile;
