//! What the district knows of a gateway's rooms: their names, and which can be switched before any ever was. What an event
//! said of a room is never overruled by the mode of the whole.

use std::time::Duration;

use anyhow::ensure;
use linli_tests::{Broker, Database, Platform, Workspace, now_ms, tool};
use serde_json::{Value, json};
use tokio::process::Command;

/// Every wait is for an event; this only bounds a test that would wait for ever.
const PATIENCE: Duration = Duration::from_secs(60);

/// Publishes a message of the gateway `c/g`, by a client that we did not write.
async fn publish(port: u16, below: &str, body: &Value) -> anyhow::Result<()> {
    let (port, topic, body) = (port.to_string(), format!("linli/1/c/g/{below}"), body.to_string());
    let mut command = Command::new(tool("mosquitto_pub", "mosquitto-clients")?);
    command.args(["-q", "1", "-p", &port, "-t", &topic, "-m", &body]);
    ensure!(command.status().await?.success(), "{topic}");
    Ok(())
}

/// The rooms of the gateway as screens get them.
fn rooms(platform: &Platform) -> anyhow::Result<Value> {
    let centre: Value = serde_json::from_str(&platform.get("/api/v1/centres/c")?.1)?;
    let told = |room: &Value| json!([room["room"], room["name"], room["stage"], room["at"].is_null()]);
    let rooms = centre[0]["rooms"].as_array().cloned().unwrap_or_default();
    Ok(rooms.iter().map(told).collect())
}

#[tokio::test]
async fn rooms_are_known_from_the_status_and_their_stages_from_events() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let database = Database::start().await?;
    let broker = Broker::start(&workspace).await?;
    let mut platform = Platform::new(&workspace.path("platform"), "one", &database, broker.port).await?;
    platform.verb(&["centre", "add", "c", "g"]).await?;
    platform.begin().await?;
    let status = |mode: &str, names: Value, switches: Value| {
        json!({"online": true, "version": "t", "boot": "t", "epoch": "e", "mode": mode, "at": now_ms(),
            "rooms": names, "switches": switches})
    };
    let both = json!({"hall": "活动厅", "kitchen": "后厨", "corridor": "走廊"});
    publish(broker.port, "status", &status("acting", both.clone(), json!(["hall", "kitchen"]))).await?;
    database.until("SELECT count(*) FROM room WHERE stage IS NULL", PATIENCE, |n| n == 2).await?;
    ensure!(
        rooms(&platform)? == json!([["hall", "活动厅", null, true], ["kitchen", "后厨", null, true]]),
        "something is switched, and which is not known: {}",
        rooms(&platform)?
    );
    // An event of long ago that comes only now says more than the mode of the whole.
    let event = json!({"epoch": "e", "seq": 1, "at": now_ms() - 3_600_000, "kind": "room", "room": "kitchen",
        "stage": "ready", "role": "supplies_warehouse"});
    publish(broker.port, "event/mode", &event).await?;
    database.until("SELECT count(*) FROM room WHERE stage = 'ready'", PATIENCE, |n| n == 1).await?;
    publish(broker.port, "status", &status("peace", both, json!(["hall", "kitchen"]))).await?;
    database.until("SELECT count(*) FROM room WHERE stage = 'peace'", PATIENCE, |n| n == 1).await?;
    ensure!(
        rooms(&platform)? == json!([["hall", "活动厅", "peace", true], ["kitchen", "后厨", "ready", false]]),
        "{}",
        rooms(&platform)?
    );
    // A room that is no longer there is forgotten; one that was left in the middle is not.
    let other = json!({"office": "办公室"});
    publish(broker.port, "status", &status("peace", other, json!(["office"]))).await?;
    database.until("SELECT count(*) FROM room WHERE room = 'office'", PATIENCE, |n| n == 1).await?;
    ensure!(
        rooms(&platform)? == json!([["kitchen", null, "ready", false], ["office", "办公室", "peace", true]]),
        "{}",
        rooms(&platform)?
    );
    // Without plans no room is switched; a name that cannot be kept is left out, and the rest counts.
    let none = json!({"office": "", "store": "仓库"});
    publish(broker.port, "status", &status("peace", none, Value::Null)).await?;
    database.until("SELECT count(*) FROM room", PATIENCE, |n| n == 1).await?;
    ensure!(
        database.number("SELECT count(*) FROM gateway WHERE rooms = '{\"store\": \"仓库\"}'").await? == 1,
        "its names"
    );
    platform.stop().await
}
