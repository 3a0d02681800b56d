//! The running gateway: lines, pipeline, services, listeners and uplink, started and ended in order.

mod certificates;
pub mod clock;
mod config_watch;
pub mod gateway;
mod lines;
mod listeners;
mod pipeline;
mod record_retention;
mod services;
pub mod state_dir;
pub(crate) mod uplink_certificate;
mod uplink_supervisor;
mod watchdog;
