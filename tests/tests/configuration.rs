//! A configuration changes under a running gateway, and a bad one never stops a centre.

use std::time::Duration;

use linli_tests::devices::{STORE, counter_on};
use linli_tests::{Broker, Gateway, Peer, Workspace, device, free_port, linli};
use serde_json::Value;

fn tcp(line: &str, device: &str, port: u16) -> String {
    counter_on(line, device, &format!("kind = \"modbus_tcp\"\nendpoint = \"127.0.0.1:{port}\""), "100ms")
}

#[tokio::test]
async fn a_reload_applies_the_difference_and_leaves_the_other_lines_alone() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let broker = Broker::start(&workspace).await?;
    let (one, two) = (free_port()?, free_port()?);
    let (_first, _second) = (Peer::tcp(one, 2, 200).await?, Peer::tcp(two, 2, 200).await?);
    let before = tcp("l1", "d1", one) + &tcp("l2", "d2", two);
    let config = workspace.configure(broker.port, STORE, &before)?;
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    let online = |id: &'static str| move |s: &Value| device(s, id).is_some_and(|d| d["online"] == true);
    gateway.until("d1 is online", Duration::from_secs(60), online("d1")).await?;
    gateway.until("d2 is online", Duration::from_secs(60), online("d2")).await?;

    // A bad file changes nothing, and says what and where.
    std::fs::write(config.join("devices.toml"), before.replace("generic/counter", "generic/countre"))?;
    let output = gateway.verb(&["reload"]).await?;
    let reported = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{reported}");
    assert!(reported.contains("devices.toml") && reported.contains("generic/counter"), "{reported}");

    // A second device on the second line: the first line's connection is not touched.
    let more = format!(
        "{before}[[device]]\nid = \"d3\"\nline = \"l2\"\nunit = 2\nprofile = \"generic/counter\"\npoll = \"100ms\"\n"
    );
    std::fs::write(config.join("devices.toml"), more)?;
    let output = gateway.verb(&["reload"]).await?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    gateway.until("d3 is online", Duration::from_secs(60), online("d3")).await?;
    let metrics = gateway.get("/metrics")?;
    assert!(metrics.contains("linli_line_opens_total{line=\"l1\"} 1\n"), "{metrics}");

    // SIGHUP does the same.
    std::fs::write(config.join("devices.toml"), tcp("l1", "d1", one))?;
    gateway.signal("-HUP").await?;
    gateway
        .until("d3 has gone", Duration::from_secs(60), |s| {
            device(s, "d1").is_some() && device(s, "d3").is_none()
        })
        .await?;
    let metrics = gateway.get("/metrics")?;
    assert!(metrics.contains("linli_line_opens_total{line=\"l1\"} 1\n"), "{metrics}");
    gateway.stop().await
}

#[tokio::test]
async fn the_last_good_configuration_boots_when_the_new_one_is_bad() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let port = free_port()?;
    let _peer = Peer::tcp(port, 1, 200).await?;
    let config = workspace.configure_with("", STORE, &tcp("l1", "d1", port))?;
    let gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.web().await?;
    gateway.kill().await?;

    std::fs::write(config.join("devices.toml"), "[[line]\nthis is not TOML")?;
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    gateway
        .until("the last good one reads d1", Duration::from_secs(60), |s| {
            s["configuration"] == "last good" && device(s, "d1").is_some_and(|d| d["online"] == true)
        })
        .await?;
    let output = gateway.verb(&["doctor"]).await?;
    let reported = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{reported}");
    assert!(reported.contains("devices.toml"), "{reported}");
    gateway.stop().await
}

#[tokio::test]
async fn two_gateways_never_share_a_database() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let config = workspace.configure_with("", STORE, &tcp("l1", "d1", free_port()?))?;
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    let second = linli(&["run", "--config", &config.to_string_lossy()]).await?;
    let reported = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(!second.status.success() && reported.contains("another linli"), "{reported}");
    gateway.stop().await
}

#[test]
fn who_reads_only_the_beginning_has_read_enough() -> anyhow::Result<()> {
    let mut verb = std::process::Command::new(linli_tests::binary()?);
    let verb = verb.arg("schema").stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = verb.spawn()?;
    drop(child.stdout.take());
    let output = child.wait_with_output()?;
    assert!(output.status.success(), "{:?}", output.status);
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
