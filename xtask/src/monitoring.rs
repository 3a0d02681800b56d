//! Rules and dashboards (`dashboards/prometheus`, `dashboards/grafana`): made by code, parsed by promtool, and every
//! metric in them is one that the gateway has.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use crate::run::command;
use crate::{needs, root};

/// Where every expression is written as a recording rule, for promtool.
const EXPRESSIONS: &str = "target/prometheus/expressions.yml";

/// Checks the committed dashboards, the rules, their tests and the examples.
pub fn stage() -> anyhow::Result<()> {
    let promtool = needs::prometheus()?.join("promtool");
    needs::python()?;
    command(python().args(["dashboards/grafana/make.py", "--check"]))?;
    command(python().args(["dashboards/check_test.py", "-q"]))?;
    command(python().args(["dashboards/check.py", EXPRESSIONS]))?;
    let prometheus = Path::new("dashboards/prometheus");
    let run =
        |arguments: &[&str], files: &[PathBuf]| command(Command::new(&promtool).args(arguments).args(files));
    run(&["check", "config"], &[prometheus.join("prometheus.yml")])?;
    run(&["check", "rules"], &[EXPRESSIONS.into()])?;
    run(&["test", "rules"], &yaml_files(&prometheus.join("tests"))?)
}

/// Writes the dashboards into `dashboards/grafana/dashboards`.
pub fn make() -> anyhow::Result<()> {
    needs::python()?;
    command(python().arg("dashboards/grafana/make.py"))
}

/// The interpreter that has the packages. It leaves no compiled files beside the source.
fn python() -> Command {
    let mut python = Command::new(needs::from_venv("python"));
    python.env("PYTHONDONTWRITEBYTECODE", "1");
    python
}

/// The YAML files of a folder, relative to the root; there is one at least.
fn yaml_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(root().join(folder));
    let entries = entries.with_context(|| format!("{} cannot be read", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| folder.join(entry.file_name())).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "yml"));
    ensure!(!files.is_empty(), "{} has no *.yml", folder.display());
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_tests_is_no_success() {
        assert!(!yaml_files(Path::new("dashboards/prometheus/tests")).expect("the tests").is_empty());
        assert!(yaml_files(Path::new("dashboards/prometheus")).is_ok());
        assert!(yaml_files(Path::new("docs")).unwrap_err().to_string().contains("no *.yml"));
        assert!(yaml_files(Path::new("nothing")).unwrap_err().to_string().contains("nothing"));
    }
}
