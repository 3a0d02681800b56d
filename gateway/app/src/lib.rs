//! The gateway put together: configuration, supervision, commands, web, command line and demo.

pub mod config;
pub mod demo;
