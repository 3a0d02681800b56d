//! Running a program in the project's root.

use std::process::Command;

use anyhow::{Context, bail};

use crate::root;

/// The profile of everything that is built to be checked: lints, unit tests, documentation, the binary of
/// the end-to-end tests and these tasks. One profile, so that each dependency is compiled once.
pub const PROFILE: &str = "e2e";

/// Runs a command in the project's root.
pub fn command(command: &mut Command) -> anyhow::Result<()> {
    let status =
        command.current_dir(root()).status().with_context(|| format!("{command:?} cannot be started"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}

/// Runs `cargo VERB --profile e2e ARGUMENTS`.
pub fn cargo(verb: &str, arguments: &[&str]) -> anyhow::Result<()> {
    command(&mut cargo_command(verb, arguments))
}

/// Returns the command of [`cargo`] without running it.
pub fn cargo_command(verb: &str, arguments: &[&str]) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.args([verb, "--profile", PROFILE]).args(arguments).current_dir(root());
    cargo
}
