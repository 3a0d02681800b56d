//! All automation: what CI does, anybody can run with the same commands.
//!
//! ```text
//! cargo xtask check | tidy                   format, layout, spelling, lints: before each commit; layout alone
//! cargo xtask test [--only STAGE] [--list]   everything, or one stage
//! cargo xtask e2e FILE [FILTER]               the end-to-end tests of one file
//! cargo xtask attack | torture district      attacks on the listeners; kills, cuts, full disks: with their figures
//! cargo xtask mutants [--file PART]          whether the tests notice wrong decisions, made one at a time
//! cargo xtask fuzz [TARGET SECONDS]          fuzz targets, all for a moment or one for long
//! cargo xtask screens | dashboards | licences  docs/screens; dashboards/grafana; docs/reference/third-party.json
//! cargo xtask firmware build|sign|…          firmware of nodes: `cargo xtask firmware help`
//! cargo xtask dist | bench                   what is shipped, with its bill of materials; performance as ratios
//! ```

mod firmware;
mod fuzz;
mod licences;
mod monitoring;
mod mutants;
mod needs;
mod release;
mod run;
mod sbom;
mod screens;
mod service;
mod stages;
mod suites;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "usage: cargo xtask check | test [--only STAGE] [--list] | e2e FILE [FILTER] | tidy | mutants [--list] [--only NAME]… [--file PART] [--deep] | \
     fuzz [TARGET SECONDS] | attack | torture district [--kills N] [--seed S] | screens | dashboards | licences | dist | firmware build|sign|keygen|size|test | bench [NAME…]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["check"] => stages::check(),
        ["test"] => stages::run(None),
        ["test", "--only", stage] => stages::run(Some(stage)),
        ["test", "--list"] => stages::list(),
        ["e2e", name, filter @ ..] => suites::one(name, filter),
        ["tidy"] => tidy::run(&root()),
        ["mutants", rest @ ..] => match mutants::run(rest) {
            Some(done) => done,
            None => return ExitCode::from(2),
        },
        ["fuzz", target, seconds] => fuzz::one(target, seconds),
        ["fuzz"] => fuzz::moment(),
        ["firmware", rest @ ..] => match firmware::run(rest) {
            Some(done) => done,
            None => return ExitCode::from(2),
        },
        ["attack"] => suites::attack(),
        ["torture", rest @ ..] => suites::torture(rest),
        ["screens"] => screens::pictures(),
        ["dashboards"] => monitoring::make(),
        ["licences"] => licences::write(),
        ["dist"] => release::dist(),
        ["bench", rest @ ..] => release::bench(rest),
        _ => {
            eprintln!("{HELP}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
