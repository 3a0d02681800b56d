//! Golden sessions: what every verb says about itself, and the commonest mistakes with their answers and
//! exit codes. After a deliberate change of words: `TRYCMD=overwrite cargo test -p linli --test cli`,
//! then read the difference.

use std::path::Path;
use std::process::Command;

const BINARY: &str = env!("CARGO_BIN_EXE_linli");

#[test]
fn help_is_as_recorded() {
    // Help shows what the variable holds: nothing, whoever runs the tests.
    sessions().env("LINLI_CONFIG", "").case("tests/cli/help/*.trycmd");
}

#[test]
fn mistakes_are_answered_as_recorded() {
    sessions().env("LINLI_CONFIG", "/etc/linli").case("tests/cli/*.trycmd");
}

fn sessions() -> trycmd::TestCases {
    let sessions = trycmd::TestCases::new();
    sessions.register_bin("linli", Path::new(BINARY));
    sessions
}

#[test]
fn every_verb_has_a_session() {
    let help = Command::new(BINARY).arg("--help").output().expect("the binary runs");
    let help = String::from_utf8(help.stdout).expect("text");
    let verbs =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let verbs: Vec<&str> = verbs
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|v| !v.is_empty())
        .collect();
    assert!(verbs.contains(&"run") && verbs.contains(&"doctor"), "{help}");
    for verb in verbs.into_iter().filter(|verb| *verb != "help") {
        let session = Path::new("tests/cli/help").join(verb).with_extension("trycmd");
        assert!(session.is_file(), "{} is missing: write `$ linli {verb} --help`", session.display());
    }
}
