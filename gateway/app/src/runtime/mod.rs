//! The running gateway: lines, pipeline, services, listeners and uplink, started and ended in order.

pub mod clock;
mod config_watch;
pub mod gateway;
mod lines;
mod listeners;
mod pipeline;
mod services;
mod uplink_supervisor;
mod watchdog;
