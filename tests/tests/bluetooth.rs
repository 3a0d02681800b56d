//! Bluetooth devices over a real D-Bus. What stands in for bluetoothd has no radio: the machines
//! the tests run on have none either.

use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use linli_tests::devices::STORE;
use linli_tests::{Broker, Gateway, Received, Subscriber, Workspace, eventually, python, tool};
use serde_json::Value;
use tokio::process::{Child, Command};

/// A bus with a device on it.
struct Air {
    address: String,
    log: std::path::PathBuf,
    _bus: Child,
    _device: Child,
}

// === impl Air ===

impl Air {
    async fn with(workspace: &Workspace, characteristic: &str, script: &Value) -> anyhow::Result<Self> {
        let socket = workspace.path("bus");
        let address = format!("unix:path={}", socket.display());
        let bus = Command::new(tool("dbus-daemon", "dbus-daemon")?)
            .args(["--session", "--nofork", "--nopidfile", "--address", &address])
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        eventually("the bus", Duration::from_secs(60), || socket.exists()).await?;
        let log = workspace.path("device");
        let device = Command::new(python()?)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/peers/bluez_double.py"))
            .args([&address, characteristic, &script.to_string()])
            .stdout(std::fs::File::create(&log)?)
            .kill_on_drop(true)
            .spawn()?;
        let air = Self { address, log, _bus: bus, _device: device };
        eventually("the device", Duration::from_secs(60), || air.said().contains("ready")).await?;
        Ok(air)
    }

    fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

async fn run(
    workspace: &Workspace,
    air: &Air,
    profile: &str,
) -> anyhow::Result<(Gateway, Subscriber, Broker)> {
    let broker = Broker::start(workspace).await?;
    let subscriber = broker.subscribe(workspace).await?;
    let devices = format!(
        "[[line]]\nid = \"air\"\nkind = \"bluetooth\"\naddress = \"00:11:22:aa:bb:cc\"\n\n\
         [[device]]\nid = \"cuff\"\nline = \"air\"\nprofile = \"bluetooth/{profile}\"\nclass = \"vital\"\n"
    );
    let config = workspace.configure(broker.port, STORE, &devices)?;
    let bus = format!("DBUS_SYSTEM_BUS_ADDRESS={}", air.address);
    let mut gateway = Gateway::start_under(&["env", &bus], &config, &workspace.path("data")).await?;
    gateway.answering().await?;
    Ok((gateway, subscriber, broker))
}

fn reported(subscriber: &Subscriber) -> Vec<Received> {
    let received = subscriber.received().unwrap_or_default();
    received.into_iter().filter(|message| message.topic.ends_with("/vital/cuff")).collect()
}

fn values(message: &Received) -> Vec<f64> {
    let all = message.payload["observations"].as_array().cloned().unwrap_or_default();
    all.iter().filter_map(|observation| observation["value"].as_f64()).collect()
}

#[tokio::test]
async fn a_cuff_wakes_tells_and_sleeps_and_its_memory_is_not_told_twice() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    // 120/80 and 118/79 with their times; the second waking tells the first one again.
    let first = "06780050005d00ea070b18091e0048 00".replace(' ', "");
    let second = "0676004f005c00ea070b180a00004600";
    let air = Air::with(&workspace, "2a35", &serde_json::json!([[first], [first, second, "0678"]])).await?;
    let (gateway, subscriber, _broker) = run(&workspace, &air, "blood-pressure").await?;
    let both =
        eventually("both measurements", Duration::from_secs(60), || reported(&subscriber).len() >= 2).await;
    both.with_context(|| format!("{}\n{}", air.said(), gateway.log()))?;
    gateway
        .until("it sleeps", Duration::from_secs(60), |s| s["lines"][0]["devices"][0]["online"] == false)
        .await?;
    let all = reported(&subscriber);
    assert_eq!(all.len(), 2, "the first one came once");
    assert_eq!(values(&all[0]), [120.0, 80.0, 93.0, 72.0]);
    assert_eq!(values(&all[1])[..2], [118.0, 79.0]);
    gateway.stop().await
}

#[tokio::test]
async fn a_glucose_meter_is_asked_for_its_memory() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let record = |sequence: u8| format!("06{sequence:02x}00ea070b1807000038c011");
    let air = Air::with(
        &workspace,
        "2a18",
        &serde_json::json!([[record(1), record(2)], [record(1), record(2), record(3)]]),
    )
    .await?;
    let (gateway, subscriber, _broker) = run(&workspace, &air, "glucose").await?;
    let three =
        eventually("three measurements", Duration::from_secs(60), || reported(&subscriber).len() >= 3).await;
    three.with_context(|| format!("{}\n{}", air.said(), gateway.log()))?;
    assert!(air.said().contains("written 0101"), "{}", air.said());
    assert_eq!(reported(&subscriber).len(), 3, "each once");
    assert!((values(&reported(&subscriber)[0])[0] - 5.6).abs() < 1e-9);
    gateway.stop().await
}
