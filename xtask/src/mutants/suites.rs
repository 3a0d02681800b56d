//! The tests of the copy: the quick ones first, until one fails.

use std::collections::BTreeSet;
use std::fmt;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;

use super::table::Mutant;
use super::tree::Tree;
use crate::run::cargo_process;

/// A test program that runs longer than this does not end: it takes seconds.
const LIMIT: Duration = Duration::from_secs(300);

/// The same of the model check, which takes minutes.
const DEEP_LIMIT: Duration = Duration::from_secs(3600);

/// What is changed is quick to build; everything else is built as in the workspace. The model check is the
/// exception.
const SETTINGS: [&str; 3] = [
    "profile.dev.package.linli-mode.opt-level=0",
    "profile.dev.package.linli-mode.debug=false",
    "profile.dev.package.linli-services.debug=false",
];

/// A test program of a crate.
struct Suite {
    /// Its folder, relative to the root.
    folder: &'static str,
    package: &'static str,
    /// The name of its file; `None` for the unit tests.
    file: Option<&'static str>,
    /// What the names of its tests begin with; empty is all of them.
    filter: &'static str,
    is_deep: bool,
}

const fn suite(
    folder: &'static str,
    package: &'static str,
    file: Option<&'static str>,
    filter: &'static str,
) -> Suite {
    Suite { folder, package, file, filter, is_deep: false }
}

/// The order is the order in which they are tried.
const SUITES: [Suite; 15] = [
    suite("gateway/domain", "linli-domain", None, "audit::"),
    suite("gateway/domain", "linli-domain", None, "visit::"),
    suite("gateway/domain", "linli-domain", None, "vital::"),
    suite("gateway/domain", "linli-domain", Some("rules"), ""),
    suite("gateway/domain", "linli-domain", Some("visits"), ""),
    suite("gateway/mode", "linli-mode", Some("noticed"), ""),
    suite("gateway/mode", "linli-mode", Some("rules"), ""),
    suite("gateway/mode", "linli-mode", Some("orders"), ""),
    suite("gateway/mode", "linli-mode", None, ""),
    Suite { is_deep: true, ..suite("gateway/mode", "linli-mode", Some("mode"), "") },
    suite("gateway/config", "linli-config", Some("config"), "aliases::"),
    suite("gateway/drivers", "linli-drivers", None, "reach::"),
    suite("gateway/commands", "linli-commands", None, ""),
    suite("gateway/services", "linli-services", None, "audit_log::"),
    suite("gateway/services", "linli-services", None, "mode::"),
];

/// Crates whose changes the tests of another crate notice, too.
const ALSO_NOTICED_BY: [(&str, &str); 1] = [("linli-commands", "linli-services")];

/// What the tests say of a change.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// This test failed.
    Killed { by: String },
    /// This test program did not end.
    TimedOut { program: String },
    /// All tests passed.
    Survived,
    /// It does not compile.
    Unbuildable { errors: String },
}

/// The crate whose tests must notice a change of this file.
pub fn package(file: &str) -> anyhow::Result<&'static str> {
    let of_file = SUITES.iter().find(|suite| file.starts_with(&format!("{}/", suite.folder)));
    of_file.map(|suite| suite.package).with_context(|| format!("no tests are named for {file}"))
}

/// The crates of these rows, each once.
pub fn packages(mutants: &[&Mutant]) -> BTreeSet<&'static str> {
    mutants.iter().filter_map(|mutant| package(&mutant.file).ok()).collect()
}

/// Runs the tests of a crate until one fails.
pub fn outcome(tree: &Tree, package: &str, is_deep: bool) -> anyhow::Result<Outcome> {
    let also = ALSO_NOTICED_BY.iter().find(|(of, _)| *of == package).map(|(_, by)| *by);
    let concerns = |suite: &&Suite| suite.package == package || Some(suite.package) == also;
    for suite in SUITES.iter().filter(concerns).filter(|suite| is_deep || !suite.is_deep) {
        let program = match suite.build(tree)? {
            Ok(program) => program,
            Err(errors) => return Ok(Outcome::Unbuildable { errors }),
        };
        match suite.run(tree, &program)? {
            Outcome::Survived => {}
            other => return Ok(other),
        }
    }
    Ok(Outcome::Survived)
}

// === impl Suite ===

impl Suite {
    fn name(&self) -> &'static str {
        self.file.unwrap_or("lib")
    }

    /// Builds the program; or returns the compiler's errors.
    fn build(&self, tree: &Tree) -> anyhow::Result<Result<PathBuf, String>> {
        let mut cargo = cargo_process();
        cargo.args(["test", "--package", self.package, "--no-run", "--message-format"]);
        cargo.arg("json-render-diagnostics").current_dir(&tree.root).env("CARGO_TARGET_DIR", &tree.build);
        match self.file {
            Some(file) => cargo.args(["--test", file]),
            None => cargo.arg("--lib"),
        };
        for setting in SETTINGS.iter().filter(|_| !self.is_deep) {
            cargo.args(["--config", setting]);
        }
        let built = cargo.output().context("cargo cannot be started")?;
        if !built.status.success() {
            return Ok(Err(String::from_utf8_lossy(&built.stderr).into_owned()));
        }
        let messages = String::from_utf8(built.stdout)?;
        Ok(Ok(program(&messages).with_context(|| format!("cargo built no program {}", self.name()))?))
    }

    fn run(&self, tree: &Tree, program: &PathBuf) -> anyhow::Result<Outcome> {
        let folder = tree.root.join(self.folder);
        let mut command = Command::new(program);
        command.args((!self.filter.is_empty()).then_some(self.filter));
        command.current_dir(&folder).env("CARGO_MANIFEST_DIR", &folder).env("RUST_BACKTRACE", "0");
        let limit = if self.is_deep { DEEP_LIMIT } else { LIMIT };
        let Some((is_passed, output)) = limited(&mut command, limit)? else {
            return Ok(Outcome::TimedOut { program: self.name().to_owned() });
        };
        Ok(match is_passed {
            true => Outcome::Survived,
            false => Outcome::Killed { by: format!("{} {}", self.name(), failed(&output)) },
        })
    }
}

/// Runs a program; returns whether it succeeded, and its output. `None` when it was ended after the limit.
fn limited(command: &mut Command, limit: Duration) -> anyhow::Result<Option<(bool, String)>> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().with_context(|| format!("{command:?} cannot be started"))?;
    let Some(mut output) = child.stdout.take() else { bail!("a program without output") };
    let (ended, end) = mpsc::sync_channel(1);
    // Ends when the program closes its output: when it ends.
    std::thread::spawn(move || {
        let mut text = Vec::new();
        let read = output.read_to_end(&mut text).map(|_| String::from_utf8_lossy(&text).into_owned());
        let _ = ended.send(read);
    });
    match end.recv_timeout(limit) {
        Ok(text) => Ok(Some((child.wait()?.success(), text?))),
        Err(_) => {
            child.kill()?;
            child.wait()?;
            Ok(None)
        }
    }
}

/// The test program in what cargo says about a build.
fn program(messages: &str) -> Option<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let tests = messages.filter(|message| message["profile"]["test"] == true);
    tests.filter_map(|message| message["executable"].as_str().map(PathBuf::from)).next_back()
}

/// The first test that failed, in the output of a test program.
fn failed(output: &str) -> &str {
    let failed = |line: &'_ str| -> Option<(usize, usize)> {
        let name = line.strip_prefix("test ")?.strip_suffix(" ... FAILED")?;
        Some((5, name.len()))
    };
    output
        .lines()
        .find_map(|line| failed(line).map(|(start, length)| &line[start..start + length]))
        .unwrap_or("(before any test ended)")
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Killed { by } => write!(f, "killed by {by}"),
            Self::TimedOut { program } => write!(f, "killed: {program} ran out of time"),
            Self::Survived => f.write_str("SURVIVED"),
            Self::Unbuildable { errors } => write!(f, "DOES NOT COMPILE\n{errors}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_that_failed_is_found() {
        let output = "\nrunning 2 tests\ntest a::b ... ok\ntest c::d ... FAILED\ntest e ... FAILED\n";
        assert_eq!(failed(output), "c::d");
        assert_eq!(failed("running 1 test\n"), "(before any test ended)");
    }

    #[test]
    fn the_program_is_found_in_cargos_messages() {
        let message = |is_test: bool, executable: Option<&str>| {
            serde_json::json!({"profile": {"test": is_test}, "executable": executable}).to_string()
        };
        let messages = [message(false, Some("/bin")), message(true, Some("/test")), message(false, None)];
        assert_eq!(program(&messages.join("\n")), Some(PathBuf::from("/test")));
        assert_eq!(program("no JSON"), None);
    }

    #[test]
    fn a_program_that_does_not_end_is_ended() {
        let told = limited(Command::new("sleep").arg("3600"), Duration::from_millis(10)).expect("started");
        assert_eq!(told, None);
        let told = limited(Command::new("echo").arg("a"), DEEP_LIMIT).expect("started");
        assert_eq!(told, Some((true, "a\n".to_owned())));
        assert_eq!(
            limited(&mut Command::new("false"), DEEP_LIMIT).expect("started"),
            Some((false, String::new()))
        );
    }

    #[test]
    fn a_file_belongs_to_a_crate() {
        assert_eq!(package("gateway/mode/src/step/hold.rs").ok(), Some("linli-mode"));
        assert_eq!(package("gateway/services/src/mode/stop.rs").ok(), Some("linli-services"));
        assert_eq!(package("gateway/commands/src/outputs.rs").ok(), Some("linli-commands"));
        assert!(package("gateway/model/src/lib.rs").is_err());
    }
}
