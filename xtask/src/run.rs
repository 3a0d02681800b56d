//! Running a program in the project's root.

use std::process::Command;

use anyhow::{Context, bail};

use crate::root;

/// Runs a command in the project's root.
pub fn command(command: &mut Command) -> anyhow::Result<()> {
    let status =
        command.current_dir(root()).status().with_context(|| format!("{command:?} cannot be started"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}
