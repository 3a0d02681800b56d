//! From a device to the district's database: real gateways, mosquitto, `linli-district`, PostgreSQL, with kills.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};
use linli_tests::devices::{STORE, floods};
use linli_tests::{Broker, Database, FakeClock, Flood, Gateway, Nats, Platform, Workspace, eventually};

/// Messages that the district has stored.
const STORED: &str = "SELECT (SELECT count(*) FROM message) + (SELECT count(*) FROM event)";

/// Every wait of these tests is for an event; this only bounds a test that would wait for ever.
const PATIENCE: Duration = Duration::from_secs(60);

/// Writes the configuration of the gateway `c/gw`, whose records the district acknowledges.
fn configure(workspace: &Workspace, broker: u16, devices: &str) -> anyhow::Result<PathBuf> {
    let mqtt = format!(
        "[mqtt]\nurl = \"mqtt://127.0.0.1:{broker}\"\nbacklog_rate = 0\nacknowledge = \"district\"\ninbound_qos = 0\n"
    );
    workspace.configure_with(&mqtt, STORE, devices)
}

/// Starts a gateway that answers.
async fn gateway(workspace: &Workspace, config: &std::path::Path) -> anyhow::Result<Gateway> {
    let mut gateway = Gateway::start(config, &workspace.path("data")).await?;
    gateway.answering().await?;
    Ok(gateway)
}

/// Whether nothing waits: neither to be sent, nor for the district.
fn is_delivered(status: &serde_json::Value) -> bool {
    let rows =
        status["store"]["rows"].as_array().map(|rows| rows.iter().filter_map(|n| n.as_u64()).sum::<u64>());
    rows == Some(0) && status["uplink"]["connected"] == true
}

/// Kills of the district's service, the broker, the database and the gateway, in an order that a seed decides.
async fn survives_kills(kills: u32, seed: u64) -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let mut database = Database::start().await?;
    // As Debian configures it: it saves its queues every half an hour, so a kill loses what it has acknowledged.
    let mut broker = Broker::start(&workspace).await?;
    let mut platform = Platform::new(&workspace.path("district"), "one", &database, broker.port).await?;
    platform.verb(&["centre", "add", "c", "gw"]).await?;
    platform.begin().await?;
    let flood = Flood::start().await?;
    let config = configure(&workspace, broker.port, &floods(&flood, 2, "20ms"))?;
    let mut gw = gateway(&workspace, &config).await?;
    let mut random = fastrand::Rng::with_seed(seed);
    for _ in 0..kills {
        let enough = database.number(STORED).await? + random.i64(20..60);
        database.until(STORED, PATIENCE, |stored| stored >= enough).await?;
        match random.u8(..4) {
            0 => {
                platform.kill().await?;
                platform.spawn()?;
            }
            1 => {
                broker.kill().await?;
                broker.begin().await?;
            }
            2 => {
                database.crash().await?;
                database.begin().await?;
            }
            _ => {
                gw.kill().await?;
                gw = gateway(&workspace, &config).await?;
            }
        }
    }
    drop(flood);
    gw.until("everything is delivered", 2 * PATIENCE, is_delivered).await?;
    let stored = database.nothing_is_missing_or_twice().await?;
    let repeated = platform.metric("linli_district_repeated_total")?;
    println!("{kills} kills, {stored} messages stored, {repeated} repeated to the last copy");
    ensure!(stored > i64::from(kills) * 20, "{stored}");
    let status: serde_json::Value = serde_json::from_str(&gw.get("/api/v1/status")?)?;
    ensure!(
        status["uplink"]["acknowledge"] == "district" && status["uplink"]["unconfirmed"] == 0,
        "{status}"
    );
    gw.stop().await?;
    platform.stop().await
}

#[tokio::test]
async fn whatever_is_killed_nothing_is_lost_and_nothing_is_stored_twice() -> anyhow::Result<()> {
    let kills = std::env::var("LINLI_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(12);
    let seed = std::env::var("LINLI_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(20);
    survives_kills(kills, seed).await
}

#[tokio::test]
async fn what_the_broker_loses_after_its_acknowledgement_is_sent_again() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let database = Database::start().await?;
    let mut broker = Broker::start(&workspace).await?;
    let mut platform = Platform::new(&workspace.path("district"), "one", &database, broker.port).await?;
    platform.verb(&["centre", "add", "c", "gw"]).await?;
    // It subscribes once, so that the broker keeps a queue for it, and goes away.
    platform.begin().await?;
    platform.kill().await?;
    let flood = Flood::start().await?;
    let config = configure(&workspace, broker.port, &floods(&flood, 1, "20ms"))?;
    let gw = gateway(&workspace, &config).await?;
    let waits =
        |status: &serde_json::Value| status["uplink"]["unconfirmed"].as_u64().is_some_and(|n| n > 100);
    gw.until("the broker has what nobody has stored", PATIENCE, waits).await?;
    drop(flood);
    // The queue is gone with the broker.
    broker.kill().await?;
    platform.spawn()?;
    broker.begin().await?;
    gw.until("everything is delivered", 2 * PATIENCE, is_delivered).await?;
    let stored = database.nothing_is_missing_or_twice().await?;
    ensure!(stored > 100, "{stored}");
    gw.stop().await
}

/// Waits until the broker's log, whose lines begin with its time in seconds, is that far from the clock of this machine.
async fn is_off(workspace: &Workspace, seconds: i64) -> anyhow::Result<()> {
    let shown = || {
        let log = std::fs::read_to_string(workspace.path("mosquitto.log")).ok()?;
        let at: i64 = log.lines().rev().find_map(|line| line.split(':').next()?.parse().ok())?;
        Some(at - linli_tests::now_ms() / 1000)
    };
    let is_so = || shown().is_some_and(|off| (off - seconds).abs() < 60);
    eventually("the broker's clock is off", PATIENCE, is_so).await
}

#[tokio::test]
async fn a_broker_whose_clock_is_an_hour_off_or_jumps_loses_nothing() -> anyhow::Result<()> {
    const HOUR: i64 = 3600;
    let workspace = Workspace::new()?;
    let database = Database::start().await?;
    let clock = FakeClock::new(&workspace).await?;
    clock.set("+1h")?;
    let mut broker = Broker::start_under(&workspace, clock.environment()).await?;
    is_off(&workspace, HOUR).await?;
    let mut platform = Platform::new(&workspace.path("district"), "one", &database, broker.port).await?;
    platform.verb(&["centre", "add", "c", "gw"]).await?;
    platform.begin().await?;
    let flood = Flood::start().await?;
    let config = configure(&workspace, broker.port, &floods(&flood, 1, "20ms"))?;
    let gw = gateway(&workspace, &config).await?;
    let more = async |what: &'static str| {
        let before = database.number(STORED).await?;
        database.until(STORED, PATIENCE, |stored| stored > before + 50).await.context(what)
    };
    more("an hour ahead").await?;
    clock.set("-1h")?;
    more("two hours back while it runs").await?;
    is_off(&workspace, -HOUR).await?;
    // Two hours forward while a queue waits: what it holds and the session it is for are older than they are.
    platform.kill().await?;
    let waits =
        |status: &serde_json::Value| status["uplink"]["unconfirmed"].as_u64().is_some_and(|n| n > 100);
    gw.until("the broker has what nobody has stored", PATIENCE, waits).await?;
    clock.set("+1h")?;
    is_off(&workspace, HOUR).await?;
    platform.spawn()?;
    more("two hours forward").await?;
    // What it wrote at its end is from the future for the next one, whose clock is right, and the other way round.
    for offset in ["+0", "+1h"] {
        broker.end().await?;
        clock.set(offset)?;
        broker.begin().await?;
        more("started again").await.with_context(|| format!("{offset}\n{}", platform.log()))?;
    }
    drop(flood);
    gw.until("everything is delivered", 2 * PATIENCE, is_delivered).await?;
    let stored = database.nothing_is_missing_or_twice().await?;
    // What was measured keeps the time of the gateway.
    let wrong = "SELECT count(*) FROM message WHERE abs(extract(epoch FROM at - now())) > 1800";
    ensure!(database.number(wrong).await? == 0, "times of the broker");
    ensure!(stored > 300, "{stored}");
    gw.stop().await?;
    platform.stop().await
}

#[tokio::test]
async fn a_copy_that_began_anew_hears_a_broker_that_was_started_again() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let database = Database::start().await?;
    let mut broker = Broker::start(&workspace).await?;
    let mut platform = Platform::new(&workspace.path("district"), "one", &database, broker.port).await?;
    platform.verb(&["centre", "add", "c", "gw"]).await?;
    // The broker keeps its session, of which the next process knows nothing.
    platform.begin().await?;
    platform.stop().await?;
    platform.begin().await?;
    let flood = Flood::start().await?;
    let config = configure(&workspace, broker.port, &floods(&flood, 1, "20ms"))?;
    let gw = gateway(&workspace, &config).await?;
    database.until(STORED, PATIENCE, |stored| stored > 50).await?;
    // mosquitto keeps sessions over a restart, and 2.0.11 not the shared subscriptions in them.
    broker.end().await?;
    broker.begin().await?;
    let before = database.number(STORED).await?;
    database.until(STORED, PATIENCE, |stored| stored > before + 50).await.with_context(|| platform.log())?;
    drop(flood);
    gw.until("everything is delivered", 2 * PATIENCE, is_delivered).await?;
    database.nothing_is_missing_or_twice().await?;
    gw.stop().await?;
    platform.stop().await
}

/// The numbers that the messages on a topic have named, without those of a gap.
fn named(workspace: &Workspace, topic: &str) -> Vec<u64> {
    let text = std::fs::read_to_string(workspace.path("received.tsv")).unwrap_or_default();
    let mut numbers = std::collections::BTreeSet::new();
    for line in text.lines().filter_map(|line| line.strip_prefix(topic)?.strip_prefix('\t')) {
        let body: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
        for range in body["ranges"].as_array().into_iter().flatten() {
            numbers.extend(range[0].as_u64().unwrap_or_default()..=range[1].as_u64().unwrap_or_default());
        }
    }
    numbers.into_iter().collect()
}

#[tokio::test]
async fn rubbish_and_those_who_are_not_who_they_say_are_put_aside_with_the_reason() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let database = Database::start().await?;
    let broker = Broker::start(&workspace).await?;
    let subscriber = broker.subscribe(&workspace).await?;
    let mut platform = Platform::new(&workspace.path("district"), "one", &database, broker.port).await?;
    for (centre, gateway) in [("east", "g"), ("west", "g")] {
        platform.verb(&["centre", "add", centre, gateway]).await?;
    }
    platform.begin().await?;
    let data = |epoch: &str, seq: u32, value: &str| {
        format!(
            r#"{{"epoch":"{epoch}","seq":{seq},"device":"d","samples":[{{"p":"t","t":1795428000000,"v":{value}}}]}}"#
        )
    };
    broker.publish("linli/1/east/g/data/d", &data("of-east", 1, "4.5"), false).await?;
    database.until("SELECT count(*) FROM message", PATIENCE, |n| n == 1).await?;
    let rubbish = [
        ("linli/1/west/g/data/d", data("of-east", 2, "99")),
        ("linli/1/north/g/data/d", data("of-north", 1, "1")),
        ("linli/1/east/g/data/d", "\u{1}no JSON".to_owned()),
        ("linli/1/east/g/data/other", data("of-east", 3, "1")),
        ("linli/1/east/g/data/d", data("of-east", 4, r#""\u0000""#)),
        ("linli/1/east/g/event/alarm", r#"{"seq":1}"#.to_owned()),
    ];
    for (topic, payload) in &rubbish {
        broker.publish(topic, payload, false).await?;
    }
    // What is right goes on among the rubbish, and beyond 2^53 no digit is lost.
    broker.publish("linli/1/east/g/data/d", &data("of-east", 5, "18446744073709551615"), false).await?;
    database.until("SELECT count(*) FROM poison", PATIENCE, |n| n == rubbish.len() as i64).await?;
    database.until("SELECT count(*) FROM message", PATIENCE, |n| n == 2).await?;
    let reasons = database.ask("SELECT string_agg(reason, ' ' ORDER BY id) FROM poison").await?;
    assert_eq!(reasons, "claims_another not_enrolled not_json other_device zero_character no_number");
    assert_eq!(database.ask("SELECT text[1] FROM message WHERE seq = 5").await?, "18446744073709551615");
    // The numbers of what was put aside have arrived: a gateway need not send it for ever.
    assert_eq!(database.ask("SELECT seqs FROM epoch WHERE epoch = 'of-east'").await?, "{[1,2),[3,6)}");
    // In one message or in several, as they were committed.
    eventually("the gateway is told what is stored", PATIENCE, || {
        named(&workspace, "linli/1/east/g/ack") == [1, 3, 4, 5]
    })
    .await?;
    drop(subscriber);
    let (status, shown) = platform.get("/api/v1/aside")?;
    ensure!(status == 200 && shown.contains("claims_another"), "{shown}");
    platform.stop().await
}

#[tokio::test]
async fn two_copies_share_the_messages_of_a_centre_and_show_it() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let database = Database::start().await?;
    let broker = Broker::start(&workspace).await?;
    let mut one = Platform::new(&workspace.path("district"), "one", &database, broker.port).await?;
    let mut two = Platform::new(&workspace.path("district"), "two", &database, broker.port).await?;
    one.verb(&[
        "centre",
        "add",
        "c",
        "gw",
        "--name",
        "试验中心",
        "--phone",
        "021-5555",
        "--place",
        "31.2,121.5",
    ])
    .await?;
    one.begin().await?;
    two.begin().await?;
    let flood = Flood::start().await?;
    let config = configure(&workspace, broker.port, &floods(&flood, 2, "20ms"))?;
    let gw = gateway(&workspace, &config).await?;
    database.until(STORED, PATIENCE, |stored| stored > 300).await?;
    // The copy that has the first message of all in hand, that it is online, may be the slower one.
    database
        .until("SELECT count(*) FROM gateway WHERE online AND mode = 'peace'", PATIENCE, |n| n == 1)
        .await?;
    let (_, centres) = one.get("/api/v1/centres")?;
    let centres: serde_json::Value = serde_json::from_str(&centres)?;
    ensure!(
        centres[0]["centre"] == "c" && centres[0]["online"] == true && centres[0]["mode"] == "peace",
        "{centres}"
    );
    ensure!(centres[0]["phone"] == "021-5555" && centres[0]["doubled"] == false, "{centres}");
    drop(flood);
    // That its devices are silent is told last of all; until then nothing waits at times, and more comes.
    let told = "SELECT count(*) FROM latest WHERE quality = 0";
    database.until(told, 2 * PATIENCE, |n| n == 0).await?;
    gw.until("everything is delivered", 2 * PATIENCE, is_delivered).await?;
    database.nothing_is_missing_or_twice().await?;
    for copy in [&one, &two] {
        let stored = copy.metric("linli_district_stored_total")?;
        ensure!(stored > 20.0, "a copy stored {stored} only");
    }
    let (_, centre) = two.get("/api/v1/centres/c")?;
    let centre: serde_json::Value = serde_json::from_str(&centre)?;
    let values = &centre[0]["devices"][0]["values"];
    ensure!(values.as_array().is_some_and(|values| values.len() == 125), "{centre}");
    let (status, problem) = two.get("/api/v1/centres/c/gw/trend?device=d0&point=none&from=0&to=1")?;
    ensure!(status == 404 && problem.contains("没有"), "{status} {problem}");
    let to = linli_tests::now_ms() + 60_000;
    let point = values[0]["point"].as_str().unwrap_or_default();
    let path = format!("/api/v1/centres/c/gw/trend?device=d0&point={point}&from={}&to={to}", to - 3_600_000);
    let recent = two.get(&path)?.1;
    let before: serde_json::Value = serde_json::from_str(&recent)?;
    ensure!(before.as_array().is_some_and(|values| values.len() > 20), "{before}");
    // Packed, the same values are there.
    let packed = "SELECT count(pack(c.oid::regclass)) FROM pg_class c WHERE relname ~ '^message_[0-9]+$'; \
        DELETE FROM message";
    database.ask(packed).await?;
    let (_, after) = two.get(&path)?;
    ensure!(after == recent, "{after}\n{recent}");
    gw.stop().await?;
    one.stop().await?;
    two.stop().await
}

/// A message of one sample.
fn sample(epoch: &str, seq: u32, at: i64) -> String {
    format!(r#"{{"epoch":"{epoch}","seq":{seq},"device":"d","samples":[{{"p":"t","t":{at},"v":{seq}.5}}]}}"#)
}

#[tokio::test]
async fn the_brokers_rules_let_a_gateway_write_below_its_own_name_only() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let database = Database::start().await?;
    let draft = Platform::new(&workspace.path("draft"), "one", &database, 1).await?;
    for centre in ["east", "west"] {
        draft.verb(&["centre", "add", centre, "g"]).await?;
    }
    let rules = draft.verb(&["centre", "acl"]).await?;
    let broker = Broker::start_with_rules(&workspace, &["district", "east.g", "west.g"], &rules).await?;
    let mut platform = Platform::new(&workspace.path("platform"), "one", &database, broker.port).await?;
    platform.log_in_at_broker("district")?;
    platform.begin().await?;
    let now = linli_tests::now_ms();
    broker.publish_as("east.g", "linli/1/west/g/data/d", &sample("of-east", 1, now)).await?;
    broker.publish_as("east.g", "linli/1/east/g/ack", r#"{"epoch":"of-east","ranges":[[1,9]]}"#).await?;
    broker.publish_as("east.g", "linli/1/east/g/data/d", &sample("of-east", 2, now)).await?;
    broker.publish_as("west.g", "linli/1/west/g/data/d", &sample("of-west", 3, now)).await?;
    database.until("SELECT count(*) FROM message", PATIENCE, |n| n == 2).await?;
    let owners = "SELECT string_agg(g.centre || ' ' || m.seq, ',' ORDER BY m.seq) FROM message m \
        JOIN epoch e ON e.id = m.epoch JOIN gateway g ON g.id = e.gateway";
    assert_eq!(database.ask(owners).await?, "east 2,west 3");
    assert_eq!(database.number("SELECT count(*) FROM poison").await?, 0, "refused by the broker already");
    // Revoked, it is heard no more.
    platform.verb(&["centre", "revoke", "west", "g"]).await?;
    platform.stop().await?;
    platform.begin().await?;
    broker.publish_as("west.g", "linli/1/west/g/data/d", &sample("of-west", 4, now)).await?;
    database.until("SELECT count(*) FROM poison WHERE reason = 'not_enrolled'", PATIENCE, |n| n == 1).await?;
    platform.stop().await
}

#[tokio::test]
async fn old_days_are_packed_and_a_wrong_clock_loses_nothing() -> anyhow::Result<()> {
    const DAY: i64 = 86_400_000;
    let workspace = Workspace::new()?;
    let database = Database::start().await?;
    let broker = Broker::start(&workspace).await?;
    let mut platform = Platform::new(&workspace.path("district"), "one", &database, broker.port).await?;
    platform.verb(&["centre", "add", "c", "g"]).await?;
    platform.begin().await?;
    let now = linli_tests::now_ms();
    let times = [now, now - 40 * DAY, now - 40 * DAY + 1000, now + 9 * DAY, now + 5000 * DAY];
    for (seq, at) in (1_u32..).zip(times) {
        broker.publish("linli/1/c/g/data/d", &sample("e", seq, at), false).await?;
    }
    database.until("SELECT count(*) FROM message", PATIENCE, |n| n == 5).await?;
    assert_eq!(database.number("SELECT count(*) FROM message_default").await?, 4);
    // The day of a future value gets its partition later: the value moves into it.
    database.ask("SELECT make_partitions(current_date, current_date + 10)").await?;
    assert_eq!(database.number("SELECT count(*) FROM message_default").await?, 3);
    // A partition of a day that is no longer recent.
    database.ask("SELECT make_partition('message', 'shape, at', current_date - 20)").await?;
    broker.publish("linli/1/c/g/data/d", &sample("e", 6, now - 20 * DAY), false).await?;
    database.until("SELECT count(*) FROM message", PATIENCE, |n| n == 6).await?;
    // At each start it looks after its tables.
    platform.stop().await?;
    platform.begin().await?;
    assert_eq!(database.number("SELECT sum(cardinality(at))::int8 FROM packed").await?, 3);
    assert_eq!(database.number("SELECT count(*) FROM message").await?, 3);
    let gone =
        "SELECT count(*) FROM pg_class WHERE relname = 'message_' || to_char(current_date - 20, 'YYYYMMDD')";
    assert_eq!(database.number(gone).await?, 0);
    for (from, to, expected) in [(-41, -39, 2), (-21, -19, 1), (-1, 1, 1), (8, 10, 1)] {
        let (from, to) = (now + from * DAY, now + to * DAY);
        let path = format!("/api/v1/centres/c/g/trend?device=d&point=t&from={from}&to={to}");
        let (_, trend) = platform.get(&path)?;
        let trend: Vec<serde_json::Value> = serde_json::from_str(&trend)?;
        assert_eq!(trend.len(), expected, "{trend:?}");
        assert!(trend.iter().all(|value| value[1].as_f64().is_some_and(|value| value.fract() == 0.5)));
    }
    platform.stop().await
}

#[tokio::test]
async fn through_nats_jetstream_nothing_is_lost_either() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let database = Database::start().await?;
    let mut nats = Nats::start(&workspace).await?;
    let mut platform = Platform::new(&workspace.path("district"), "one", &database, 1).await?;
    platform.listen_to(&format!("nats://127.0.0.1:{}", nats.port))?;
    platform.verb(&["centre", "add", "c", "gw"]).await?;
    platform.spawn()?;
    let flood = Flood::start().await?;
    let mqtt = format!(
        "[mqtt]\nurl = \"mqtt://127.0.0.1:{}\"\nversion = \"3.1.1\"\nbacklog_rate = 0\n\
         acknowledge = \"district\"\ninbound_qos = 0\n",
        nats.mqtt
    );
    let config = workspace.configure_with(&mqtt, STORE, &floods(&flood, 1, "20ms"))?;
    let gw = gateway(&workspace, &config).await?;
    // The copy dies, then the server; what was handed out to the dead copy comes again after half a minute at most.
    database.until(STORED, PATIENCE, |stored| stored > 100).await?;
    platform.kill().await?;
    platform.spawn()?;
    let before = database.number(STORED).await?;
    database.until(STORED, PATIENCE, |stored| stored > before + 100).await?;
    nats.kill().await?;
    nats.begin().await?;
    let before = database.number(STORED).await?;
    database.until(STORED, PATIENCE, |stored| stored > before + 100).await?;
    drop(flood);
    gw.until("everything is delivered", 2 * PATIENCE, is_delivered).await?;
    let stored = database.nothing_is_missing_or_twice().await?;
    ensure!(stored > 300, "{stored}");
    ensure!(database.ask("SELECT online, mode FROM gateway").await? == "t|peace", "its state came too");
    gw.stop().await?;
    platform.stop().await
}
