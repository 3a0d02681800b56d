//! Optimised builds: what is measured, and what is shipped.

use std::path::PathBuf;

use crate::run::{cargo_process, command};
use crate::{needs, root, sbom, screens};

/// Builds what is shipped: `target/dist/linli`, never without its screens, and its bill of materials; checks the crates
/// against advisories.
pub fn dist() -> anyhow::Result<()> {
    sbom::advisories()?;
    if std::env::var_os("LINLI_WEB_DIST").is_none() {
        screens::packages()?;
    }
    command(cargo_process().args(["build", "--profile", "dist", "--locked", "-p", "linli"]))?;
    command(cargo_process().args(["build", "--profile", "dist", "--locked", "-p", "linli-district"]))?;
    println!("target/dist/linli, target/dist/linli-district");
    sbom::write()?;
    Ok(())
}

/// Runs the benchmarks named, or all, on the `release` binary, or the one that `LINLI_BIN` names.
pub fn bench(names: &[&str]) -> anyhow::Result<()> {
    needs::ensure()?;
    let is_asked = |of: &[&str]| names.is_empty() || names.iter().any(|name| of.contains(name));
    if is_asked(&["claim", "screens", "hour"]) {
        screens::packages()?;
    }
    let binary = match std::env::var_os("LINLI_BIN") {
        Some(binary) => PathBuf::from(binary),
        None => {
            command(cargo_process().args(["build", "--release", "-p", "linli"]))?;
            if is_asked(&["district", "contention", "cluster", "order", "region"]) {
                command(cargo_process().args(["build", "--release", "-p", "linli-district"]))?;
            }
            root().join("target/release/linli")
        }
    };
    command(
        cargo_process()
            .args(["run", "--release", "-p", "linli-tests", "--bin", "bench", "--"])
            .args(names)
            .env("LINLI_BIN", std::path::absolute(binary)?),
    )
}
