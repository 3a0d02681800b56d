//! Bounded runs of every fuzz target; a crash leaves its input in `fuzz/artifacts`.

use std::process::Command;

use anyhow::{Context, ensure};

use crate::run::command;
use crate::{needs, root};

/// Longest duration of each target in CI, in seconds.
const SECONDS: u32 = 10;

/// Inputs that each target tries in CI: a quick one has tried them in a second or two.
const INPUTS: &str = "-runs=100000";

/// What the brief runs begin from: each tries the same inputs again, as far as it comes. Searching for new ones is for long
/// runs, which begin anywhere.
const SEED: &str = "-seed=1";

/// Runs every target briefly.
pub fn moment() -> anyhow::Result<()> {
    run(None, SECONDS, &[SEED, INPUTS])
}

/// Runs one target for so many seconds.
pub fn one(target: &str, seconds: &str) -> anyhow::Result<()> {
    let seconds = seconds.parse().with_context(|| format!("{seconds:?} is not a number of seconds"))?;
    run(Some(target), seconds, &[])
}

/// Runs one target or all of them, each for that long, as many at once as there are processors.
fn run(only: Option<&str>, seconds: u32, more: &[&str]) -> anyhow::Result<()> {
    needs::python()?;
    let targets = targets()?;
    if let Some(name) = only {
        ensure!(targets.iter().any(|t| t == name), "no target {name:?}; there are: {}", targets.join(", "));
    }
    // One build for all: building each when it runs links the whole gateway each time.
    command(cargo_fuzz("build").args(only))?;
    let chosen: Vec<&String> =
        targets.iter().filter(|target| only.is_none_or(|name| name == *target)).collect();
    let at_once = std::thread::available_parallelism().map_or(1, usize::from);
    for group in chosen.chunks(at_once) {
        std::thread::scope(|scope| {
            let running: Vec<_> =
                group.iter().map(|target| scope.spawn(|| fuzz(target, seconds, more))).collect();
            running.into_iter().try_for_each(|target| match target.join() {
                Ok(outcome) => outcome,
                Err(panic) => std::panic::resume_unwind(panic),
            })
        })?;
    }
    Ok(())
}

fn fuzz(target: &str, seconds: u32, more: &[&str]) -> anyhow::Result<()> {
    println!("fuzzing {target} for {seconds} s");
    let limit = format!("-max_total_time={seconds}");
    let settings = [&limit, "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1", "-verbosity=0"];
    // What a target finds goes to its corpus; the seeds are inputs from the field, kept with the sources.
    let (found, seeds) = (root().join("fuzz/corpus").join(target), root().join("fuzz/seeds").join(target));
    std::fs::create_dir_all(&found).with_context(|| format!("{} cannot be made", found.display()))?;
    let folders = std::iter::once(found).chain(seeds.is_dir().then_some(seeds));
    command(cargo_fuzz("run").arg(target).args(folders).arg("--").args(settings).args(more))
}

/// Returns a `cargo fuzz` command without a sanitizer: the code has no `unsafe`, and the targets look for
/// panics, hangs and memory use. The coverage flags are unstable, hence the bootstrap.
fn cargo_fuzz(verb: &str) -> Command {
    let mut command = Command::new(needs::from_venv("cargo-fuzz"));
    command.args(["fuzz", verb, "--sanitizer", "none"]).env("RUSTC_BOOTSTRAP", "1");
    command
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
