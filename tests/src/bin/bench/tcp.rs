//! 16 Modbus TCP lines of 125 registers every 20 ms: 100 000 values a second.

use std::time::Duration;

use linli_tests::devices::floods;
use linli_tests::{Broker, Flood, Gateway, Workspace};
use serde_json::Value;
use tokio::time::sleep;

use crate::bare;
use crate::measure::{Row, Use, resident};

const LINES: usize = 16;
const SETTLE: Duration = Duration::from_secs(5);
const MEASURE: Duration = Duration::from_secs(20);

/// Runs the benchmark.
pub async fn run() -> anyhow::Result<Vec<Row>> {
    let workspace = Workspace::new()?;
    let broker = Broker::start(&workspace).await?;
    let subscriber = broker.subscribe(&workspace).await?;
    let flood = Flood::start().await?;

    let arguments = ["bare-tcp", &flood.address.to_string(), &LINES.to_string(), "20"].map(str::to_owned);
    let mut client = bare::spawn(&arguments)?;
    sleep(SETTLE).await;
    let bare_use = Use::of(client.id().unwrap_or_default())?;
    let before = flood.asked();
    sleep(MEASURE).await;
    let (seconds, bare_cores) = bare_use.so_far()?;
    let bare_rate = (flood.asked() - before) as f64 * 125.0 / seconds;
    client.kill().await?;

    let store = "path = \"../data/linli.db\"\nmax_bytes = \"1GiB\"";
    let config = workspace.configure(broker.port, store, &floods(&flood, LINES, "20ms"))?;
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    sleep(SETTLE).await;
    let counts = |gateway: &Gateway| -> anyhow::Result<(f64, f64)> {
        let status: Value = serde_json::from_str(&gateway.get("/api/v1/status")?)?;
        let number = |v: &Value| v.as_f64().unwrap_or_default();
        Ok((number(&status["values_reported"]), number(&status["uplink"]["acknowledged"]) * 125.0))
    };
    let (pid, begin) = (gateway.pid(), counts(&gateway)?);
    let used = Use::of(pid)?;
    sleep(MEASURE).await;
    let ((seconds, cores), end) = (used.so_far()?, counts(&gateway)?);
    let (accepted, delivered) = ((end.0 - begin.0) / seconds, (end.1 - begin.1) / seconds);
    let (_, most) = resident(pid)?;
    gateway.stop().await?;
    let heard = subscriber.received()?.iter().filter(|m| m.topic.contains("/data/")).count();
    anyhow::ensure!(heard > 0, "the subscriber heard nothing");
    Ok(vec![
        Row::new(
            "Modbus TCP, values/s stored and delivered",
            "100 000",
            format!("{accepted:.0} stored, {delivered:.0} acknowledged"),
        )
        .against(format!("bare tokio-modbus loop, thrown away: {bare_rate:.0}"), delivered / bare_rate),
        Row::new("CPU for it", "2 cores", format!("{cores:.2} cores"))
            .against(format!("{bare_cores:.2} cores for reading alone"), cores / bare_cores),
        Row::new("resident memory for it, highest", "< 60 MB", format!("{most:.1} MB")),
    ])
}
