//! Bounded runs of every fuzz target; a crash leaves its input in `fuzz/artifacts`.

use std::process::Command;

use anyhow::{Context, ensure};

use crate::run::command;
use crate::{needs, root};

/// How long each target runs in CI.
const SECONDS: u32 = 15;

/// Runs every target for a moment.
pub fn moment() -> anyhow::Result<()> {
    run(None, SECONDS)
}

/// Runs one target or all of them, each for that long.
pub fn run(only: Option<&str>, seconds: u32) -> anyhow::Result<()> {
    needs::ensure()?;
    let targets = targets()?;
    if let Some(name) = only {
        ensure!(targets.iter().any(|t| t == name), "no target {name:?}; there are: {}", targets.join(", "));
    }
    for target in targets.iter().filter(|target| only.is_none_or(|name| name == *target)) {
        println!("fuzzing {target} for {seconds} s");
        let limit = format!("-max_total_time={seconds}");
        // No sanitizer: the code is free of `unsafe`, and what is looked for are panics, hangs and
        // memory. The coverage flags are unstable, hence the bootstrap.
        command(
            Command::new(needs::from_venv("cargo-fuzz"))
                .args(["fuzz", "run", "--sanitizer", "none", target, "--"])
                .args([&limit, "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1", "-verbosity=0"])
                .env("RUSTC_BOOTSTRAP", "1"),
        )?;
    }
    Ok(())
}

fn targets() -> anyhow::Result<Vec<String>> {
    let dir = root().join("fuzz/fuzz_targets");
    let files = std::fs::read_dir(&dir).with_context(|| format!("{} is missing", dir.display()))?;
    let mut names: Vec<String> = files
        .flatten()
        .filter_map(|file| Some(file.path().file_stem()?.to_string_lossy().into_owned()))
        .collect();
    names.sort();
    Ok(names)
}
