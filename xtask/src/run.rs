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
    let mut cargo = cargo_process();
    cargo.args([verb, "--profile", PROFILE]).args(arguments).current_dir(root());
    cargo
}

/// A cargo without what the cargo that started these tasks set for them (`CARGO_PKG_NAME` and the like).
/// Build scripts that look at such a variable (ring's) would run again, and all that depends on them would be
/// compiled again, each time a person's cargo and these tasks take turns.
pub fn cargo_process() -> Command {
    let mut cargo = Command::new("cargo");
    let set_by_cargo = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"];
    for (name, _) in std::env::vars_os() {
        if set_by_cargo.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            cargo.env_remove(name);
        }
    }
    cargo
}
