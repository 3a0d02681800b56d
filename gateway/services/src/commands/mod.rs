//! The command service: every command, from wherever it comes, takes this one way.

#[cfg(test)]
mod golden;
mod service;

pub use service::{CommandHealth, CommandService};
