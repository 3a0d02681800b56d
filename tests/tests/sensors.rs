//! Sensors over MQTT: an independent client plays Zigbee2MQTT, through a real broker and through
//! the one linli is itself.

use std::time::Duration;

use anyhow::Context;
use linli_tests::devices::STORE;
use linli_tests::{Broker, Gateway, Workspace, device, eventually, free_port, linli, now_ms, tool};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

/// Publishes as Zigbee2MQTT does, by mosquitto's own client.
async fn publish(port: u16, topic: &str, payload: &str, retained: bool) -> anyhow::Result<()> {
    let port = port.to_string();
    let mut arguments = vec!["-h", "127.0.0.1", "-p", &port, "-q", "1", "-t", topic, "-m", payload];
    if retained {
        arguments.push("-r");
    }
    let sent = Command::new(tool("mosquitto_pub", "mosquitto-clients")?).args(arguments).output().await?;
    anyhow::ensure!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    Ok(())
}

fn value(gateway: &Gateway, device: &str, point: &str) -> Option<Value> {
    let shown: Value = serde_json::from_str(&gateway.get(&format!("/api/v1/devices/{device}")).ok()?).ok()?;
    shown["points"].as_array()?.iter().find(|p| p["point"] == point)?.get("value").cloned()
}

async fn shows(gateway: &Gateway, device: &str, point: &str, wanted: Option<Value>) -> anyhow::Result<()> {
    let what = format!("{device}.{point} is {wanted:?}");
    eventually(&what, Duration::from_secs(60), || {
        value(gateway, device, point).filter(|v| !v.is_null()) == wanted
    })
    .await
}

fn devices(line: &str) -> String {
    let mut text = format!("[[line]]\nid = \"zigbee\"\nkind = \"mqtt\"\n{line}\n");
    for (id, topic, profile, class) in [
        ("cellar", "后厨/地下室", "zigbee2mqtt/water-leak", "telemetry"),
        ("cold-room", "cold room", "zigbee2mqtt/climate", "food_safety"),
        ("plug", "plug", "zigbee2mqtt/plug", "actuator"),
        ("kiosk", "hall/kiosk", "kiosk/terminal", "kiosk"),
    ] {
        text += &format!(
            "\n[[device]]\nid = \"{id}\"\nline = \"zigbee\"\ntopic = \"{topic}\"\nprofile = \"{profile}\"\n\
             class = \"{class}\"\npoll = \"5s\"\n"
        );
    }
    text
}

/// What is told becomes values; what the bridge calls offline has none; a switch is switched.
async fn converse(gateway: &Gateway, port: u16) -> anyhow::Result<()> {
    gateway
        .until("the line is up", Duration::from_secs(60), |status| {
            status["lines"].as_array().is_some_and(|lines| lines.iter().all(|line| line["up"] == true))
        })
        .await?;
    publish(port, "zigbee2mqtt/cold room", "{\"temperature\":3.5}", false).await?;
    shows(gateway, "cold-room", "temperature", Some(json!(3.5))).await?;
    publish(
        port,
        "zigbee2mqtt/cold room",
        "{\"temperature\":null,\"humidity\":71,\"linkquality\":90}",
        false,
    )
    .await?;
    shows(gateway, "cold-room", "humidity", Some(json!(71.0))).await?;
    assert_eq!(value(gateway, "cold-room", "temperature").filter(|v| !v.is_null()), None);
    publish(port, "zigbee2mqtt/后厨/地下室", "{\"water_leak\":true,\"battery\":80}", false).await?;
    shows(gateway, "cellar", "water_leak", Some(json!(true))).await?;
    let alarms = || gateway.ask("GET", "/api/v1/alarms", &Value::Null).map(|(_, shown)| shown.to_string());
    eventually("the leak is an alarm", Duration::from_secs(60), || {
        alarms().is_ok_and(|shown| shown.contains("cellar.leak"))
    })
    .await?;
    for rubbish in ["", "{", "[1]", "{\"water_leak\":\"maybe\"}"] {
        publish(port, "zigbee2mqtt/后厨/地下室", rubbish, false).await?;
    }
    publish(port, "zigbee2mqtt/后厨/地下室/availability", "{\"state\":\"offline\"}", true).await?;
    gateway
        .until("its bridge calls it offline", Duration::from_secs(60), |status| {
            device(status, "cellar").is_some_and(|cellar| cellar["online"] == false)
        })
        .await?;
    switch(gateway, port).await?;
    kiosk(gateway, port).await
}

async fn switch(gateway: &Gateway, port: u16) -> anyhow::Result<()> {
    let port_text = port.to_string();
    let topic = "zigbee2mqtt/plug/set";
    let listen = ["-h", "127.0.0.1", "-p", &port_text, "-C", "1", "-W", "60", "-t", topic, "-d"];
    // Line by line, although nobody looks at a terminal.
    let mut plug = Command::new(tool("stdbuf", "coreutils")?)
        .arg("-oL")
        .arg(tool("mosquitto_sub", "mosquitto-clients")?)
        .args(listen)
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut lines = BufReader::new(plug.stdout.take().context("no output")?).lines();
    // It says so itself when the broker has taken its subscription.
    while !lines.next_line().await?.context("mosquitto_sub ended")?.starts_with("Subscribed") {}
    let heard = tokio::spawn(async move {
        loop {
            let line = lines.next_line().await?.context("mosquitto_sub ended")?;
            if line.starts_with('{') {
                return anyhow::Ok(line);
            }
        }
    });
    let command = gateway.verb(&["command", "plug", "state", "true", "--expires", "20s"]);
    let reply = async {
        let heard = heard.await??;
        assert_eq!(heard.trim(), "{\"state\":\"ON\"}");
        publish(port, "zigbee2mqtt/plug", "{\"state\":\"ON\",\"power\":12.5}", false).await
    };
    let (done, replied) = tokio::join!(command, reply);
    replied?;
    assert!(done?.status.success(), "read back as asked");
    shows(gateway, "plug", "power", Some(json!(12.5))).await
}

/// A kiosk's heartbeat, and its will: the one of an earlier start is late and says nothing.
async fn kiosk(gateway: &Gateway, port: u16) -> anyhow::Result<()> {
    let online =
        |is: bool| move |status: &Value| device(status, "kiosk").is_some_and(|kiosk| kiosk["online"] == is);
    let base = "zigbee2mqtt/hall/kiosk";
    let beat = |boot: &str| format!("{{\"boot\":\"{boot}\",\"seq\":1,\"parts\":{{\"paper\":\"low\"}}}}");
    publish(port, &format!("{base}/heartbeat"), &beat("b1"), false).await?;
    shows(gateway, "kiosk", "paper", Some(json!(2))).await?;
    publish(port, &format!("{base}/heartbeat"), &beat("b2"), false).await?;
    let will = |boot: &str| format!("{{\"state\":\"offline\",\"boot\":\"{boot}\",\"reason\":\"lwt\"}}");
    publish(port, &format!("{base}/status"), &will("b1"), true).await?;
    gateway.until("it is online", Duration::from_secs(60), online(true)).await?;
    // What is published later is handled later.
    publish(port, "zigbee2mqtt/plug", "{\"state\":\"ON\",\"power\":13.5}", false).await?;
    shows(gateway, "plug", "power", Some(json!(13.5))).await?;
    gateway.until("a late will says nothing", Duration::ZERO, online(true)).await?;
    publish(port, &format!("{base}/status"), &will("b2"), true).await?;
    gateway.until("its own will counts", Duration::from_secs(60), online(false)).await
}

#[tokio::test]
async fn zigbee2mqtt_is_understood_as_it_is() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let broker = Broker::start(&workspace).await?;
    // What the broker kept from before says nothing about now.
    publish(broker.port, "zigbee2mqtt/plug", "{\"state\":\"ON\",\"power\":999}", true).await?;
    let line = format!("url = \"mqtt://127.0.0.1:{}\"", broker.port);
    let config = workspace.configure(broker.port, STORE, &devices(&line))?;
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    converse(&gateway, broker.port).await?;
    gateway.stop().await
}

#[tokio::test]
async fn a_leak_that_began_while_nobody_listened_is_an_alarm() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let broker = Broker::start(&workspace).await?;
    let topic = "zigbee2mqtt/后厨/地下室";
    publish(broker.port, topic, "{\"water_leak\":true}", true).await?;
    let line = format!("url = \"mqtt://127.0.0.1:{}\"", broker.port);
    let config = workspace.configure(broker.port, STORE, &devices(&line))?;
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    let alarms = || gateway.ask("GET", "/api/v1/alarms", &Value::Null).map(|(_, shown)| shown.to_string());
    eventually("the leak is an alarm", Duration::from_secs(60), || {
        alarms().is_ok_and(|shown| shown.contains("cellar.leak"))
    })
    .await?;
    let quality = || -> Option<String> {
        let shown = gateway.get("/api/v1/devices/cellar").ok()?;
        let shown: Value = serde_json::from_str(&shown).ok()?;
        let points = shown["points"].as_array()?.clone();
        let leak = points.into_iter().find(|point| point["point"] == "water_leak")?;
        (leak["value"] == true).then(|| leak["quality"].as_str().map(str::to_owned))?
    };
    assert_eq!(quality().as_deref(), Some("uncertain:retained"));
    publish(broker.port, topic, "{\"water_leak\":true}", false).await?;
    eventually("a live message confirms it", Duration::from_secs(60), || {
        quality().as_deref() == Some("good")
    })
    .await?;
    gateway.stop().await
}

#[tokio::test]
async fn linli_can_be_the_sensors_broker_itself() -> anyhow::Result<()> {
    let (stage, port) = (Workspace::new()?, free_port()?);
    let line = format!("listen = \"127.0.0.1:{port}\"");
    let config = stage.configure_with("", STORE, &devices(&line))?;
    let mut gateway = Gateway::start(&config, &stage.path("data")).await?;
    gateway.answering().await?;
    converse(&gateway, port).await?;
    gateway.stop().await
}

/// A switch that carries out commands, by mosquitto's own clients.
fn obedient_plug(port: u16) -> anyhow::Result<tokio::process::Child> {
    let reported = format!("mosquitto_sub -h 127.0.0.1 -p {port} -W 120 -t zigbee2mqtt/plug/set");
    let reports = format!("mosquitto_pub -h 127.0.0.1 -p {port} -t zigbee2mqtt/plug -m \"$line\"");
    let script = format!("{reported} | while read -r line; do {reports}; done");
    Ok(Command::new("sh").args(["-c", &script]).kill_on_drop(true).spawn()?)
}

#[tokio::test]
async fn a_siren_sounds_until_somebody_answers_or_long_enough() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let broker = Broker::start(&workspace).await?;
    let line = format!("url = \"mqtt://127.0.0.1:{}\"", broker.port);
    let config = workspace.configure(broker.port, STORE, &devices(&line))?;
    let siren = "[[siren]]\ndevice = \"plug\"\npoint = \"state\"\nfor = \"20s\"\n";
    std::fs::write(config.join("alarms.toml"), siren)?;
    let _plug = obedient_plug(broker.port)?;
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    shows(&gateway, "plug", "state", Some(json!(false))).await?;
    assert!(gateway.verb(&["alarms", "test"]).await?.status.success());
    shows(&gateway, "plug", "state", Some(json!(true))).await?;
    shows(&gateway, "plug", "state", Some(json!(false))).await?;
    publish(broker.port, "zigbee2mqtt/后厨/地下室", "{\"water_leak\":true}", false).await?;
    shows(&gateway, "plug", "state", Some(json!(true))).await?;
    assert!(gateway.verb(&["alarms", "acknowledge", "cellar.leak"]).await?.status.success());
    shows(&gateway, "plug", "state", Some(json!(false))).await?;
    gateway.stop().await
}

/// The quality of a point as the gateway shows it now.
fn quality(gateway: &Gateway, device: &str, point: &str) -> Option<String> {
    let shown: Value = serde_json::from_str(&gateway.get(&format!("/api/v1/devices/{device}")).ok()?).ok()?;
    let found = shown["points"].as_array()?.iter().find(|p| p["point"] == point)?;
    Some(found["quality"].as_str()?.to_owned())
}

/// A gateway of that id with the sensors at that broker.
async fn gateway(workspace: &Workspace, broker: u16, id: &str) -> anyhow::Result<Gateway> {
    let line = format!("url = \"mqtt://127.0.0.1:{broker}\"");
    let config = workspace.configure_with("", STORE, &devices(&line))?;
    let file = config.join("gateway.toml");
    let text = std::fs::read_to_string(&file)?.replace("id = \"gw\"", &format!("id = \"{id}\""));
    std::fs::write(file, text)?;
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    Ok(gateway)
}

#[tokio::test]
async fn gateways_share_a_broker_and_two_with_one_id_are_told() -> anyhow::Result<()> {
    let (one, two, twin) = (Workspace::new()?, Workspace::new()?, Workspace::new()?);
    let broker = Broker::start(&one).await?;
    let first = gateway(&one, broker.port, "gw-1").await?;
    let second = gateway(&two, broker.port, "gw-2").await?;
    let is_up = |status: &Value| status["lines"][0]["up"] == true;
    first.until("the first hears", Duration::from_secs(60), is_up).await?;
    second.until("the second hears", Duration::from_secs(60), is_up).await?;
    for celsius in [3.5, 4.5] {
        publish(broker.port, "zigbee2mqtt/cold room", &json!({ "temperature": celsius }).to_string(), false)
            .await?;
        shows(&first, "cold-room", "temperature", Some(json!(celsius))).await?;
        shows(&second, "cold-room", "temperature", Some(json!(celsius))).await?;
    }
    let advice = "give each gateway its own [gateway] id";
    assert!(!first.log().contains("linli-gw-1-zigbee"), "nobody was thrown out:\n{}", first.log());
    let third = gateway(&twin, broker.port, "gw-1").await?;
    eventually("one of the two says what to change", Duration::from_secs(90), || {
        first.log().contains(advice) || third.log().contains(advice)
    })
    .await?;
    assert!(!second.log().contains(advice), "{}", second.log());
    third.stop().await?;
    first.until("the first hears again", Duration::from_secs(60), is_up).await?;
    first.stop().await?;
    second.stop().await
}

#[tokio::test]
async fn scan_and_probe_read_what_is_published() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let broker = Broker::start(&workspace).await?;
    publish(broker.port, "zigbee2mqtt/cold room", "{\"temperature\":3.5,\"humidity\":70}", true).await?;
    publish(broker.port, "zigbee2mqtt/bridge/state", "{\"state\":\"online\"}", true).await?;
    let url = format!("mqtt://127.0.0.1:{}", broker.port);
    let scanned = linli(&["scan", "--mqtt", &url, "--json"]).await?;
    let scanned: Value = serde_json::from_slice(&scanned.stdout)?;
    let row =
        scanned.as_array().and_then(|rows| rows.iter().find(|row| row["topic"] == "zigbee2mqtt/cold room"));
    assert_eq!(row.map(|row| &row["profile"]), Some(&json!("zigbee2mqtt/climate")), "{scanned}");
    let config = workspace.configure_with("", STORE, &devices(&format!("url = \"{url}\"")))?;
    let config = config.to_string_lossy();
    let probed = linli(&["probe", "cold-room", "--json", "--wait", "3s", "--config", &config]).await?;
    let probed: Value = serde_json::from_slice(&probed.stdout)?;
    let rows = probed["points"].as_array().context("no points")?;
    let point = rows.iter().find(|row| row["point"] == "temperature").context("no temperature")?;
    assert_eq!((&point["value"], &point["quality"]), (&json!(3.5), &json!("uncertain:retained")));
    let dead = format!("mqtt://127.0.0.1:{}", free_port()?);
    let refused = linli(&["scan", "--mqtt", &dead]).await?;
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(1) && said.contains("check address, port"), "{said}");
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_understood_or_is_old_is_not_good() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let broker = Broker::start(&workspace).await?;
    let gateway = gateway(&workspace, broker.port, "gw").await?;
    let (topic, port) = ("zigbee2mqtt/cold room", broker.port);
    gateway.until("it hears", Duration::from_secs(60), |status| status["lines"][0]["up"] == true).await?;
    let is = async |wanted: &str| {
        eventually(&format!("it is {wanted}"), Duration::from_secs(60), || {
            quality(&gateway, "cold-room", "temperature").as_deref() == Some(wanted)
        })
        .await
    };
    for rubbish in ["3.5", "{\"temperature\":", "[{\"temperature\":3}]", "\u{fffd}", "{\"soil_moisture\":20}"]
    {
        publish(port, topic, "{\"temperature\":3.5}", false).await?;
        is("good").await?;
        publish(port, topic, rubbish, false).await?;
        is("bad:garbled").await?;
        assert_eq!(value(&gateway, "cold-room", "temperature").filter(|v| !v.is_null()), None, "{rubbish}");
    }
    // A member of the wrong kind costs itself only; what reports no measurement changes nothing.
    publish(port, topic, "{\"temperature\":\"warm\",\"humidity\":71}", false).await?;
    is("bad:undecodable").await?;
    assert_eq!(quality(&gateway, "cold-room", "humidity").as_deref(), Some("good"));
    publish(port, topic, "{\"temperature\":3.5,\"last_seen\":null}", false).await?;
    is("good").await?;
    publish(port, topic, "{\"update\":{\"state\":\"idle\"}}", false).await?;
    // Three hours old, as Zigbee2MQTT sends its cache when it starts.
    let before = now_ms() - 3 * 3_600_000;
    publish(port, topic, &json!({"temperature": 9.5, "last_seen": before}).to_string(), false).await?;
    is("uncertain:stale").await?;
    publish(port, topic, "{\"temperature\":3.5}", false).await?;
    is("good").await?;
    for _ in 0..3 {
        publish(port, "zigbee2mqtt/后厨/地下室", "no JSON", false).await?;
    }
    eventually("the leak sensor is garbled", Duration::from_secs(60), || {
        quality(&gateway, "cellar", "water_leak").as_deref() == Some("bad:garbled")
    })
    .await?;
    let said = |log: &str| log.lines().filter(|l| l.contains("cellar") && l.contains("understood")).count();
    assert_eq!(said(&gateway.log()), 1, "once for three messages:\n{}", gateway.log());
    gateway.stop().await
}
