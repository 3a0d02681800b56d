//! Small tests of single decisions, each of which a mutant of `cargo xtask mutants` once survived or could
//! survive. They run in a second, unlike the model check.
#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

mod building;
mod centre;
mod claims;
mod contents;
mod devices;
mod drills;
mod exits;
mod fire;
mod hazards;
mod holds;
mod keys;
mod loader;
mod orders;
mod people;
mod play;
mod predicates;
mod processes;
mod restarts;
mod safety;
mod signed;
mod states;
mod sweeps;
mod waivers;
