//! The district on a cluster: three NATS servers, two copies of the service, PostgreSQL. One node at a time may die, and
//! all of them.

use std::time::Duration;

use anyhow::ensure;
use linli_tests::devices::{STORE, floods};
use linli_tests::{Database, Flood, Gateway, Nats, Platform, Workspace};

/// Messages that the district has stored.
const STORED: &str = "SELECT (SELECT count(*) FROM message) + (SELECT count(*) FROM event)";

/// Every wait of these tests is for an event; this only bounds a test that would wait for ever. A cluster elects its
/// leaders, and messages in hand of a dead copy come again after half a minute.
const PATIENCE: Duration = Duration::from_secs(120);

/// Whether nothing waits: neither to be sent, nor for the district.
fn is_delivered(status: &serde_json::Value) -> bool {
    let rows =
        status["store"]["rows"].as_array().map(|rows| rows.iter().filter_map(|n| n.as_u64()).sum::<u64>());
    rows == Some(0) && status["uplink"]["connected"] == true
}

/// Waits until so many more are stored.
async fn stored_more(database: &Database, more: i64) -> anyhow::Result<()> {
    let before = database.number(STORED).await?;
    database.until(STORED, PATIENCE, |stored| stored > before + more).await.map(drop)
}

#[tokio::test]
async fn whichever_node_dies_and_when_all_die_nothing_is_lost() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let database = Database::start().await?;
    let mut nodes = Nats::cluster(&workspace).await?;
    let mut copies = Vec::new();
    for (nth, name) in ["one", "two"].into_iter().enumerate() {
        let copy = Platform::new(&workspace.path("district"), name, &database, 1).await?;
        // Each begins at another node and knows all of them.
        let mut urls: Vec<String> =
            nodes.iter().map(|node| format!("nats://127.0.0.1:{}", node.port)).collect();
        urls.rotate_left(nth);
        copy.listen_to_all(&urls)?;
        copies.push(copy);
    }
    copies[0].verb(&["centre", "add", "c", "gw"]).await?;
    for copy in &mut copies {
        copy.spawn()?;
    }
    let flood = Flood::start().await?;
    let more: Vec<String> =
        nodes[1..].iter().map(|node| format!("\"mqtt://127.0.0.1:{}\"", node.mqtt)).collect();
    let mqtt = format!(
        "[mqtt]\nurl = \"mqtt://127.0.0.1:{}\"\nmore_urls = [{}]\nversion = \"3.1.1\"\nbacklog_rate = 0\n\
         acknowledge = \"district\"\ninbound_qos = 0\n",
        nodes[0].mqtt,
        more.join(", ")
    );
    let config = workspace.configure_with(&mqtt, STORE, &floods(&flood, 1, "50ms"))?;
    let mut gw = Gateway::start(&config, &workspace.path("data")).await?;
    gw.answering().await?;
    stored_more(&database, 100).await?;
    for node in &mut nodes {
        node.kill().await?;
        stored_more(&database, 50).await?;
        node.begin().await?;
    }
    copies[0].kill().await?;
    stored_more(&database, 50).await?;
    copies[0].spawn()?;
    for node in &mut nodes {
        node.kill().await?;
    }
    Nats::begin_all(&mut nodes).await?;
    stored_more(&database, 50).await?;
    drop(flood);
    gw.until("everything is delivered", 2 * PATIENCE, is_delivered).await?;
    let stored = database.nothing_is_missing_or_twice().await?;
    ensure!(stored > 300, "{stored}");
    println!("{stored} messages stored, none missing, none twice");
    gw.stop().await?;
    for copy in &mut copies {
        copy.stop().await?;
    }
    Ok(())
}
