//! The gateway put together: the runtime that supervises it, the command line and the demo.

pub mod cli;
mod demo;
mod example;
mod runtime;
