//! Outputs of plans obey the mode switch alone: commands from elsewhere are refused and move nothing, in peace
//! with people in the room and in a fire; a technician's service state opens them for a time.

use std::time::Duration;

use anyhow::Context;
use linli_tests::room::{Centre, Room};
use linli_tests::switching::{PATIENCE, metric, until, until_room};
use linli_tests::{Broker, Gateway, Subscriber, eventually, now_ms};
use serde_json::{Value, json};

const BASE: &str = "linli/1/xinghe/main";

/// Device, point and value of commands to plans' outputs: door, lamps, air; gas, and the door beside it.
const HELD: [(&str, &str, i64, &str); 5] = [
    ("reading-mode", "entry", 1, "reading-room.sampling@1"),
    ("reading-mode", "lamps", 1, "reading-room.sampling@1"),
    ("reading-mode", "outdoor_air", 5, "reading-room.sampling@1"),
    ("kitchen-mode", "relay", 1, "kitchen.warehouse@1"),
    ("kitchen-mode", "entry", 1, "kitchen.warehouse@1"),
];

fn command(id: &str, point: &str, value: &Value) -> Value {
    json!({"id": id, "point": point, "value": value, "expires": now_ms() + 60_000})
}

/// Coils take true and false.
fn value(point: &str, number: i64) -> Value {
    if matches!(point, "lamps" | "relay") { json!(number != 0) } else { json!(number) }
}

/// The answer on `cmd/{device}/result` with that id.
async fn answered(subscriber: &Subscriber, device: &str, id: &str) -> anyhow::Result<Value> {
    let topic = format!("{BASE}/cmd/{device}/result");
    let find = || {
        let received = subscriber.received().unwrap_or_default();
        received.into_iter().find(|m| m.topic == topic && m.payload["id"] == id).map(|m| m.payload)
    };
    eventually(&format!("{id} is answered"), Duration::from_secs(60), || find().is_some()).await?;
    find().context("no answer")
}

/// Every command to a plan's output is refused, over the broker and over the control socket.
async fn all_refused(
    when: &str,
    (broker, subscriber): (&Broker, &Subscriber),
    gateway: &Gateway,
) -> anyhow::Result<()> {
    for (nth, (device, point, number, plan)) in HELD.into_iter().enumerate() {
        let (id, value) = (format!("{when}-{nth}"), value(point, number));
        let body = command(&id, point, &value);
        broker.publish(&format!("{BASE}/cmd/{device}"), &body.to_string(), false).await?;
        let over_mqtt = answered(subscriber, device, &id).await?;
        let path = format!("/api/v1/devices/{device}/command");
        let (_, over_socket) = gateway.ask("POST", &path, &command(&format!("{id}s"), point, &value))?;
        for answer in [over_mqtt, over_socket] {
            let reason = answer["reason"].as_str().unwrap_or_default();
            assert_eq!(answer["result"], "refused", "{when} {device}.{point}: {answer}");
            assert!(reason.contains(plan) && reason.contains("linli mode service"), "{reason}");
        }
        let cli = gateway.verb(&["command", device, point, &value.to_string()]).await?;
        assert_eq!(cli.status.code(), Some(2), "{}", String::from_utf8_lossy(&cli.stdout));
    }
    Ok(())
}

/// Fails if anything was written to an output of the reading room (unit 4) or the kitchen (unit 6).
fn nothing_moved(place: &Room) {
    for unit in [4, 6] {
        for (kind, address) in [("coil", 0), ("coil", 2), ("register", 0), ("register", 1)] {
            assert_eq!(
                place.written_to(unit, kind, address),
                Vec::<i64>::new(),
                "unit {unit} {kind} {address}"
            );
        }
    }
    assert_eq!(place.violations(), Vec::<Value>::new());
}

#[tokio::test]
async fn commands_to_outputs_of_plans_are_refused_and_move_nothing() -> anyhow::Result<()> {
    let port = linli_tests::free_port()?;
    let centre = Centre::new(Some(port)).await?;
    let broker = Broker::start_small_on(port, &centre.workspace, 1 << 20).await?;
    let subscriber = broker.subscribe(&centre.workspace).await?;
    let mut place = Room::start(centre.port, "2").await?;
    let gateway = centre.gateway().await?;
    gateway.until("it is connected", PATIENCE, |s| s["uplink"]["connected"] == true).await?;
    until(&gateway, "no fire", |room| room["fire"] == "normal").await?;
    // Somebody sits in the room, and it is in peace.
    all_refused("peace", (&broker, &subscriber), &gateway).await?;
    nothing_moved(&place);
    place.set("fire 1").await?;
    until(&gateway, "a fire", |room| room["fire"] == "alarm").await?;
    all_refused("fire", (&broker, &subscriber), &gateway).await?;
    nothing_moved(&place);
    // An id of the mode switch is nobody else's.
    let body = command("mode-0-0-0", "scene", &json!(2));
    let (_, answer) = gateway.ask("POST", "/api/v1/devices/reading-mode/command", &body)?;
    assert_eq!(answer["result"], "refused", "{answer}");
    // What no plan sets moves.
    let body = command("free", "scene", &json!(2));
    let (_, answer) = gateway.ask("POST", "/api/v1/devices/reading-mode/command", &body)?;
    assert_eq!(answer["result"], "done", "{answer}");
    let body = command("too-soon", "scene", &json!(3));
    let (_, answer) = gateway.ask("POST", "/api/v1/devices/reading-mode/command", &body)?;
    let reason = answer["reason"].as_str().unwrap_or_default();
    assert!(answer["result"] == "done" || reason.contains("send it again later"), "{answer}");
    gateway.stop().await
}

#[tokio::test]
async fn a_service_state_opens_them_and_every_end_makes_safe() -> anyhow::Result<()> {
    let centre = Centre::new(None).await?;
    let mut place = Room::start(centre.port, "2").await?;
    let gateway = centre.gateway().await?;
    until(&gateway, "no fire", |room| room["fire"] == "normal").await?;
    place.set("occupied 0").await?;
    let begin = ["mode", "service", "reading-room", "--login", "zhao", "--for", "10m", "--why", "更换门锁"];
    // What makes safe moves the door too, and an output takes one command in 500 ms.
    let secure = async |gateway: &Gateway, id: &str| -> anyhow::Result<Value> {
        let mut answer = Value::Null;
        for again in 0..600 {
            let body = command(&format!("{id}-{again}"), "entry", &json!(1));
            answer = gateway.ask("POST", "/api/v1/devices/reading-mode/command", &body)?.1;
            if !answer["reason"].as_str().is_some_and(|reason| reason.contains("send it again later")) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(answer["result"].clone())
    };
    let begun = gateway.verb(&begin).await?;
    let printed = String::from_utf8_lossy(&begun.stdout).into_owned();
    assert!(begun.status.success() && printed.contains("检修中"), "{printed}");
    until(&gateway, "in service", |room| room["service"]["why"] == "更换门锁").await?;
    eventually("the metric", PATIENCE, || {
        metric(&gateway, "linli_mode_service{room=\"reading-room\"}") == Some(1.0)
    })
    .await?;
    assert_eq!(secure(&gateway, "tech-1").await?, "done");
    eventually("the door moves", PATIENCE, || place.written("register", 0) == [1]).await?;
    // A fire ends it; the door is free again.
    place.set("fire 1").await?;
    until(&gateway, "ended by the fire", |room| room["service"].is_null() && room["fire"] == "alarm").await?;
    assert_eq!(place.written("register", 0).last(), Some(&0));
    assert_eq!(secure(&gateway, "tech-2").await?, "refused");
    let early = gateway.verb(&begin).await?;
    assert!(!early.status.success(), "not in a fire");
    place.set("fire 0").await?;
    until(&gateway, "no fire", |room| room["fire"] == "normal").await?;
    // A restart ends it.
    assert!(gateway.verb(&begin).await?.status.success());
    assert_eq!(secure(&gateway, "tech-3").await?, "done");
    gateway.stop().await?;
    let gateway = centre.gateway().await?;
    let safe = |room: &Value| room["service"].is_null() && room["fire"] == "normal";
    until_room(&gateway, "reading-room", "safe after the restart", safe).await?;
    assert_eq!(place.written("register", 0).last(), Some(&0));
    assert_eq!(secure(&gateway, "tech-4").await?, "refused");
    // Its end by hand.
    assert!(gateway.verb(&begin).await?.status.success());
    assert_eq!(secure(&gateway, "tech-5").await?, "done");
    assert!(gateway.verb(&["mode", "service", "reading-room", "--end"]).await?.status.success());
    until_room(&gateway, "reading-room", "safe after its end", safe).await?;
    assert_eq!(place.written("register", 0).last(), Some(&0));
    let record = std::fs::read_to_string(centre.record(&gateway).await?)?;
    for why in ["更换门锁", "fire", "the gateway started again", "ended by a person"] {
        assert!(record.contains(&format!("\"why\":\"{why}\"")), "{why} is in the record");
    }
    gateway.stop().await
}
