//! Nothing that was accepted is lost: every number arrives, or the ledger names it.

use std::time::Duration;

use linli_tests::devices::{STORE, counter, counter_on, counter_serial, floods};
use linli_tests::{Broker, Cable, Flood, Gateway, Peer, Proof, Workspace, eventually, free_port};
use tokio::time::sleep;

/// Waits until the broker has acknowledged that many more messages.
async fn acknowledges(gateway: &Gateway, more: u64) -> anyhow::Result<()> {
    let count = |status: &serde_json::Value| status["uplink"]["acknowledged"].as_u64().unwrap_or_default();
    let before = count(&serde_json::from_str(&gateway.get("/api/v1/status")?)?);
    let is_enough = |status: &serde_json::Value| count(status) >= before + more;
    gateway.until("the broker acknowledges messages", Duration::from_secs(60), is_enough).await
}

/// Asserts that every change of the counter is there, in order: it goes on when it was read.
fn every_change_in_order(proof: &Proof, device: &str) {
    let mut values = proof.values(device, "counter");
    values.dedup();
    let begin = values.first().copied().expect("something arrived");
    let expect: Vec<i64> =
        (begin..begin + i64::try_from(values.len()).expect("a few thousand values")).collect();
    assert_eq!(values, expect, "a change is missing or out of order");
    assert!(values.len() > 20, "a counter that stands still proves nothing: {values:?}");
}

#[tokio::test]
async fn every_change_of_a_counter_arrives_in_order_over_all_three_media() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let broker = Broker::start(&workspace).await?;
    let subscriber = broker.subscribe(&workspace).await?;
    let port = free_port()?;
    let _tcp = Peer::counting_reads("tcp", &port.to_string()).await?;
    let cable = Cable::connect(&workspace).await?;
    let _serial = Peer::counting_reads("serial", &cable.server.to_string_lossy()).await?;
    let mut devices = counter(port, "50ms");
    devices += &counter_serial("l2", "d2", &cable.gateway, "120ms");
    let server = free_port()?;
    let _server = Peer::counting_reads("rtu_over_tcp", &server.to_string()).await?;
    let medium = format!("kind = \"modbus_rtu_over_tcp\"\nendpoint = \"127.0.0.1:{server}\"");
    devices += &counter_on("l3", "d3", &medium, "60ms");
    let config = workspace.configure(broker.port, STORE, &devices)?;
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    eventually("enough of each counter", Duration::from_secs(120), || {
        let proof = Proof::of(&subscriber.received().unwrap_or_default());
        let is_enough = |device: &str, most: usize| {
            let mut values = proof.values(device, "counter");
            let all = values.len();
            values.dedup();
            all > most && values.len() > 20
        };
        is_enough("d1", 100) && is_enough("d2", 40) && is_enough("d3", 40)
    })
    .await?;
    gateway.stop().await?;
    let proof = Proof::of(&subscriber.settled().await?);
    proof.nothing_is_missing()?;
    every_change_in_order(&proof, "d1");
    every_change_in_order(&proof, "d2");
    every_change_in_order(&proof, "d3");
    assert!(proof.values("d1", "counter").len() > 100, "{}", proof.values("d1", "counter").len());
    assert!(proof.values("d2", "counter").len() > 40, "{}", proof.values("d2", "counter").len());
    Ok(())
}

#[tokio::test]
async fn nothing_is_lost_when_the_gateway_is_killed_200_times() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let broker = Broker::start(&workspace).await?;
    let subscriber = broker.subscribe(&workspace).await?;
    let flood = Flood::start().await?;
    let config = workspace.configure(broker.port, STORE, &floods(&flood, 4, "20ms"))?;
    let mut random = fastrand::Rng::with_seed(0x9E37_79B9);
    for _ in 0..200 {
        let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
        gateway.answering().await?;
        // A different moment each time, from 0 to 200 ms after it began to answer.
        sleep(Duration::from_millis(random.u64(..200))).await;
        gateway.kill().await?;
    }
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    gateway
        .until("the backlog is delivered", Duration::from_secs(60), |status| {
            status["store"]["rows"][1].as_u64().is_some_and(|rows| rows < 50)
                && status["uplink"]["connected"] == true
        })
        .await?;
    gateway.stop().await?;
    let proof = Proof::of(&subscriber.settled().await?);
    proof.nothing_is_missing()?;
    assert_eq!(proof.seqs.len(), 1, "one database all the time");
    assert!(proof.ledger.is_empty(), "{:?}", proof.ledger);
    println!("{} messages, {} duplicates", proof.highest(), proof.duplicates);
    Ok(())
}

#[tokio::test]
async fn a_broker_that_comes_and_goes_misses_nothing() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let mut broker = Broker::start(&workspace).await?;
    let subscriber = broker.subscribe(&workspace).await?;
    let flood = Flood::start().await?;
    let config = workspace.configure(broker.port, STORE, &floods(&flood, 2, "20ms"))?;
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    for _ in 0..3 {
        acknowledges(&gateway, 20).await?;
        broker.end().await?;
        gateway
            .until("messages wait for the broker", Duration::from_secs(60), |s| {
                s["uplink"]["connected"] == false
                    && s["store"]["rows"][1].as_u64().is_some_and(|rows| rows > 20)
            })
            .await?;
        broker.begin().await?;
    }
    gateway
        .until("the backlog is delivered", Duration::from_secs(60), |s| {
            s["uplink"]["connected"] == true && s["store"]["rows"][1].as_u64().is_some_and(|rows| rows < 20)
        })
        .await?;
    gateway.stop().await?;
    let proof = Proof::of(&subscriber.settled().await?);
    proof.nothing_is_missing()?;
    assert!(proof.ledger.is_empty(), "{:?}", proof.ledger);
    Ok(())
}

#[tokio::test]
async fn a_million_samples_wait_for_a_broker_that_is_away() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let mut broker = Broker::start(&workspace).await?;
    let subscriber = broker.subscribe(&workspace).await?;
    broker.end().await?;
    let flood = Flood::start().await?;
    let config = workspace.configure(broker.port, STORE, &floods(&flood, 8, "20ms"))?;
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    let enough = |s: &serde_json::Value| s["values_reported"].as_u64().is_some_and(|n| n >= 1_000_000);
    gateway.until("a million samples are read", Duration::from_secs(120), enough).await?;
    broker.begin().await?;
    gateway
        .until("the backlog is delivered", Duration::from_secs(120), |status| {
            status["store"]["rows"][1].as_u64().is_some_and(|rows| rows < 400)
                && status["uplink"]["connected"] == true
        })
        .await?;
    gateway.stop().await?;
    // A stop waits for a busy broker for a while only. The next process, with little to read, delivers what it left.
    workspace.configure(broker.port, STORE, &floods(&flood, 8, "60s"))?;
    let gateway = Gateway::start(&config, &workspace.path("data")).await?;
    let rest =
        |status: &serde_json::Value| status["store"]["rows"][1] == 0 && status["uplink"]["connected"] == true;
    gateway.until("the rest is delivered", Duration::from_secs(60), rest).await?;
    gateway.stop().await?;
    let proof = Proof::of(&subscriber.settled().await?);
    proof.nothing_is_missing()?;
    assert!(proof.ledger.is_empty(), "{:?}", proof.ledger);
    assert!(proof.data.len() >= 8000, "{}", proof.data.len());
    Ok(())
}

#[tokio::test]
async fn a_database_overwritten_with_garbage_is_set_aside_and_told() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let broker = Broker::start(&workspace).await?;
    let subscriber = broker.subscribe(&workspace).await?;
    let flood = Flood::start().await?;
    let config = workspace.configure(broker.port, STORE, &floods(&flood, 1, "50ms"))?;
    let data = workspace.path("data");
    let mut gateway = Gateway::start(&config, &data).await?;
    gateway.answering().await?;
    acknowledges(&gateway, 10).await?;
    gateway.stop().await?;
    std::fs::write(data.join("linli.db"), vec![0xA5; 100_000])?;
    let mut gateway = Gateway::start(&config, &data).await?;
    gateway.answering().await?;
    acknowledges(&gateway, 10).await?;
    gateway.stop().await?;
    let received = subscriber.settled().await?;
    let proof = Proof::of(&received);
    assert_eq!(proof.seqs.len(), 2, "a new epoch began");
    let reported =
        received.iter().any(|m| m.topic.ends_with("/event/ledger") && m.payload["reason"] == "damaged");
    assert!(reported, "the ledger tells of the damaged database");
    let aside =
        std::fs::read_dir(&data)?.flatten().any(|e| e.file_name().to_string_lossy().contains(".corrupt-"));
    assert!(aside, "the damaged file is kept for a person");
    Ok(())
}

#[tokio::test]
async fn what_the_broker_can_never_take_is_kept_aside_and_told_and_blocks_nothing() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let broker = Broker::start_small(&workspace, 4000).await?;
    let subscriber = broker.subscribe(&workspace).await?;
    let (flood, port) = (Flood::start().await?, free_port()?);
    let _peer = Peer::tcp(port, 1, 300).await?;
    // 125 values make a message of about 8 kB; the counter's is small.
    let small = counter(port, "100ms").replace("\"l1\"", "\"lc\"").replace("\"d1\"", "\"dc\"");
    let config = workspace.configure(broker.port, STORE, &(floods(&flood, 1, "500ms") + &small))?;
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    let buried = |s: &serde_json::Value| s["uplink"]["dead_letters"].as_u64().unwrap_or_default();
    gateway.until("messages are buried", Duration::from_secs(60), |s| buried(s) >= 5).await?;
    acknowledges(&gateway, 10).await?;
    gateway.stop().await?;
    // What was stored or buried in the last moment is told after the next start: each lane is in
    // order, the two beside each other are not.
    let config = workspace.configure(broker.port, STORE, &small)?;
    let gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway
        .until("what was left is told", Duration::from_secs(60), |s| {
            s["uplink"]["acknowledged"].as_u64() > Some(20) && s["store"]["rows"][0] == 0
        })
        .await?;
    gateway.stop().await?;
    let proof = Proof::of(&subscriber.settled().await?);
    proof.nothing_is_missing()?;
    assert!(proof.ledger.iter().all(|(.., reason)| reason == "dead_letter"), "{:?}", proof.ledger);
    assert!(proof.ledger.len() >= 5, "{:?}", proof.ledger);
    assert!(proof.values("dc", "counter").len() > 10, "the small ones got through");
    Ok(())
}

#[tokio::test]
async fn a_full_disk_gives_up_only_what_the_ledger_names() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let mut broker = Broker::start(&workspace).await?;
    let subscriber = broker.subscribe(&workspace).await?;
    broker.end().await?;
    let data = workspace.path("data");
    std::fs::create_dir_all(&data)?;
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=16m,mode=700", "tmpfs"])
        .arg(&data)
        .status()?;
    anyhow::ensure!(mounted.success(), "a small tmpfs cannot be mounted: run the tests as root");
    let outcome = fill_the_disk(&workspace, &mut broker, &data).await;
    // Unmounting is also what proves that nothing of ours is left running on it.
    let unmounted = std::process::Command::new("umount").arg(&data).status()?;
    outcome?;
    anyhow::ensure!(unmounted.success(), "the tmpfs is still in use");
    let proof = Proof::of(&subscriber.settled().await?);
    proof.nothing_is_missing()?;
    let reasons: std::collections::BTreeSet<&str> =
        proof.ledger.iter().map(|(.., reason)| reason.as_str()).collect();
    assert!(reasons.contains("disk_full"), "{reasons:?}");
    Ok(())
}

async fn fill_the_disk(
    workspace: &Workspace,
    broker: &mut Broker,
    data: &std::path::Path,
) -> anyhow::Result<()> {
    let flood = Flood::start().await?;
    let config = workspace.configure(broker.port, STORE, &floods(&flood, 16, "20ms"))?;
    let mut gateway = Gateway::start(&config, data).await?;
    gateway.answering().await?;
    // Long enough full that room has to be made several times over.
    gateway
        .until("records were given up again and again", Duration::from_secs(240), |status| {
            assert_ne!(status["store"]["writable"], false, "room is always made: {status}");
            status["store"]["given_up"].as_u64().is_some_and(|n| n > 5_000)
        })
        .await?;
    broker.begin().await?;
    gateway
        .until("the backlog is delivered", Duration::from_secs(120), |status| {
            status["store"]["rows"][1].as_u64().is_some_and(|rows| rows < 400)
                && status["uplink"]["connected"] == true
        })
        .await?;
    gateway
        .until("the database may grow again", Duration::from_secs(180), |status| {
            status["store"]["disk_full"] == false
        })
        .await?;
    gateway.stop().await
}
