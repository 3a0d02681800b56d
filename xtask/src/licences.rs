//! Third-party notices: every crate and package that is part of the binary, with its licence and whose it is. The
//! screens show the list (系统, 第三方声明).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::root;
use crate::run::cargo_process;

/// The committed list.
const LIST: &str = "docs/reference/third-party.json";

/// Packages of npm whose code is in the built screens. The others only build them.
const IN_THE_SCREENS: [&str; 4] = ["clsx", "esm-env", "svelte", "uplot"];

/// Software in another language that a crate builds from its own sources: the crate, name, licence, source.
const BUILT_IN: [(&str, &str, &str, &str); 2] = [
    ("libsqlite3-sys", "SQLite", "blessing", "https://sqlite.org"),
    (
        "libdbus-sys",
        "libdbus",
        "AFL-2.1 OR GPL-2.0-or-later",
        "https://www.freedesktop.org/wiki/Software/dbus",
    ),
];

/// Most lines that say whose a package is, and the longest of them that is kept.
const MOST_LINES: usize = 6;
const LONGEST_LINE: usize = 160;

/// Writes the list.
pub fn write() -> anyhow::Result<()> {
    let found = found(&root())?;
    let mut text = String::from("[\n");
    let rows: Vec<String> = found.iter().map(|one| format!("  {one}")).collect();
    text.push_str(&rows.join(",\n"));
    text.push_str("\n]\n");
    std::fs::write(root().join(LIST), text).with_context(|| format!("{LIST} cannot be written"))?;
    println!("{LIST}: {} components", found.len());
    Ok(())
}

/// Refuses a list that is not that of the present lock files.
pub fn check() -> anyhow::Result<()> {
    let text = std::fs::read_to_string(root().join(LIST)).with_context(|| format!("{LIST} is missing"))?;
    let listed: Vec<Value> = serde_json::from_str(&text).with_context(|| format!("{LIST} is no JSON"))?;
    let (listed, found) = (keys(&listed), keys(&found(&root())?));
    let differing: Vec<&String> = listed.symmetric_difference(&found).collect();
    ensure!(
        differing.is_empty(),
        "{LIST} differs from the lock files in {differing:?}: `cargo xtask licences`"
    );
    Ok(())
}

/// What must agree: the lines of copyright may be missing where a package is not unpacked.
fn keys(list: &[Value]) -> BTreeSet<String> {
    let text = |one: &Value, member: &str| one[member].as_str().unwrap_or_default().to_owned();
    list.iter()
        .map(|one| format!("{} {} {}", text(one, "name"), text(one, "version"), text(one, "licence")))
        .collect()
}

fn found(root: &Path) -> anyhow::Result<Vec<Value>> {
    let output = cargo_process()
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--filter-platform",
            "x86_64-unknown-linux-gnu",
        ])
        .current_dir(root)
        .output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut all = crates(&serde_json::from_slice(&output.stdout)?)?;
    let lock = std::fs::read_to_string(root.join("dashboards/web/package-lock.json"))?;
    all.extend(packages(&serde_json::from_str(&lock)?, &root.join("dashboards/web"))?);
    all.sort_by_key(|one| {
        let name = one["name"].as_str().unwrap_or_default();
        (name.to_lowercase(), one["version"].as_str().unwrap_or_default().to_owned())
    });
    Ok(all)
}

/// The crates that the binary is linked from, and what they build in.
fn crates(metadata: &Value) -> anyhow::Result<Vec<Value>> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let packages: BTreeMap<String, Value> = list(&metadata["packages"])
        .into_iter()
        .map(|one| (one["id"].as_str().unwrap_or_default().to_owned(), one))
        .collect();
    let nodes = list(&metadata["resolve"]["nodes"]);
    let uses: BTreeMap<&str, Vec<&str>> = nodes
        .iter()
        .map(|node| {
            let linked = node["deps"].as_array().into_iter().flatten().filter(|used| is_linked(used));
            let linked = linked.filter_map(|used| used["pkg"].as_str()).collect();
            (node["id"].as_str().unwrap_or_default(), linked)
        })
        .collect();
    let binary =
        packages.iter().find(|(_, one)| one["name"] == "linli").context("there is no crate linli")?;
    let (mut seen, mut next) = (BTreeSet::new(), vec![binary.0.as_str()]);
    while let Some(id) = next.pop() {
        if seen.insert(id) {
            next.extend(uses.get(id).into_iter().flatten());
        }
    }
    let mut all = Vec::new();
    for one in seen.iter().filter_map(|id| packages.get(*id)).filter(|one| !one["source"].is_null()) {
        let text = |member: &str| one[member].as_str().unwrap_or_default().to_owned();
        let name = text("name");
        let folder =
            Path::new(one["manifest_path"].as_str().unwrap_or_default()).parent().map(Path::to_owned);
        let source = one["repository"].as_str().or(one["homepage"].as_str()).unwrap_or_default();
        let copyright = folder.map(|folder| copyright(&folder)).unwrap_or_default();
        ensure!(one["license"].is_string(), "{name} names no licence");
        all.push(row(&name, &text("version"), &text("license"), &copyright, source));
        for (_, built, licence, source) in BUILT_IN.iter().filter(|(by, ..)| *by == name) {
            all.push(row(built, &format!("{name} {}", text("version")), licence, &[], source));
        }
    }
    Ok(all)
}

/// Whether a dependency ends in the binary: not one of build scripts and tests.
fn is_linked(used: &Value) -> bool {
    used["dep_kinds"].as_array().into_iter().flatten().any(|kind| kind["kind"].is_null())
}

fn packages(lock: &Value, web: &Path) -> anyhow::Result<Vec<Value>> {
    let of = |name: &&str| {
        let one = &lock["packages"][format!("node_modules/{name}")];
        let text = |member: &str| one[member].as_str().with_context(|| format!("{name} has no {member}"));
        let copyright = copyright(&web.join("node_modules").join(name));
        let source = format!("npm:{name}");
        Ok(row(name, text("version")?, text("license")?, &copyright, &source))
    };
    IN_THE_SCREENS.iter().map(of).collect()
}

fn row(name: &str, version: &str, licence: &str, copyright: &[String], source: &str) -> Value {
    json!({"name": name, "version": version, "licence": licence, "copyright": copyright, "source": source})
}

/// The lines of the licence files that say whose it is.
fn copyright(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    let is_licence = |path: &Path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_uppercase();
        ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE"].iter().any(|word| name.starts_with(word))
    };
    let mut lines = Vec::new();
    for text in
        files.iter().filter(|path| is_licence(path)).filter_map(|path| std::fs::read_to_string(path).ok())
    {
        for line in text.lines().map(str::trim).filter(|line| is_claim(line)) {
            let line: String = line.chars().take(LONGEST_LINE).collect();
            if !lines.contains(&line) && lines.len() < MOST_LINES {
                lines.push(line);
            }
        }
    }
    lines
}

/// Whether a line says whose something is, not what a licence says about such lines.
fn is_claim(line: &str) -> bool {
    let lower = line.to_lowercase();
    let begins = lower.starts_with("copyright (c)") || lower.starts_with("copyright ©") || {
        lower.strip_prefix("copyright ").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    begins && !lower.contains("[yyyy]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_linked_is_listed() {
        let package = |name: &str, source: Value| json!({"id": name, "name": name, "version": "1.0.0", "license": "MIT", "source": source, "manifest_path": "/none/Cargo.toml"});
        let used = |name: &str, kind: Value| json!({"pkg": name, "dep_kinds": [{"kind": kind}]});
        let metadata = json!({
            "packages": [
                package("linli", Value::Null), package("ring", json!("registry")), package("cc", json!("registry")),
                package("libsqlite3-sys", json!("registry")), package("elsewhere", json!("registry")),
            ],
            "resolve": {"nodes": [
                {"id": "linli", "deps": [used("ring", Value::Null), used("cc", json!("build"))]},
                {"id": "ring", "deps": [used("libsqlite3-sys", Value::Null)]},
            ]},
        });
        let names: Vec<String> = keys(&crates(&metadata).unwrap()).into_iter().collect();
        assert_eq!(
            names,
            ["SQLite libsqlite3-sys 1.0.0 blessing", "libsqlite3-sys 1.0.0 MIT", "ring 1.0.0 MIT"]
        );
    }

    #[test]
    fn a_line_of_a_licence_is_told_from_a_claim() {
        assert!(is_claim("Copyright (c) 2019 The Authors") && is_claim("Copyright 2015-2024 Brian Smith."));
        assert!(!is_claim("copyright notice that is included in or attached to the work"));
        assert!(!is_claim("Copyright [yyyy] [name of copyright owner]"));
        assert!(!is_claim("Copyright (c) [yyyy] [name]"));
    }
}
