//! Commands over MQTT while 10 000 values/s flow.

use std::time::Duration;

use anyhow::Context;
use linli_tests::devices::{counter_on, floods};
use linli_tests::{Broker, Flood, Gateway, Workspace, now_ms};
use mqtt_v311::{AsyncClient, Event, MqttOptions, Packet, PublishOptions, QoS};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

use crate::measure::{Row, percentile};

const COMMANDS: usize = 120;
/// An output accepts one command in 500 ms; the rest moves the command against the polls.
const BETWEEN: Duration = Duration::from_millis(523);

/// Runs the benchmark.
pub async fn run() -> anyhow::Result<Vec<Row>> {
    let workspace = Workspace::new()?;
    let broker = Broker::start(&workspace).await?;
    let flood = Flood::start().await?;
    let medium = format!("kind = \"modbus_tcp\"\nendpoint = \"{}\"", flood.address);
    let devices = floods(&flood, 8, "100ms") + &counter_on("lc", "relay", &medium, "100ms");
    let config = workspace.configure(broker.port, "path = \"../data/linli.db\"", &devices)?;
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    gateway.until("it is connected", Duration::from_secs(20), |s| s["uplink"]["connected"] == true).await?;
    let options = MqttOptions::new("commands", ("127.0.0.1", broker.port));
    let (client, mut events) = AsyncClient::builder(options).capacity(64).build();
    client.subscribe("linli/1/c/gw/cmd/relay/result", QoS::AtLeastOnce).await?;
    let (answered, mut answers) = tokio::sync::mpsc::channel(16);
    let listening = tokio::spawn(async move {
        while let Ok(event) = events.poll().await {
            if let Event::Incoming(Packet::Publish(publish)) = event
                && answered.send((Instant::now(), publish.payload)).await.is_err()
            {
                return;
            }
        }
    });
    sleep(Duration::from_secs(3)).await;
    let (mut to_wire, mut to_answer) = (Vec::new(), Vec::new());
    for number in 0..COMMANDS {
        let is_on = number % 2 == 0;
        let command = json!({"id": format!("b{number}"), "point": "relay", "value": is_on, "expires": now_ms() + 10_000});
        let begin = Instant::now();
        client
            .publish("linli/1/c/gw/cmd/relay", command.to_string(), PublishOptions::at_least_once())
            .await?;
        let (at, payload) = timeout(Duration::from_secs(5), answers.recv())
            .await
            .context("no answer")?
            .context("no answer")?;
        let answer: Value = serde_json::from_slice(&payload)?;
        anyhow::ensure!(answer["result"] == "done", "{answer}");
        let written = flood.written().context("nothing was written")?;
        to_wire.push((written - begin).as_secs_f64() * 1000.0);
        to_answer.push((at - begin).as_secs_f64() * 1000.0);
        sleep(BETWEEN).await;
    }
    listening.abort();
    gateway.stop().await?;
    let wire = (percentile(&mut to_wire, 0.5), percentile(&mut to_wire, 0.99));
    let answer = (percentile(&mut to_answer, 0.5), percentile(&mut to_answer, 0.99));
    Ok(vec![
        Row::new(
            "command → wire, under 10 000 values/s",
            "p99 < 50 ms",
            format!("p50 {:.1} ms, p99 {:.1} ms", wire.0, wire.1),
        ),
        Row::new(
            "command → read back, journaled and answered",
            "< 200 ms",
            format!("p50 {:.1} ms, p99 {:.1} ms", answer.0, answer.1),
        ),
    ])
}
