//! The gateway put together: configuration, supervision, commands, web, command line and demo.

mod alarms;
mod audit_log;
mod base32;
mod cabin;
pub mod cli;
mod clock;
mod commands;
pub mod config;
mod demo;
mod desks;
mod doors;
mod events;
mod example;
mod export;
mod follow;
mod food;
mod gateway;
#[cfg(test)]
mod golden;
mod kiosks;
mod lines;
mod live;
pub mod local;
mod metrics;
mod mode;
mod nodes;
mod north;
mod notify;
mod observed;
mod order_text;
mod pipeline;
mod refusal;
mod watchdog;
mod web;

/// The software's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
