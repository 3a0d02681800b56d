//! From the touch that gives a reading to a visit to the tile that shows it, in a real browser.

use std::time::Duration;

use anyhow::{Context, ensure};
use linli_tests::log_in::EVERY_ROLE;
use linli_tests::{Gateway, Hl7Monitor, Workspace};
use serde_json::json;
use tokio::time::timeout;

use crate::browser;
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
    let words = [format!("http://{web}"), cookie, monitor.port.to_string(), CLAIMS.to_string()];
    let seen = timeout(PATIENCE, browser::run("claim", &words)).await;
    let seen = seen.context("the browser takes too long")??;
    gateway.stop().await?;
    let number = |key: &str| seen[key].as_f64().unwrap_or(f64::NAN);
    Ok(vec![Row::new(
        format!("touch on 归本次 → the tile shows the value, sealed and durable: p50, p99 of {CLAIMS}"),
        "< 300 ms",
        format!("{:.0} and {:.0} ms", number("p50"), number("p99")),
    )])
}
