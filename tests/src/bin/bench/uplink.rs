//! A backlog delivered to mosquitto, beside a bare client publishing as many as large messages.

use std::time::Duration;

use anyhow::Context;
use linli_tests::devices::floods;
use linli_tests::{Broker, Flood, Gateway, Workspace};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::measure::{Row, Use};

const MESSAGES: u64 = 40_000;

/// Runs the benchmark.
pub async fn run() -> anyhow::Result<Vec<Row>> {
    let workspace = Workspace::new()?;
    let mut broker = Broker::start(&workspace).await?;
    // What nobody subscribes to is not taken.
    let _subscriber = broker.subscribe(&workspace).await?;
    broker.end().await?;
    let flood = Flood::start().await?;
    let config =
        workspace.configure(broker.port, "path = \"../data/linli.db\"", &floods(&flood, 16, "20ms"))?;
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    let waiting = |status: &Value| status["store"]["rows"][1].as_u64().unwrap_or_default();
    gateway.until("a backlog", Duration::from_secs(120), |s| waiting(s) >= MESSAGES).await?;
    gateway.stop().await?;
    // No device answers any more: only the backlog is delivered.
    drop(flood);
    broker.begin().await?;
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    let used = Use::of(gateway.pid())?;
    gateway.until("it is connected", Duration::from_secs(30), |s| s["uplink"]["connected"] == true).await?;
    let read = |gateway: &Gateway| -> anyhow::Result<(u64, f64, f64)> {
        let status: Value = serde_json::from_str(&gateway.get("/api/v1/status")?)?;
        let number = |key: &str| status["uplink"][key].as_f64().unwrap_or_default();
        Ok((waiting(&status), number("acknowledged"), number("bytes")))
    };
    let (began, begin) = (Instant::now(), read(&gateway)?);
    loop {
        sleep(Duration::from_millis(50)).await;
        if read(&gateway)?.0 < 2000 {
            break;
        }
    }
    let (seconds, end) = (began.elapsed().as_secs_f64(), read(&gateway)?);
    let (_, cores) = used.so_far()?;
    gateway.stop().await?;
    let (messages, bytes) = (end.1 - begin.1, (end.2 - begin.2) / (end.1 - begin.1));
    let rate = messages / seconds;

    let arguments =
        ["bare-mqtt", &broker.port.to_string(), &format!("{messages:.0}"), &format!("{bytes:.0}")];
    let output = tokio::process::Command::new(std::env::current_exe()?).args(arguments).output().await?;
    let reported = String::from_utf8_lossy(&output.stdout).into_owned();
    let bare_seconds: f64 = reported.trim().parse().context("the bare client failed")?;
    let bare_rate = messages / bare_seconds;
    Ok(vec![
        Row::new(
            format!("backlog, messages/s of {bytes:.0} bytes acknowledged by mosquitto"),
            "",
            format!("{rate:.0} ({:.0} values/s, {cores:.2} cores)", rate * 125.0),
        )
        .against(format!("bare client, same size and window: {bare_rate:.0}"), rate / bare_rate),
    ])
}
