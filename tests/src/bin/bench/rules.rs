//! What 10 000 points under rules cost beside reading, storing and delivering them.

use std::fmt::Write;
use std::time::Duration;

use linli_tests::devices::floods;
use linli_tests::{Broker, Flood, Gateway, Workspace};
use serde_json::Value;
use tokio::time::sleep;

use crate::measure::{Row, Use};

/// 80 devices of 125 points.
const DEVICES: usize = 80;
const POINTS: usize = 125;
const SETTLE: Duration = Duration::from_secs(10);
const MEASURE: Duration = Duration::from_secs(30);

/// Runs the benchmark.
pub async fn run() -> anyhow::Result<Vec<Row>> {
    // Twice each, in turn: a machine's mood shall not decide.
    let mut cost = [0.0; 2];
    for round in 0..4 {
        cost[round % 2] += per_value(round % 2 == 1).await? / 2.0;
    }
    let [without, with] = cost;
    let added = with - without;
    let row = Row::new(
        "10 000 points under rules, added CPU per value",
        "< 10 % of acquisition",
        format!("{:.0} ns", added * 1e9),
    );
    Ok(vec![row.against(format!("{:.0} ns to read, store and deliver it", without * 1e9), added / without)])
}

/// CPU seconds per value.
async fn per_value(is_ruled: bool) -> anyhow::Result<f64> {
    let workspace = Workspace::new()?;
    let broker = Broker::start(&workspace).await?;
    let _subscriber = broker.subscribe(&workspace).await?;
    let flood = Flood::start().await?;
    let store = "path = \"../data/linli.db\"\nmax_bytes = \"1GiB\"";
    let config = workspace.configure(broker.port, store, &floods(&flood, DEVICES, "100ms"))?;
    std::fs::write(config.join("alarms.toml"), rules(is_ruled))?;
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    sleep(SETTLE).await;
    let values = |gateway: &Gateway| -> anyhow::Result<f64> {
        let status: Value = serde_json::from_str(&gateway.get("/api/v1/status")?)?;
        Ok(status["values_reported"].as_f64().unwrap_or_default())
    };
    let (before, used) = (values(&gateway)?, Use::of(gateway.pid())?);
    sleep(MEASURE).await;
    let (seconds, cores) = used.so_far()?;
    let rate = (values(&gateway)? - before) / seconds;
    let metrics = gateway.get("/metrics")?;
    let dropped = metrics.lines().find_map(|line| line.strip_prefix("linli_alarm_batches_dropped_total "));
    anyhow::ensure!(dropped == Some("0"), "batches were not looked at: {dropped:?}");
    gateway.stop().await?;
    anyhow::ensure!(rate > 90_000.0, "only {rate:.0} values a second");
    Ok(cores / rate)
}

fn rules(is_ruled: bool) -> String {
    let mut text = String::from("defaults = false\n");
    for device in (0..DEVICES).filter(|_| is_ruled) {
        for point in 1..=POINTS {
            let _ = write!(
                text,
                "\n[[alarm]]\nid = \"a{device}-{point}\"\ndevice = \"d{device}\"\npoint = \"word-{point}\"\n\
                 when = \"high\"\nlimit = 70000\ndeadband = 10\non_delay = \"30s\"\n"
            );
        }
    }
    text
}
