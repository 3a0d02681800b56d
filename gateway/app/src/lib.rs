//! The `linli` binary: the runtime that supervises the gateway, the command line and the demo.

pub mod cli;
mod runtime;
