//! Bounded runs of every fuzz target; a crash leaves its input in `fuzz/artifacts`.

use std::process::Command;

use anyhow::{Context, ensure};

use crate::root;
use crate::run::{PROFILE, cargo_command, command};

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
    let targets = targets()?;
    if let Some(name) = only {
        ensure!(targets.iter().any(|t| t == name), "no target {name:?}; there are: {}", targets.join(", "));
    }
    let chosen: Vec<&String> =
        targets.iter().filter(|target| only.is_none_or(|name| name == *target)).collect();
    build(&chosen)?;
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

/// Builds targets, without a sanitizer: the code has no `unsafe`, and they look for panics, hangs and memory use. What
/// the project's own crates stand on is that of all other tests; so the whole workspace decides its features.
fn build(targets: &[&String]) -> anyhow::Result<()> {
    let mut arguments = vec!["--workspace", "--features", "linli-fuzz/targets"];
    targets.iter().for_each(|target| arguments.extend(["--bin", target]));
    command(cargo_command("build", &arguments).env("RUSTC_WORKSPACE_WRAPPER", root().join("fuzz/rustc.sh")))
}

fn fuzz(target: &str, seconds: u32, more: &[&str]) -> anyhow::Result<()> {
    println!("fuzzing {target} for {seconds} s");
    let fuzz = root().join("fuzz");
    // What a target finds goes to its corpus; the seeds are inputs from the field, kept with the sources.
    let (found, seeds) = (fuzz.join("corpus").join(target), fuzz.join("seeds").join(target));
    let crashes = fuzz.join("artifacts").join(target);
    for folder in [&found, &crashes] {
        std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    let folders = std::iter::once(found).chain(seeds.is_dir().then_some(seeds));
    let (limit, crashes) =
        (format!("-max_total_time={seconds}"), format!("-artifact_prefix={}/", crashes.display()));
    let settings =
        [&limit, &crashes, "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1", "-verbosity=0"];
    let program = root().join("target").join(PROFILE).join(target);
    command(Command::new(program).args(folders).args(settings).args(more))
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
