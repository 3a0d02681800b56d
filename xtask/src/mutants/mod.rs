//! Wrong decisions, put into a copy of the sources one at a time: the tests must notice each.
//!
//! The rows of `xtask/mutants/*.toml` say what is changed. A change that the tests do not notice survives:
//! either a test is missing, or the row says with a proof that nothing can notice it.

mod suites;
mod table;
mod tree;

use std::path::Path;

use anyhow::{bail, ensure};

use crate::root;
use suites::Outcome;
use table::Mutant;
use tree::Tree;

const HELP: &str = "usage: cargo xtask mutants [--list] [--only NAME]… [--file PART] [--deep]
  --list       show the rows of xtask/mutants
  --only NAME  try this row; can be given several times
  --file PART  try the rows of the files whose path contains PART
  --deep       survivors also face the model check, which takes minutes each";

/// Which rows are tried, and how.
#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    is_list: bool,
    /// Whether survivors also face the model check, which takes minutes each.
    is_deep: bool,
    /// Names of rows; none is all of them.
    only: Vec<String>,
    /// Part of a path.
    file: Option<String>,
}

/// What became of the rows.
#[derive(Debug, Default)]
struct Tally {
    killed: usize,
    timed_out: usize,
    equivalent: usize,
    survived: Vec<String>,
    unbuildable: Vec<String>,
}

/// Runs the harness; `None` when the arguments are not understood.
pub fn run(words: &[&str]) -> Option<anyhow::Result<()>> {
    let options = Options::read(words);
    if options.is_none() {
        eprintln!("{HELP}");
    }
    Some(try_all(&root(), &options?))
}

fn try_all(root: &Path, options: &Options) -> anyhow::Result<()> {
    let all = table::read(root)?;
    let chosen: Vec<&Mutant> = all.iter().filter(|mutant| options.has(mutant)).collect();
    ensure!(!chosen.is_empty(), "no row of xtask/mutants is meant; `cargo xtask mutants --list` shows them");
    if options.is_list {
        chosen.iter().for_each(|mutant| println!("{:9} {:60} {}", mutant.kind, mutant.name, mutant.file));
        println!("{} rows", chosen.len());
        return Ok(());
    }
    let tree = Tree::of(root)?;
    for package in suites::packages(&chosen) {
        println!("{package} without any change");
        match suites::outcome(&tree, package, options.is_deep)? {
            Outcome::Survived => {}
            other => bail!("the tests of {package} must pass before a change is tried: {other}"),
        }
    }
    let mut tally = Tally::default();
    for (number, mutant) in chosen.iter().enumerate() {
        let progress = format!("[{:3}/{}] {}", number + 1, chosen.len(), mutant.name);
        if let Some(proof) = &mutant.equivalent {
            tally.equivalent += 1;
            println!("{progress}: not tried: {proof}");
            continue;
        }
        tree.write(&mutant.file, &mutant.changed)?;
        let outcome = suites::outcome(&tree, suites::package(&mutant.file)?, options.is_deep);
        tree.write(&mutant.file, &mutant.original)?;
        let outcome = outcome?;
        println!("{progress}: {outcome}");
        tally.count(mutant, &outcome);
    }
    tally.verdict(chosen.len())
}

// === impl Options ===

impl Options {
    fn read(words: &[&str]) -> Option<Self> {
        let mut options = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--list" => options.is_list = true,
                "--deep" => options.is_deep = true,
                "--only" => options.only.push((*words.next()?).to_owned()),
                "--file" => options.file = Some((*words.next()?).to_owned()),
                _ => return None,
            }
        }
        Some(options)
    }

    fn has(&self, mutant: &Mutant) -> bool {
        (self.only.is_empty() || self.only.contains(&mutant.name))
            && self.file.as_ref().is_none_or(|part| mutant.file.contains(part.as_str()))
    }
}

// === impl Tally ===

impl Tally {
    fn count(&mut self, mutant: &Mutant, outcome: &Outcome) {
        match outcome {
            Outcome::Killed { .. } => self.killed += 1,
            Outcome::TimedOut { .. } => self.timed_out += 1,
            Outcome::Survived => self.survived.push(format!("{} ({})", mutant.name, mutant.file)),
            Outcome::Unbuildable { .. } => self.unbuildable.push(mutant.name.clone()),
        }
    }

    fn verdict(self, all: usize) -> anyhow::Result<()> {
        let Self { killed, timed_out, equivalent, survived, unbuildable } = self;
        println!(
            "\n{killed} of {all} killed, {timed_out} by running out of time, {equivalent} equivalent, {} survived",
            survived.len()
        );
        ensure!(unbuildable.is_empty(), "rows that do not compile: {}", unbuildable.join(", "));
        ensure!(survived.is_empty(), "no test notices:\n  {}", survived.join("\n  "));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_choose_rows() {
        assert_eq!(Options::read(&[]), Some(Options::default()));
        let one = Options::read(&["--only", "a", "--file", "hold", "--deep", "--list"]).expect("options");
        assert_eq!((one.only, one.file.as_deref()), (vec!["a".to_owned()], Some("hold")));
        assert!(one.is_deep && one.is_list);
        assert_eq!(Options::read(&["--only"]), None);
        assert_eq!(Options::read(&["a"]), None);
    }

    #[test]
    fn a_survivor_fails_the_run_and_is_named() {
        let survived = vec!["a (b.rs)".to_owned()];
        let told = Tally { survived, ..Tally::default() }.verdict(1).expect_err("a survivor").to_string();
        assert!(told.contains("a (b.rs)"), "{told}");
        assert!(Tally { timed_out: 1, killed: 2, ..Tally::default() }.verdict(3).is_ok());
        assert!(Tally { unbuildable: vec!["c".to_owned()], ..Tally::default() }.verdict(1).is_err());
    }
}
