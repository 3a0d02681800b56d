//! The command service: every command, from wherever it comes, takes this one way.

#[cfg(test)]
mod golden;
#[cfg(test)]
mod guarded;
mod service;

pub use service::{CommandHealth, CommandService};
