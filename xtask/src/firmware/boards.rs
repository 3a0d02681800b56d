//! The boards: folders below `firmware/boards/`. A board is described in its own `Cargo.toml`,
//! so that a new board touches one folder.

use anyhow::{Context, bail, ensure};
use serde_json::Value;

use super::home;
use linli_wire::board::Board as Number;

/// A board of a node.
pub struct Board {
    /// Its name, also of its package.
    pub name: String,
    /// Its number in images and identities.
    pub number: Number,
    /// Size limits of its programs.
    pub budgets: Vec<Budget>,
}

/// Size limits of a program, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// Name of the program, `boot` or `node`.
    pub program: String,
    /// Code, constants and initialised data.
    pub flash: u64,
    /// Static memory.
    pub ram: u64,
    /// Deepest stack, for programs whose stack the end-to-end tests measure in emulation.
    pub stack: Option<u64>,
}

/// Returns the named boards, or all.
pub fn named(names: &[String]) -> anyhow::Result<Vec<Board>> {
    let all = all()?;
    let known: Vec<&str> = all.iter().map(|board| board.name.as_str()).collect();
    if let Some(wrong) = names.iter().find(|name| !known.contains(&name.as_str())) {
        bail!("没有这种板子 no board {wrong:?}; there are: {}", known.join(", "));
    }
    Ok(all.into_iter().filter(|board| names.is_empty() || names.contains(&board.name)).collect())
}

fn all() -> anyhow::Result<Vec<Board>> {
    let output = std::process::Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .current_dir(home())
        .output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"].as_array().context("cargo names no packages")?;
    packages.iter().filter(|package| package["metadata"]["linli"].is_object()).map(board).collect()
}

fn board(package: &Value) -> anyhow::Result<Board> {
    let name = package["name"].as_str().context("a package without a name")?.to_owned();
    let number = Number::ALL.iter().copied().find(|number| number.as_str() == name);
    let number = number.with_context(|| format!("{name} is not in firmware/wire/src/board.rs"))?;
    let budgets = package["metadata"]["linli"]["budget"].as_object();
    let budgets = budgets.with_context(|| format!("{name}: [package.metadata.linli.budget] is missing"))?;
    let budgets = budgets.iter().map(|(program, limits)| budget(&name, program, limits));
    Ok(Board { number, budgets: budgets.collect::<anyhow::Result<_>>()?, name })
}

fn budget(board: &str, program: &str, limits: &Value) -> anyhow::Result<Budget> {
    let of = |what: &str| {
        limits[what].as_u64().with_context(|| format!("{board}: the budget of {program} says no {what}"))
    };
    Ok(Budget {
        program: program.to_owned(),
        flash: of("flash")?,
        ram: of("ram")?,
        stack: limits["stack"].as_u64(),
    })
}
