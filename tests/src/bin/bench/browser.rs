//! A real browser, driven by a script of `dashboards/web/tests/bench`.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, ensure};
use serde_json::Value;

/// Runs a script; it prints one line of JSON.
pub async fn run(script: &str, arguments: &[String]) -> anyhow::Result<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dashboards/web");
    let child = tokio::process::Command::new("node")
        .current_dir(folder)
        .arg(format!("tests/bench/{script}.mjs"))
        .args(arguments)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("node is missing")?;
    let output = child.wait_with_output().await?;
    ensure!(output.status.success(), "the browser has failed");
    Ok(serde_json::from_slice(&output.stdout)?)
}
