//! From the moment a device answers to the moment a subscriber has the value, at 10 000 values/s.

use std::time::Duration;

use linli_tests::devices::floods;
use linli_tests::{Broker, Flood, Gateway, Workspace, now_ms};
use mqtt_v311::{AsyncClient, Event, MqttOptions, Packet, QoS};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use crate::measure::{Row, percentile};

/// Runs the benchmark: 8 lines of 125 registers every 100 ms.
pub async fn run() -> anyhow::Result<Vec<Row>> {
    let workspace = Workspace::new()?;
    let broker = Broker::start(&workspace).await?;
    let flood = Flood::start().await?;
    let config =
        workspace.configure(broker.port, "path = \"../data/linli.db\"", &floods(&flood, 8, "100ms"))?;
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    let options = MqttOptions::new("latency", ("127.0.0.1", broker.port));
    let (client, mut events) = AsyncClient::builder(options).capacity(64).build();
    client.subscribe("linli/1/c/gw/data/#", QoS::AtMostOnce).await?;
    let (begin, end) = (Instant::now() + Duration::from_secs(4), Instant::now() + Duration::from_secs(24));
    let mut latencies = Vec::new();
    while let Ok(event) = timeout_at(end, events.poll()).await {
        let Event::Incoming(Packet::Publish(publish)) = event? else { continue };
        let now = now_ms();
        if Instant::now() < begin {
            continue;
        }
        let payload: Value = serde_json::from_slice(&publish.payload)?;
        // The sample's time is when the gateway had the reply; the device answered just before.
        if let Some(at) = payload["samples"][0]["t"].as_i64() {
            latencies.push((now - at) as f64);
        }
    }
    gateway.stop().await?;
    anyhow::ensure!(latencies.len() > 1000, "only {} messages", latencies.len());
    let (p50, p99) = (percentile(&mut latencies, 0.5), percentile(&mut latencies, 0.99));
    Ok(vec![Row::new(
        "reply → subscriber at 10 000 values/s (a change waits up to one poll before)",
        "p99 ≤ 150 ms",
        format!("p50 {p50:.0} ms, p99 {p99:.0} ms, {} messages", latencies.len()),
    )])
}
