//! Words that GLOSSARY.md does not have, and the ones to use instead. A reader who knows Modbus, ISA-18.2
//! and Rust must not have to learn a private language.

// tidy: table

use super::{File, text};

/// A word that no public type may have as its head: its last word, as in `AlarmDesk`.
struct Name {
    /// The refused word.
    word: &'static str,
    /// What to use instead.
    better: &'static str,
    /// Applies only to files whose path contains this text; empty for all.
    within: &'static str,
}

const fn name(word: &'static str, better: &'static str) -> Name {
    Name { word, better, within: "" }
}

const fn name_in(within: &'static str, word: &'static str, better: &'static str) -> Name {
    Name { word, better, within }
}

/// The refused words. A word stands before those that it ends in.
const NAMES: [Name; 32] = [
    name("LinePlan", "CheckedLine"),
    name("Desk", "Service"),
    name("Door", "Client"),
    name("House", "AppState"),
    name("Hands", "HumanTask (people) or Actuator (devices)"),
    name("Told", "PointResult, VitalMeasurement, or what it is"),
    name("Teller", "Publisher"),
    name("Book", "Documents"),
    name("Known", "CheckedPlan, or what is known"),
    name("Keeper", "CheckpointSigner"),
    name("Law", "SafetyRule"),
    name("Atom", "Predicate"),
    name("Brief", "ResolvedPlan"),
    name("Tie", "PlanResolver"),
    name("Doing", "Action"),
    name("Turn", "ActionPhase"),
    name("Astray", "ReplayMismatch"),
    name("Refusal", "ServiceError, or the error of what failed"),
    name("Attendant", "MaintenanceHandle"),
    name("Upkeep", "RegisterRequest"),
    name("Paces", "PollOverrides"),
    name("Owed", "PendingAudit"),
    name("Deeds", "Operations"),
    name("Strangers", "UnknownFiles"),
    name("Trouble", "the error of what failed"),
    // Words that are correct elsewhere: a job of a printer, `Parts` of a split peripheral, a line of a bus.
    name_in("gateway/", "Parts", "Deps"),
    name_in("gateway/mode/src/", "Job", "ResolvedStep"),
    name_in("gateway/store/", "Page", "Document"),
    name_in("gateway/mode/src/order/", "Ledger", "ReplayGuard"),
    name_in("gateway/mode/src/facility", "From", "ReadSource"),
    name_in("/record.rs", "Line", "AuditEntry"),
    name_in("/cli/", "Site", "ConfigDir"),
];

/// Public types that are still accepted. A name that no type has any more is refused.
const ACCEPTED: [&str; 0] = [];

/// Checks every Rust file.
pub fn check(files: &[File]) -> Vec<String> {
    check_except(files, &ACCEPTED)
}

fn check_except(files: &[File], accepted: &[&str]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut used = Vec::new();
    for file in files.iter().filter(|file| text::is_rust(file)) {
        let path = file.path.to_string_lossy();
        for (number, line) in text::before_tests(&file.text).lines().enumerate() {
            let Some(kind) = public_type(line) else { continue };
            let wrong = NAMES.iter().find(|name| path.contains(name.within) && has_head(kind, name.word));
            match wrong {
                Some(_) if accepted.contains(&kind) => used.push(kind.to_owned()),
                Some(Name { word, better, .. }) => problems
                    .push(format!("{path}:{}: {kind}: not {word} but {better} (GLOSSARY.md)", number + 1)),
                None => {}
            }
        }
    }
    let unused = accepted.iter().filter(|name| !used.iter().any(|used| used == *name));
    problems.extend(unused.map(|name| {
        format!("xtask/src/tidy/names.rs: no public type is named {name} any more; strike it from ACCEPTED")
    }));
    problems
}

/// Returns the name of the type that a line declares as `pub`, with any visibility.
fn public_type(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("pub")?;
    let rest = match rest.strip_prefix('(') {
        Some(inner) => inner.split_once(')')?.1,
        None => rest,
    };
    let (kind, rest) = rest.trim_start().split_once(' ')?;
    if !matches!(kind, "struct" | "enum" | "trait" | "type" | "union") {
        return None;
    }
    rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

/// Whether a name in CamelCase ends in the word.
fn has_head(name: &str, word: &str) -> bool {
    name.ends_with(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(path: &str, text: &str, accepted: &[&str]) -> Vec<String> {
        check_except(&[File { path: path.into(), text: text.to_owned(), is_test: false }], accepted)
    }

    #[test]
    fn a_word_of_the_table_is_refused_with_a_better_one() {
        let found = problems("gateway/app/src/a.rs", "//! Why.\npub struct AlarmDesk {\n", &[]);
        assert_eq!(found, ["gateway/app/src/a.rs:2: AlarmDesk: not Desk but Service (GLOSSARY.md)"]);
        for line in [
            "pub(crate) type Told = u8;",
            "pub(super) enum Turn {",
            "    pub trait LinePlan: Send {",
            "pub struct Tie<'t> {",
        ] {
            assert_eq!(problems("a.rs", line, &[]).len(), 1, "{line}");
        }
        assert!(problems("a.rs", "pub trait LinePlan {}", &[])[0].contains("CheckedLine"));
    }

    #[test]
    fn the_glossary_has_the_better_words() {
        let glossary = include_str!("../../../GLOSSARY.md").to_lowercase().replace('_', "");
        for Name { word, better, .. } in &NAMES {
            let words = better.split(|c: char| !c.is_alphanumeric());
            for better in words.filter(|word| word.chars().next().is_some_and(char::is_uppercase)) {
                assert!(
                    glossary.contains(&better.to_lowercase()),
                    "{better}, for {word}, is not in GLOSSARY.md"
                );
            }
        }
    }

    #[test]
    fn other_words_places_and_private_types_pass() {
        let fine = [
            ("a.rs", "struct Desk;"),
            ("a.rs", "pub fn desk() {}"),
            ("a.rs", "pub struct Desktop;"),
            ("a.rs", "pub struct Return;"),
            ("a.rs", "pub struct Notebook;"),
            ("a.rs", "// pub struct Desk;"),
            ("gateway/drivers/src/modbus/schedule.rs", "pub struct Job {"),
            ("firmware/node/src/board.rs", "pub struct Parts<B> {"),
            ("a.rs", "fn a() {}\n#[cfg(test)]\nmod tests {\n pub struct Desk;\n}"),
        ];
        for (path, line) in fine {
            assert_eq!(problems(path, line, &[]), Vec::<String>::new(), "{line}");
        }
        assert_eq!(problems("gateway/mode/src/brief.rs", "pub struct Job {", &[]).len(), 1);
    }

    #[test]
    fn what_is_accepted_goes_when_its_type_goes() {
        assert_eq!(problems("a.rs", "pub struct Desk;", &["Desk"]), Vec::<String>::new());
        assert!(problems("a.rs", "pub struct Service;", &["Desk"])[0].contains("strike it"));
    }
}
