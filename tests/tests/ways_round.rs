//! Ways round the mode switch that a running gateway must close: a second name for an output, a device wired anew under
//! a room that is in use, and floods that would fill the record until nothing can be switched any more.

use std::path::Path;

use linli_tests::room::{Centre, ENTER, Room, room};
use linli_tests::switching::{PATIENCE, act, at, metric, order_to_enter, send, until};
use linli_tests::{Broker, Gateway, eventually};
use serde_json::{Value, json};

fn said(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&[output.stdout.clone(), output.stderr.clone()].concat()).into_owned()
}

/// Writes a file of the configuration anew.
fn rewrite(config: &Path, file: &str, change: impl FnOnce(String) -> String) -> anyhow::Result<()> {
    let path = config.join(file);
    Ok(std::fs::write(&path, change(std::fs::read_to_string(&path)?))?)
}

/// `linli check` and `linli reload` both say no, with all of these words, and nothing changed.
async fn refused(gateway: &Gateway, words: &[&str]) -> anyhow::Result<()> {
    for verb in ["check", "reload"] {
        let output = gateway.verb(&[verb]).await?;
        let told = said(&output);
        anyhow::ensure!(!output.status.success(), "{verb} takes it: {told}");
        anyhow::ensure!(words.iter().all(|word| told.contains(word)), "{verb}: {words:?}: {told}");
    }
    Ok(())
}

async fn started(centre: &Centre) -> anyhow::Result<Gateway> {
    let gateway = centre.gateway().await?;
    until(&gateway, "no fire", |room| room["fire"] == "normal").await?;
    Ok(gateway)
}

/// Point 1: outputs that a plan uses obey the mode switch alone, under whatever name.
#[tokio::test]
async fn point_1_no_second_name_of_an_output_is_taken_over() -> anyhow::Result<()> {
    let centre = Centre::new(None).await?;
    let place = Room::start(centre.port, "2").await?;
    let gateway = started(&centre).await?;
    let port = centre.port;
    let second = |endpoint: &str, unit: u8| {
        format!(
            "\n[[line]]\nid = \"side\"\nkind = \"modbus_tcp\"\nendpoint = \"{endpoint}:{port}\"\n\n[[device]]\n\
             id = \"spare\"\nline = \"side\"\nunit = {unit}\nprofile = \"generic/room-mode\"\n"
        )
    };
    let good = std::fs::read_to_string(centre.config.join("devices.toml"))?;
    for (endpoint, unit) in
        [("localhost", 4), ("127.0.0.1", 4), ("127.1", 4), ("[::ffff:127.0.0.1]", 4), ("localhost", 0)]
    {
        rewrite(&centre.config, "devices.toml", |_| good.clone() + &second(endpoint, unit))?;
        refused(&gateway, &["spare.entry", "reading-mode.entry", ENTER]).await?;
    }
    rewrite(&centre.config, "devices.toml", |_| good.clone())?;
    let alarms = std::fs::read_to_string(centre.config.join("alarms.toml"))?;
    let siren = "\n[[siren]]\ndevice = \"reading-mode\"\npoint = \"lamps\"\n";
    rewrite(&centre.config, "alarms.toml", |_| alarms.clone() + siren)?;
    refused(&gateway, &["reading-mode.lamps is an output of the plan reading-room.", "siren"]).await?;
    rewrite(&centre.config, "alarms.toml", |_| alarms)?;
    // The same controller, a unit that no plan uses.
    rewrite(&centre.config, "devices.toml", |_| good + &second("localhost", 44))?;
    let reloaded = gateway.verb(&["reload"]).await?;
    assert!(reloaded.status.success(), "{}", said(&reloaded));
    assert_eq!(place.violations(), Vec::<Value>::new());
    assert!(place.reported().iter().all(|line| line.get("write").is_none()), "nothing was written");
    gateway.stop().await
}

/// Point 5: while a room is not at peace, its devices cannot be exchanged under it; a restart with such a configuration
/// holds the room and says so, and puts it back when the file is.
#[tokio::test]
async fn point_5_a_plan_is_not_wired_anew_while_a_room_follows_it() -> anyhow::Result<()> {
    let mut centre = Centre::new(None).await?;
    let _place = Room::start(centre.port, "2").await?;
    let gateway = started(&centre).await?;
    let good = std::fs::read_to_string(centre.config.join("devices.toml"))?;
    let rewired = good.replacen("unit = 4\n", "unit = 14\n", 1);
    // In peace it may be.
    rewrite(&centre.config, "devices.toml", |_| rewired.clone())?;
    assert!(gateway.verb(&["check"]).await?.status.success());
    rewrite(&centre.config, "devices.toml", |_| good.clone())?;
    order_to_enter(&gateway, &mut centre).await?;
    rewrite(&centre.config, "devices.toml", |_| rewired.clone())?;
    refused(&gateway, &["reading-room", ENTER, "unit"]).await?;
    gateway.stop().await?;
    let gateway = centre.gateway().await?;
    at(&gateway, "held").await?;
    let shown = room(&gateway)?;
    assert!(shown["notice"].as_str().unwrap_or_default().contains("devices.toml"), "{shown:#}");
    let status = said(&gateway.verb(&["mode", "status"]).await?);
    assert!(status.contains("devices.toml"), "{status}");
    gateway.stop().await?;
    rewrite(&centre.config, "devices.toml", |_| good)?;
    let gateway = started(&centre).await?;
    assert_eq!(room(&gateway)?["notice"], Value::Null);
    gateway.stop().await
}

/// How many lines the record has.
fn lines(gateway: &Gateway) -> anyhow::Result<u64> {
    let (_, shown) = gateway.ask("GET", "/api/v1/mode", &Value::Null)?;
    Ok(shown["record"]["count"].as_u64().unwrap_or_default())
}

/// The store: whoever may stop a room may do it as often as they like. Each stop is answered, and the record does not
/// grow with them.
#[tokio::test]
async fn store_a_flood_of_stops_does_not_fill_the_record() -> anyhow::Result<()> {
    let mut centre = Centre::new(None).await?;
    let _place = Room::start(centre.port, "2").await?;
    let gateway = started(&centre).await?;
    order_to_enter(&gateway, &mut centre).await?;
    let before = lines(&gateway)?;
    for nth in 0..700 {
        let (status, answer) = gateway.ask("POST", "/api/v1/mode/rooms/reading-room/stop", &Value::Null)?;
        assert_eq!(status, 200, "stop {nth}: {answer}");
    }
    at(&gateway, "held").await?;
    let grown = lines(&gateway)? - before;
    assert!(grown < 400, "{grown} lines for 700 stops");
    gateway.stop().await
}

/// The store: whoever may publish to the broker sends the largest orders that nobody signed. The record stays small, and
/// an order of two people is accepted after them.
#[tokio::test]
async fn store_a_flood_of_large_forged_orders_does_not_fill_the_record() -> anyhow::Result<()> {
    let port = linli_tests::free_port()?;
    let mut centre = Centre::new(Some(port)).await?;
    let broker = Broker::start_small_on(port, &centre.workspace, 1 << 20).await?;
    let _place = Room::start(centre.port, "2").await?;
    let gateway = started(&centre).await?;
    gateway.until("it is connected", PATIENCE, |s| s["uplink"]["connected"] == true).await?;
    // A real order that two people did not sign, and a real one that carries the largest message.
    let plan = centre.named_plan("xinghe", ENTER);
    let unsigned = centre.order_with(900, "enter", "actual", &["--plan", &plan], &[]).await?;
    let bytes = std::fs::read(unsigned)?;
    let before = lines(&gateway)?;
    for _ in 0..300 {
        broker.publish_bytes("linli/1/xinghe/main/order", &bytes, false).await?;
    }
    // What comes faster than it can be judged is dropped, and counted.
    let judged = || {
        let page = gateway.get("/metrics").unwrap_or_default();
        let count = |series: &str| {
            let line = page.lines().find_map(|line| line.strip_prefix(series));
            line.and_then(|value| value.trim().parse::<f64>().ok()).unwrap_or_default()
        };
        count("linli_mode_orders_total{result=\"refused\"}")
            + count("linli_mode_orders_total{result=\"dropped\"}")
            + count("linli_uplink_commands_dropped_total")
    };
    eventually("all are refused or dropped", PATIENCE, || judged() >= 300.0).await?;
    let grown = lines(&gateway)? - before;
    assert!(grown <= 60, "{grown} lines for 300 orders");
    let order = centre.order("enter", "actual", &["--plan", &plan], &["wang", "li"]).await?;
    let (is_taken, reported) = send(&gateway, &order).await?;
    assert!(is_taken, "{reported}");
    gateway.stop().await
}

/// Somebody publishes orders that nobody signed, as fast as the broker takes them. An order of two people, sent once,
/// is accepted, a stop of one stops the room, and what was dropped is counted, told and on record.
#[tokio::test]
async fn an_order_and_a_stop_get_through_a_flood_of_forged_orders() -> anyhow::Result<()> {
    let port = linli_tests::free_port()?;
    let mut centre = Centre::new(Some(port)).await?;
    centre.in_time();
    let broker = Broker::start_small_on(port, &centre.workspace, 1 << 20).await?;
    let _place = Room::start(centre.port, "2").await?;
    let gateway = started(&centre).await?;
    gateway.until("it is connected", PATIENCE, |s| s["uplink"]["connected"] == true).await?;
    let plan = centre.named_plan("xinghe", ENTER);
    let forged = centre.order_with(900, "enter", "actual", &["--plan", &plan], &[]).await?;
    let topic = "linli/1/xinghe/main/order";
    let mut floods = Vec::new();
    for _ in 0..2 {
        floods.push(broker.flood(topic, Path::new(&forged))?);
    }
    let dropped = || metric(&gateway, "linli_mode_orders_total{result=\"dropped\"}").unwrap_or_default();
    eventually("more come than can be judged", PATIENCE, || dropped() > 1000.0).await?;
    let order = centre.order("enter", "actual", &["--plan", &plan], &["wang", "li"]).await?;
    broker.publish_bytes(topic, &std::fs::read(&order)?, false).await?;
    until(&gateway, "the room follows the order", |room| room["class"] == "Actual").await?;
    let stop = centre.order("stop", "actual", &["--plan", "xinghe:"], &["li"]).await?;
    broker.publish_bytes(topic, &std::fs::read(&stop)?, false).await?;
    at(&gateway, "held").await?;
    drop(floods);
    let record = || gateway.get("/api/v1/mode/record").unwrap_or_default();
    eventually("it is on record", PATIENCE, || record().contains("\"result\":\"dropped\"")).await?;
    let lines = record().lines().filter(|line| line.contains("\"result\":\"dropped\"")).count();
    assert!(lines <= 3, "{lines}");
    let grown = record().lines().count();
    assert!(grown < 250, "{grown} lines");
    gateway.stop().await
}

/// What people write stands on every screen: no line of it moves the cursor of a terminal, or has no end.
#[tokio::test]
async fn people_a_reason_is_one_line_on_every_screen() -> anyhow::Result<()> {
    let mut centre = Centre::new(None).await?;
    let _place = Room::start(centre.port, "2").await?;
    let gateway = started(&centre).await?;
    order_to_enter(&gateway, &mut centre).await?;
    assert!(gateway.verb(&["mode", "stop", "reading-room"]).await?.status.success());
    for why in ["\u{1b}[2J就绪 ready", "一\n二", &"长".repeat(501), &"x".repeat(20_000)] {
        for (operation, body) in [
            ("resume", json!({"person": "zhao", "why": why})),
            ("reject", json!({"person": "zhao", "why": why})),
            ("cannot", json!({"person": "qian", "step": "sweep", "why": why})),
            ("waive", json!({"person": "zhao", "step": "sweep", "why": why, "for": "1h"})),
            ("alternate", json!({"person": "zhao", "why": why})),
            ("service", json!({"person": "zhao", "why": why})),
        ] {
            let (status, answer) = act(&gateway, operation, &body)?;
            assert_eq!(status, 422, "{operation}: {answer}");
        }
    }
    let record = gateway.get("/api/v1/mode/record")?;
    let is_there = ["u001b", "一\\n二", "长长长", "xxxxx"].iter().any(|words| record.contains(words));
    assert!(!is_there, "nothing of it is on record");
    gateway.stop().await
}
