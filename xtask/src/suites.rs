//! The Rust tests: one build of the whole workspace, then its test programs.
//!
//! `cargo test -p A` and `cargo test -p B` choose different features of the crates they share and compile
//! them twice. Built as one workspace every dependency is compiled once, and so is the gateway's binary,
//! which the end-to-end tests start.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use anyhow::{Context, bail, ensure};
use serde_json::Value;

use crate::run::{cargo, cargo_command};
use crate::{needs, root};

/// The crate whose tests start the real binary.
const END_TO_END: &str = "tests";

/// Prefix of the test files that use emulated boards.
const EMULATED: &str = "firmware";

/// The files of end-to-end tests that attack the listeners.
const ATTACKS: [&str; 4] = ["attack", "listeners", "broker", "tls"];

/// Number of files of end-to-end tests that run at once, and of tests of each. Most wait for timers and
/// peers: with fewer, both processors would be idle for most of the time.
const LANES: usize = 3;
const THREADS: &str = "2";

/// Number of programs of unit tests that run at once.
const UNIT_LANES: usize = 2;

/// The programs of unit tests that take longest: they begin first.
const LONGEST_UNITS: [&str; 3] = ["store", "mode", "hl7"];

/// Files that take a minute and more: they begin first, so that nothing is left to wait for at the end.
const LONGEST: [&str; 7] =
    ["loss", "district_cluster", "centres", "api", "alarms", "erasure", "district_torture"];

/// The program with all files of end-to-end tests.
const END_TO_END_PROGRAM: &str = "e2e";

/// A test program, or what it has of one file of end-to-end tests.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Suite {
    /// The folder of its crate, relative to the root.
    folder: String,
    /// Its name: a crate's for its unit tests, a file's for the others.
    name: String,
    program: PathBuf,
    /// Names of the tests that are meant; none is all of them.
    tests: Vec<String>,
}

/// How a file of tests went.
struct Outcome {
    name: String,
    seconds: u64,
    has_passed: bool,
}

/// Runs unit, component and documentation tests. Some wait for the disk or for processes, so two programs run
/// at once.
pub fn unit() -> anyhow::Result<()> {
    let mut unit: Vec<Suite> = build()?.into_iter().filter(|suite| suite.folder != END_TO_END).collect();
    begin_with(&LONGEST_UNITS, &mut unit);
    let results = side_by_side(&unit, UNIT_LANES, &logs()?);
    let failed = summary("programs of unit tests", results);
    ensure!(failed.is_empty(), "tests failed in {}", failed.join(", "));
    cargo("test", &["--workspace", "--doc"])
}

/// Runs every end-to-end test. Boards in emulation run by real time, one at a time, and mostly wait for
/// their line: they run beside the others.
pub fn end_to_end() -> anyhow::Result<()> {
    let (emulated, mut others): (Vec<Suite>, Vec<Suite>) =
        of_end_to_end()?.into_iter().partition(|suite| suite.name.starts_with(EMULATED));
    ensure!(!emulated.is_empty() && !others.is_empty(), "a group of end-to-end tests is empty");
    begin_with(&LONGEST, &mut others);
    let logs = logs()?;
    let (mut results, boards) = std::thread::scope(|scope| {
        let boards = scope.spawn(|| side_by_side(&emulated, 1, &logs));
        (side_by_side(&others, LANES, &logs), boards.join())
    });
    let boards = boards.map_err(|_| anyhow::anyhow!("the thread of emulated boards panicked"))?;
    results.extend(boards);
    let failed = summary("files of end-to-end tests", results);
    ensure!(
        failed.is_empty(),
        "end-to-end tests failed in {}; again: cargo xtask e2e {}",
        failed.join(", "),
        failed[0]
    );
    Ok(())
}

/// Moves these to the front, in this order.
fn begin_with(names: &[&str], suites: &mut [Suite]) {
    suites.sort_by_key(|suite| names.iter().position(|name| suite.name == *name).unwrap_or(names.len()));
}

/// Returns the folder of what tests print while they run.
fn logs() -> anyhow::Result<PathBuf> {
    let logs = root().join("target/tests");
    std::fs::create_dir_all(&logs).with_context(|| format!("{} cannot be made", logs.display()))?;
    println!("what a program's tests print comes at its end; until then it is in {}", logs.display());
    Ok(logs)
}

/// Prints how long each took, the longest first, and returns the names of those that failed.
fn summary(what: &str, mut results: Vec<Outcome>) -> Vec<String> {
    results.sort_by(|a, b| b.seconds.cmp(&a.seconds).then_with(|| a.name.cmp(&b.name)));
    println!("\n{what}, the longest first");
    results.iter().for_each(|Outcome { name, seconds, .. }| println!("{seconds:5} s  {name}"));
    results.into_iter().filter(|outcome| !outcome.has_passed).map(|outcome| outcome.name).collect()
}

/// Runs the end-to-end tests of one file, or those of its tests whose names contain a word of `filter`; what begins with
/// a hyphen is an option of the program.
pub fn one(name: &str, filter: &[&str]) -> anyhow::Result<()> {
    needs::ensure()?;
    let suites = of_end_to_end()?;
    let Some(suite) = suites.iter().find(|suite| suite.name == name) else {
        let names: Vec<&str> = suites.iter().map(|suite| suite.name.as_str()).collect();
        bail!("no file of end-to-end tests {name:?}; there are: {}", names.join(", "));
    };
    let (options, filter): (Vec<&str>, Vec<&str>) = filter.iter().partition(|word| word.starts_with('-'));
    ensure!(suite.filtered(&filter)?.passes(&options), "end-to-end tests failed in {name}");
    Ok(())
}

/// Attacks the real binary on loopback; the tests print their figures.
pub fn attack() -> anyhow::Result<()> {
    needs::ensure()?;
    let suites = of_end_to_end()?;
    let mut failed = Vec::new();
    for name in ATTACKS {
        let suite = suites.iter().find(|suite| suite.name == name);
        let suite = suite.with_context(|| format!("no file of end-to-end tests {name:?}"))?;
        // One at a time: each figure is that of one attack.
        if !suite.passes(&["--nocapture", "--test-threads", "1"]) {
            failed.push(name);
        }
    }
    ensure!(failed.is_empty(), "attacks succeeded in {}", failed.join(", "));
    Ok(())
}

/// Lets a district go through kills and other faults; the program prints its figures.
pub fn torture(words: &[&str]) -> anyhow::Result<()> {
    needs::ensure()?;
    cargo("build", &["--workspace", "--bins"])?;
    // As it is, so that an interrupt reaches it and what it has started.
    crate::run::command(
        Command::new(root().join("target").join(crate::run::PROFILE).join("torture")).args(words),
    )
}

/// Runs the suites, so many at once; what one prints is printed when it has ended, so that no two are mixed.
fn side_by_side(suites: &[Suite], lanes: usize, logs: &Path) -> Vec<Outcome> {
    let (waiting, results) = (Mutex::new(suites.iter()), Mutex::new(Vec::new()));
    let next = || waiting.lock().expect("no lane panics").next();
    std::thread::scope(|scope| {
        for _ in 0..lanes {
            scope.spawn(|| {
                while let Some(suite) = next() {
                    let outcome = suite.outcome(logs);
                    results.lock().expect("no lane panics").push(outcome);
                }
            });
        }
    });
    results.into_inner().expect("no lane panics")
}

/// Builds the end-to-end tests. Returns the suites of their crate, one for each file.
fn of_end_to_end() -> anyhow::Result<Vec<Suite>> {
    let (program, mut suites): (Vec<Suite>, Vec<Suite>) = build()?
        .into_iter()
        .filter(|suite| suite.folder == END_TO_END)
        .partition(|suite| suite.name == END_TO_END_PROGRAM);
    let program = program.first().context("no program of end-to-end tests")?;
    let listed = program.command(&["--list", "--format", "terse"]).output()?;
    ensure!(listed.status.success(), "the end-to-end tests cannot be listed");
    let files = program.of_files(&String::from_utf8(listed.stdout)?);
    for name in files_of_end_to_end()? {
        ensure!(
            files.iter().any(|suite| suite.name == name),
            "no test of {END_TO_END}/tests/{name}.rs is run: name the file in {END_TO_END}/tests/main.rs"
        );
    }
    suites.extend(files);
    Ok(suites)
}

/// Names of the files of end-to-end tests.
fn files_of_end_to_end() -> anyhow::Result<Vec<String>> {
    let folder = root().join(END_TO_END).join("tests");
    let entries = std::fs::read_dir(&folder).with_context(|| format!("{} is missing", folder.display()))?;
    let files = entries.flatten().map(|entry| entry.path());
    let files = files.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let names = files.filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned()));
    Ok(names.filter(|name| name != "main").collect())
}

/// Builds every test of the workspace, and with them the binary under test.
fn build() -> anyhow::Result<Vec<Suite>> {
    let arguments = ["--workspace", "--no-run", "--message-format", "json-render-diagnostics"];
    let built = cargo_command("test", &arguments).stderr(Stdio::inherit()).output()?;
    ensure!(built.status.success(), "the tests do not build");
    suites(&String::from_utf8(built.stdout)?)
}

/// Returns the test programs that cargo's build messages name.
fn suites(messages: &str) -> anyhow::Result<Vec<Suite>> {
    let root = root().canonicalize()?;
    let mut suites = Vec::new();
    for line in messages.lines() {
        let message: Value = serde_json::from_str(line).context("cargo's message is no JSON")?;
        let (true, Some(program)) = (message["profile"]["test"] == true, message["executable"].as_str())
        else {
            continue;
        };
        let manifest = PathBuf::from(message["manifest_path"].as_str().context("no manifest_path")?);
        let folder = manifest.parent().and_then(|folder| folder.strip_prefix(&root).ok());
        suites.push(Suite {
            folder: folder.context("a test outside the project")?.display().to_string(),
            name: message["target"]["name"].as_str().context("no name")?.to_owned(),
            program: program.into(),
            tests: Vec::new(),
        });
    }
    suites.sort_by(|a, b| (&a.folder, &a.name).cmp(&(&b.folder, &b.name)));
    Ok(suites)
}

// === impl Suite ===

impl Suite {
    /// What the program has of each file, by its list of tests (`file::test: test`).
    fn of_files(&self, list: &str) -> Vec<Self> {
        let mut files: Vec<Self> = Vec::new();
        for test in list.lines().filter_map(|line| line.strip_suffix(": test")) {
            let Some((file, _)) = test.split_once("::") else { continue };
            match files.iter_mut().find(|suite| suite.name == file) {
                Some(suite) => suite.tests.push(test.to_owned()),
                None => {
                    files.push(Self { name: file.to_owned(), tests: vec![test.to_owned()], ..self.clone() })
                }
            }
        }
        files
    }

    /// Those of its tests whose names contain one of these; all without any.
    fn filtered(&self, filter: &[&str]) -> anyhow::Result<Self> {
        let mut suite = self.clone();
        suite.tests.retain(|test| filter.is_empty() || filter.iter().any(|part| test.contains(part)));
        ensure!(
            !suite.tests.is_empty() || filter.is_empty(),
            "no test of {} contains {}; there are:\n{}",
            self.name,
            filter.join(" or "),
            self.tests.join("\n")
        );
        Ok(suite)
    }

    /// The program, started as cargo starts it: in its crate's folder.
    fn command(&self, arguments: &[&str]) -> Command {
        let folder = root().join(&self.folder);
        let mut command = Command::new(&self.program);
        if !self.tests.is_empty() {
            command.arg("--exact").args(&self.tests);
        }
        command.args(arguments).current_dir(&folder).env("CARGO_MANIFEST_DIR", &folder);
        command
    }

    /// Runs the tests of the program and prints what they printed.
    fn outcome(&self, logs: &Path) -> Outcome {
        println!("{}: {} begins", self.folder, self.name);
        #[expect(clippy::disallowed_types, reason = "xtask has no runtime; nobody tests its clock")]
        let began = std::time::Instant::now();
        let has_passed = self.is_passed(&logs.join(self.log_name())).unwrap_or_else(|error| {
            println!("{}: {error:#}", self.name);
            false
        });
        Outcome { name: self.name.clone(), seconds: began.elapsed().as_secs(), has_passed }
    }

    /// Files of several crates have the same name.
    fn log_name(&self) -> String {
        match self.folder.as_str() {
            END_TO_END => format!("{}.log", self.name),
            folder => format!("{}-{}.log", folder.replace('/', "-"), self.name),
        }
    }

    fn is_passed(&self, log: &Path) -> anyhow::Result<bool> {
        let output = File::create(log).with_context(|| format!("{} cannot be written", log.display()))?;
        let mut tests = self.command(&["--test-threads", THREADS]);
        let status = tests.stdout(output.try_clone()?).stderr(output).status()?;
        let mut printed = std::io::stdout().lock();
        writeln!(printed, "\n{}: {}", self.folder, self.name)?;
        std::io::copy(&mut File::open(log)?, &mut printed)?;
        Ok(status.success())
    }

    fn passes(&self, arguments: &[&str]) -> bool {
        println!("\n{}: {}", self.folder, self.name);
        self.command(arguments).status().is_ok_and(|status| status.success())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_belong_to_the_file_they_stand_in() {
        let program = Suite {
            folder: END_TO_END.to_owned(),
            name: END_TO_END_PROGRAM.to_owned(),
            program: PathBuf::from("/target/e2e"),
            tests: Vec::new(),
        };
        let list = "orders::a: test\nmode_orders::b: test\norders::c: test\norders::normal::d: test\n";
        let files = program.of_files(list);
        let names: Vec<(&str, usize)> = files.iter().map(|s| (s.name.as_str(), s.tests.len())).collect();
        assert_eq!(names, [("orders", 3), ("mode_orders", 1)]);
        assert_eq!(files[0].filtered(&["normal"]).expect("one").tests, ["orders::normal::d"]);
        assert!(files[0].filtered(&["b"]).unwrap_err().to_string().contains("orders::a"));
        assert_eq!(files[0].filtered(&[]).expect("all"), files[0]);
    }

    #[test]
    fn test_programs_are_read_from_cargos_messages() {
        let root = root().canonicalize().expect("the project");
        let message = |folder: &str, name: &str, is_test: bool| {
            let manifest = root.join(folder).join("Cargo.toml");
            let program = format!("/target/{name}");
            let profile = serde_json::json!({ "test": is_test });
            let target = serde_json::json!({ "name": name });
            serde_json::json!({"profile": profile, "target": target, "manifest_path": manifest, "executable": program})
                .to_string()
        };
        let nothing = serde_json::json!({"reason": "build-finished", "success": true}).to_string();
        let lines = [
            message("tests", "mode", true),
            message("gateway/app", "linli", false),
            message("gateway/app", "linli", true),
            nothing,
        ];
        let read = suites(&lines.join("\n")).expect("suites");
        let names: Vec<(&str, &str)> = read.iter().map(|s| (s.folder.as_str(), s.name.as_str())).collect();
        assert_eq!(names, [("gateway/app", "linli"), ("tests", "mode")]);
        assert!(suites("no JSON").is_err());
    }
}
