//! Alarms against a real device: raised once whatever is killed, silent ones told, people's words kept.

use std::time::Duration;

use anyhow::Context;
use linli_tests::devices::{STORE, counter};
use linli_tests::{Broker, Gateway, Peer, Received, Stage, Subscriber, eventually, free_port};
use serde_json::{Value, json};
use tokio::time::sleep;

const RULES: &str = "[[alarm]]\nid = \"many\"\ndevice = \"d1\"\npoint = \"counter\"\nwhen = \"high\"\nlimit = 40\n\
                     on_delay = \"300ms\"\npriority = \"high\"\ntext = \"计数过多\"\n\n\
                     [[alarm]]\nid = \"d1.silent\"\ndevice = \"d1\"\nwhen = \"silent\"\non_delay = \"2s\"\n\
                     priority = \"low\"\n";

/// What the district hears, each once: after a kill some of it comes again.
fn steps(subscriber: &Subscriber) -> Vec<(String, String, String)> {
    let mut seen = std::collections::BTreeSet::new();
    let mut is_new = |message: &Received| {
        let key = (message.payload["epoch"].to_string(), message.payload["seq"].to_string());
        message.topic.ends_with("/event/alarm") && seen.insert(key)
    };
    let word = |message: &Received, key: &str| message.payload[key].as_str().unwrap_or_default().to_owned();
    let received = subscriber.received().unwrap_or_default();
    let told = received.into_iter().filter(|message| is_new(message));
    told.map(|m| (word(&m, "alarm"), word(&m, "event"), word(&m, "to"))).collect()
}

fn state(gateway: &Gateway, alarm: &str) -> anyhow::Result<String> {
    let (_, shown) = gateway.ask("GET", "/api/v1/alarms?all=true", &Value::Null)?;
    let all = shown.as_array().cloned().unwrap_or_default();
    let found = all.iter().find(|shown| shown["alarm"] == alarm).map(|shown| shown["state"].clone());
    Ok(found.and_then(|state| state.as_str().map(str::to_owned)).unwrap_or_default())
}

#[tokio::test]
async fn an_alarm_is_raised_once_and_keeps_its_state_through_kills() -> anyhow::Result<()> {
    let stage = Stage::new()?;
    let broker = Broker::start(&stage).await?;
    let subscriber = broker.subscribe(&stage).await?;
    let port = free_port()?;
    let peer = Peer::tcp(port, 1, 50).await?;
    let config = stage.configure(broker.port, STORE, &counter(port, "100ms"))?;
    std::fs::write(config.join("alarms.toml"), RULES)?;
    let data = stage.path("data");
    let mut gateway = Gateway::start(&config, &data).await?;
    gateway.answering().await?;
    let raised = eventually("it is raised", Duration::from_secs(20), || {
        state(&gateway, "many").is_ok_and(|state| state == "unacknowledged")
    })
    .await;
    raised
        .with_context(|| format!("{:?} {:?}", gateway.get("/api/v1/devices/d1"), gateway.get("/metrics")))?;
    for round in 0..5 {
        gateway.kill().await?;
        gateway = Gateway::start(&config, &data).await?;
        gateway.answering().await?;
        sleep(Duration::from_millis(300 + round * 200)).await;
        assert_eq!(state(&gateway, "many")?, "unacknowledged");
    }
    let done = gateway.verb(&["alarms", "acknowledge", "many"]).await?;
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    gateway.kill().await?;
    let mut gateway = Gateway::start(&config, &data).await?;
    gateway.answering().await?;
    assert_eq!(state(&gateway, "many")?, "acknowledged");

    let (status, refused) = gateway.ask("POST", "/api/v1/alarms/many/shelve", &json!({"for": "1h"}))?;
    assert_eq!((status, refused["detail"].as_str().is_some_and(|why| why.contains("why"))), (422, true));
    assert_eq!(gateway.ask("POST", "/api/v1/alarms/many/shelve", &json!({"for": "9h", "why": "x"}))?.0, 422);
    assert_eq!(gateway.ask("POST", "/api/v1/alarms/none/acknowledge", &json!({}))?.0, 404);
    assert_eq!(gateway.ask("POST", "/api/v1/alarms/many/reset", &json!({}))?.0, 409);

    // The device falls silent: that is an alarm, and it silences what hangs on it.
    drop(peer);
    eventually("silence is raised", Duration::from_secs(20), || {
        state(&gateway, "d1.silent").is_ok_and(|state| state == "unacknowledged")
    })
    .await?;
    assert_eq!(state(&gateway, "many")?, "suppressed");
    eventually("the district heard", Duration::from_secs(10), || {
        steps(&subscriber).iter().any(|(alarm, ..)| alarm == "d1.silent")
    })
    .await?;
    let raised = |alarm: &str| {
        let all = steps(&subscriber);
        all.iter().filter(|(id, _, to)| id == alarm && to == "unacknowledged").count()
    };
    assert_eq!(
        (raised("many"), raised("d1.silent")),
        (1, 1),
        "each announced once: {:?}",
        steps(&subscriber)
    );
    let (_, journal) = gateway.ask("GET", "/api/v1/alarms/journal", &Value::Null)?;
    let journal = journal.as_array().cloned().unwrap_or_default();
    let acknowledged = journal.iter().find(|step| step["event"] == "acknowledge");
    assert!(acknowledged.is_some_and(|step| step["by"].as_str().is_some_and(|by| by.starts_with("local:"))));
    assert!(gateway.get("/metrics")?.contains("linli_alarms_standing{priority=\"low\"} 1"));
    gateway.stop().await
}
