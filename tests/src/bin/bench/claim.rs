//! From the touch that gives a reading to a visit to the tile that shows it, in a real browser.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use linli_tests::log_in::EVERY_ROLE;
use linli_tests::{Gateway, Hl7Monitor, Workspace};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::measure::Row;
use crate::register::configured;

/// Readings that are claimed.
const CLAIMS: usize = 60;

/// Longest run of the browser.
const PATIENCE: Duration = Duration::from_secs(300);

/// Runs the benchmark.
pub async fn run() -> anyhow::Result<Vec<Row>> {
    let workspace = Workspace::new()?;
    let monitor = Hl7Monitor::new()?;
    let config = configured(&workspace, &monitor.device(Some("cabin")))?;
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    monitor.listening().await?;
    let web = gateway.web().await?;
    let cookie = gateway.log_in_at(&web, "zhao", &EVERY_ROLE)?;
    let visit = json!({
        "by": "card", "room": "cabin", "consent": "2026-1", "identity": {"name": "张小明", "card": "SZ00004821"},
    });
    let (status, opened) = gateway.ask("POST", "/api/v1/visits", &visit)?;
    ensure!(status == 201, "{status} {opened}");
    let seen = timeout(PATIENCE, browser(&web, &cookie, monitor.port)).await;
    let seen = seen.context("the browser takes too long")??;
    gateway.stop().await?;
    let number = |key: &str| seen[key].as_f64().unwrap_or(f64::NAN);
    Ok(vec![Row::new(
        format!("touch on 归本次 → the tile shows the value, sealed and durable: p50, p99 of {CLAIMS}"),
        "< 300 ms",
        format!("{:.0} and {:.0} ms", number("p50"), number("p99")),
    )])
}

/// Runs the browser; it prints one line of JSON.
async fn browser(web: &str, cookie: &str, monitor: u16) -> anyhow::Result<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dashboards/web");
    let child = tokio::process::Command::new("node")
        .current_dir(folder)
        .arg("tests/bench/claim.mjs")
        .args([format!("http://{web}"), cookie.to_owned(), monitor.to_string(), CLAIMS.to_string()])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("node is missing")?;
    let output = child.wait_with_output().await?;
    ensure!(output.status.success(), "the browser has failed");
    Ok(serde_json::from_slice(&output.stdout)?)
}
