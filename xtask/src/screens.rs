//! The screens of the gateway (`dashboards/web`) and of the district (`dashboards/district`): their own checks, their
//! browser tests, their pictures.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, ensure};

use crate::run::{PROFILE, cargo, command};
use crate::{needs, root};

/// Oldest Node that Vite 8 supports.
const OLDEST_NODE: (u32, u32) = (20, 19);

/// Checks types and templates, then runs the unit tests.
pub fn unit() -> anyhow::Result<()> {
    packages()?;
    npm(&["run", "check"], &[])?;
    npm(&["test"], &[])?;
    npm(&["run", "district:check"], &[])?;
    npm(&["run", "district:test"], &[])
}

/// Runs the browser tests against the real binaries.
pub fn browser() -> anyhow::Result<()> {
    let gateway = binary()?;
    let district = gateway.with_file_name("linli-district");
    npm(&["run", "browser"], &[("LINLI_BIN", gateway)])?;
    npm(&["run", "district:browser"], &[("LINLI_DISTRICT_BIN", district)])
}

/// Writes the pictures of the views into `docs/screens`.
pub fn pictures() -> anyhow::Result<()> {
    needs::ensure()?;
    let folder = root().canonicalize()?.join("docs/screens");
    let gateway = binary()?;
    let district = gateway.with_file_name("linli-district");
    npm(&["run", "pictures"], &[("LINLI_BIN", gateway), ("LINLI_SCREENS", folder.clone())])?;
    npm(&["run", "district:pictures"], &[("LINLI_DISTRICT_BIN", district), ("LINLI_SCREENS", folder)])
}

/// Installs the packages of `package-lock.json`, unless they are there. With them the build cannot go on without
/// the screens: it has what they need.
pub fn packages() -> anyhow::Result<()> {
    let node = Command::new("node").arg("--version").output();
    let node = node.context("node is missing: install Node 20.19 or newer with npm")?;
    let version = String::from_utf8_lossy(&node.stdout).into_owned();
    let mut numbers =
        version.trim().trim_start_matches('v').split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    ensure!(found >= OLDEST_NODE, "node {} is too old: install Node 20.19 or newer with npm", version.trim());
    let web = root().join("dashboards/web");
    let modified = |path: &str| std::fs::metadata(web.join(path)).and_then(|known| known.modified()).ok();
    let is_whole = web.join("node_modules/vitest").is_dir();
    if is_whole && modified("node_modules/.package-lock.json") >= modified("package-lock.json") {
        return Ok(());
    }
    npm(&["ci", "--ignore-scripts"], &[])
}

/// Builds the binary under test and returns its path.
fn binary() -> anyhow::Result<PathBuf> {
    packages()?;
    // As the tests are built: `-p linli` alone would choose other features and compile its dependencies again.
    cargo("test", &["--workspace", "--no-run"])?;
    let binary = root().canonicalize()?.join("target").join(PROFILE).join("linli");
    ensure!(binary.is_file(), "{} was not built", binary.display());
    Ok(binary)
}

fn npm(arguments: &[&str], variables: &[(&str, PathBuf)]) -> anyhow::Result<()> {
    let mut npm = Command::new("npm");
    npm.arg("--prefix").arg(root().canonicalize()?.join("dashboards/web")).args(arguments);
    npm.envs(variables.iter().map(|(name, value)| (name, value)));
    command(&mut npm)
}
