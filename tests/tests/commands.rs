//! Commands over MQTT: the good ones are done and read back, the bad ones answered and harmless.

use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use linli_tests::devices::{STORE, counter};
use linli_tests::{Broker, Gateway, Peer, Subscriber, Workspace, eventually, free_port, now_ms, tool};
use serde_json::{Value, json};

const BASE: &str = "linli/1/c/gw";

/// What mbpoll reads in the set-point's register: tenths.
async fn raw_set_point(port: u16) -> anyhow::Result<i32> {
    let output = tokio::process::Command::new(tool("mbpoll", "mbpoll")?)
        .args(["-m", "tcp", "-p", &port.to_string(), "-a", "1", "-0", "-r", "2", "-c", "1", "-1", "-q"])
        .arg("127.0.0.1")
        .output()
        .await?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let value = text.lines().find_map(|line| line.strip_prefix("[2]:")).context("mbpoll read nothing")?;
    Ok(value.trim().parse()?)
}

async fn write_with_mbpoll(port: u16, value: i32) -> anyhow::Result<()> {
    let status = tokio::process::Command::new(tool("mbpoll", "mbpoll")?)
        .args(["-m", "tcp", "-p", &port.to_string(), "-a", "1", "-0", "-r", "2", "-q", "127.0.0.1"])
        .arg(value.to_string())
        .stdout(Stdio::null())
        .status()
        .await?;
    anyhow::ensure!(status.success(), "mbpoll could not write");
    Ok(())
}

/// The answers on `cmd/{device}/result` that `fits` admits, once there are `count`.
async fn answers(
    subscriber: &Subscriber,
    device: &str,
    count: usize,
    fits: impl Fn(&Value) -> bool,
) -> anyhow::Result<Vec<Value>> {
    let topic = format!("{BASE}/cmd/{device}/result");
    let found = || -> Vec<Value> {
        let received = subscriber.received().unwrap_or_default();
        let here = received.into_iter().filter(|m| m.topic == topic && fits(&m.payload));
        here.map(|m| m.payload).collect()
    };
    eventually(&format!("{count} answers on {topic}"), Duration::from_secs(60), || found().len() >= count)
        .await
        .with_context(|| format!("answers: {:?}", found()))?;
    Ok(found())
}

fn command(id: &str, point: &str, value: &Value) -> String {
    json!({"id": id, "point": point, "value": value, "expires": now_ms() + 60_000}).to_string()
}

/// Every bad command is answered with its reason.
async fn refused(broker: &Broker, subscriber: &Subscriber) -> anyhow::Result<()> {
    let huge = format!("{{\"id\":\"huge\",\"point\":\"{}\"}}", "x".repeat(1 << 20));
    let expired =
        json!({"id": "late", "point": "set_point", "value": 1, "expires": now_ms() - 1}).to_string();
    let bad: [(&str, String, &str); 12] = [
        ("nobody", command("b1", "set_point", &json!(1)), "no device \"nobody\""),
        ("d1", command("b2", "counter", &json!(1)), "read-only"),
        ("d1", command("b3", "set_point", &json!(500)), "500"),
        ("d1", command("b4", "volume", &json!(1)), "no point \"volume\""),
        ("d1", command("b5", "set_point", &json!("warm")), "warm"),
        ("d1", command("b6", "set_point", &json!(21.55)), "21.55"),
        ("d1", command("b7", "relay", &json!(3)), "3"),
        ("d1", command("", "relay", &json!(true)), "id must be"),
        ("d1", expired, "expired"),
        ("d1", "{\"id\":".to_owned(), "not a command"),
        ("d1", "[1,2]".to_owned(), "not a command"),
        ("d1", huge, "too large"),
    ];
    for (device, payload, reason) in &bad {
        broker.publish(&format!("{BASE}/cmd/{device}"), payload, false).await?;
        let reported = answers(subscriber, device, 1, |a| {
            a["result"] == "refused" && a["reason"].as_str().is_some_and(|r| r.contains(reason))
        })
        .await
        .with_context(|| format!("{} …", payload.chars().take(80).collect::<String>()))?;
        assert!(!reported.is_empty());
    }
    Ok(())
}

#[tokio::test]
async fn good_commands_are_done_once_and_bad_ones_change_nothing() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let broker = Broker::start(&workspace).await?;
    let subscriber = broker.subscribe(&workspace).await?;
    let port = free_port()?;
    let _peer = Peer::tcp(port, 1, 1000).await?;
    let to = |device: &str| format!("{BASE}/cmd/{device}");
    // Retained from before: nobody can know how old it is.
    broker.publish(&to("d1"), &command("old", "set_point", &json!(99)), true).await?;
    let config = workspace.configure(broker.port, STORE, &counter(port, "200ms"))?;
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    gateway.until("it is connected", Duration::from_secs(60), |s| s["uplink"]["connected"] == true).await?;

    let reported = answers(&subscriber, "d1", 1, |a| a["id"] == "old").await?;
    assert_eq!(reported[0]["result"], "refused");
    assert!(reported[0]["reason"].as_str().is_some_and(|r| r.contains("retained")), "{reported:?}");
    assert_eq!(raw_set_point(port).await?, 0);

    broker.publish(&to("d1"), &command("a1", "set_point", &json!(21.5)), false).await?;
    let reported = answers(&subscriber, "d1", 1, |a| a["id"] == "a1").await?;
    assert_eq!((reported[0]["result"].as_str(), &reported[0]["value"]), (Some("done"), &json!(21.5)));
    assert_eq!(raw_set_point(port).await?, 215, "a client that is not ours reads it back");

    // The same id again is answered again and not carried out again.
    write_with_mbpoll(port, 33).await?;
    broker.publish(&to("d1"), &command("a1", "set_point", &json!(21.5)), false).await?;
    let reported = answers(&subscriber, "d1", 2, |a| a["id"] == "a1").await?;
    assert_eq!(reported[1]["result"], "done");
    assert_eq!(raw_set_point(port).await?, 33);

    refused(&broker, &subscriber).await?;
    assert_eq!(raw_set_point(port).await?, 33, "nothing was changed");

    let output = tokio::process::Command::new(tool("mosquitto_rr", "mosquitto-clients")?)
        .args(["-h", "127.0.0.1", "-p", &broker.port.to_string(), "-V", "5", "-q", "1", "-W", "10"])
        .args(["-t", &to("d1"), "-e", "answers/here", "-m", &command("rr", "relay", &json!(true))])
        .output()
        .await?;
    let reported: Value =
        serde_json::from_slice(&output.stdout).context("no answer on the response topic")?;
    assert_eq!((reported["id"].as_str(), reported["result"].as_str()), (Some("rr"), Some("done")));

    let output = gateway.verb(&["command", "d1", "set_point", "7.5", "--json"]).await?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(raw_set_point(port).await?, 75);
    // FC 16, where the model wants it.
    let output = gateway.verb(&["command", "d1", "limit", "250"]).await?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let output = gateway.verb(&["command", "d1", "counter", "7"]).await?;
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stdout));
    gateway.stop().await
}
