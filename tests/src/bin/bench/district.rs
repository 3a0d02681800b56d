//! The district: how fast a queue of mosquitto becomes rows of PostgreSQL.

use std::time::Duration;

use anyhow::Context;
use linli_tests::{Broker, Database, Nats, Platform, Workspace};
use mqtt_v311::{AsyncClient, Event, MqttOptions, Packet, PublishOptions};
use tokio::time::Instant;

use crate::measure::Row;

/// Centres, and messages of all of them.
const CENTRES: usize = 100;
const MESSAGES: usize = 150_000;

/// Messages of the other loads.
const FEWER: usize = 60_000;

/// Samples of a message.
const SAMPLES: usize = 6;

/// Connections that fill the queue.
const CONNECTIONS: usize = 10;

/// Connections to the three brokers of a cluster, each with a centre of its own.
const OF_THE_CLUSTER: usize = 150;

/// What is stored: centres and messages of each.
#[derive(Clone, Copy)]
struct Load {
    centres: usize,
    each: usize,
}

/// Messages that have arrived.
pub const ARRIVED: &str =
    "SELECT coalesce(sum((SELECT sum(upper(r) - lower(r)) FROM unnest(seqs) r)), 0)::int8 FROM epoch";

/// Measures one copy, then two.
pub async fn run() -> anyhow::Result<Vec<Row>> {
    let usual = Load { centres: CENTRES, each: MESSAGES / CENTRES };
    let one = drain(1, usual).await?;
    let two = drain(2, usual).await?;
    Ok(stored(&one, &two))
}

/// Measures copies that want the same row: all messages are of one centre.
pub async fn contention() -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for copies in [1, 2, 4] {
        let of_one = drain(copies, Load { centres: 1, each: FEWER }).await?;
        let of_many = drain(copies, Load { centres: CENTRES, each: FEWER / CENTRES }).await?;
        let name = format!("contention: messages/s of one centre alone by {copies} copies");
        let row = Row::new(name, "", format!("{:.0}", of_one.rate));
        rows.push(row.against(format!("{:.0} of 100 centres", of_many.rate), of_one.rate / of_many.rate));
    }
    Ok(rows)
}

fn stored(one: &Stored, two: &Stored) -> Vec<Row> {
    let rate = |stored: &Stored| format!("{:.0} ({:.0} values/s)", stored.rate, stored.rate * SAMPLES as f64);
    vec![
        Row::new("district: messages/s stored from mosquitto's queue by one copy", "", rate(one)),
        Row::new("the same by two copies", "20 000", rate(two)).against(rate(one), two.rate / one.rate),
        Row::new("bytes a value of recent days, with index", "25", format!("{:.1}", two.recent)),
        Row::new("bytes a value packed", "14", format!("{:.1}", two.packed)),
        Row::new("map of all centres, ms", "1000", format!("{:.1}", two.map_ms)),
        Row::new("one point of one day, ms", "50", format!("{:.1}", two.trend_ms)),
    ]
}

struct Stored {
    rate: f64,
    recent: f64,
    packed: f64,
    map_ms: f64,
    trend_ms: f64,
}

/// Fills the queue while the copies are away, then lets them store it.
async fn drain(copies: usize, load: Load) -> anyhow::Result<Stored> {
    let workspace = Workspace::new()?;
    let database = Database::start().await?;
    let broker = Broker::start(&workspace).await?;
    let mut platforms = Vec::new();
    for copy in 0..copies {
        let name = format!("copy-{copy}");
        platforms.push(Platform::new(&workspace.path("district"), &name, &database, broker.port).await?);
    }
    enrol(&database, load.centres).await?;
    // Once, so that the broker keeps a queue for each.
    for platform in &mut platforms {
        platform.begin().await?;
    }
    for platform in &mut platforms {
        platform.stop().await?;
    }
    let now = linli_tests::now_ms();
    let connections = CONNECTIONS.min(load.centres);
    let filling: Vec<_> =
        (0..connections).map(|nth| tokio::spawn(fill(nth, connections, broker.port, now, load))).collect();
    for task in filling {
        task.await??;
    }
    let began = Instant::now();
    for platform in &mut platforms {
        platform.spawn()?;
    }
    let all = i64::try_from(load.centres * load.each)?;
    database.until(ARRIVED, Duration::from_secs(300), |stored| stored >= all).await?;
    let seconds = began.elapsed().as_secs_f64();
    database.nothing_is_missing_or_twice().await?;
    let values = (load.centres * load.each * SAMPLES) as f64;
    let bytes = async |sql: &str| anyhow::Ok(database.number(sql).await? as f64 / values);
    let recent = bytes(
        "SELECT sum(pg_total_relation_size(inhrelid))::int8 FROM pg_inherits WHERE inhparent = 'message'::regclass",
    )
    .await?;
    let last = platforms.last().context("a copy")?;
    let (map_ms, trend_ms) = (timed(last, "/api/v1/centres")?, {
        let path = format!(
            "/api/v1/centres/c0/g/trend?device=d0&point=p0&from={}&to={}",
            now - 43_200_000,
            now + 43_200_000
        );
        timed(last, &path)?
    });
    let pack = "SELECT pack(inhrelid::regclass) FROM pg_inherits WHERE inhparent = 'message'::regclass";
    database.ask(pack).await?;
    let packed = bytes("SELECT pg_total_relation_size('packed')").await?;
    for platform in &mut platforms {
        platform.stop().await?;
    }
    Ok(Stored { rate: all as f64 / seconds, recent, packed, map_ms, trend_ms })
}

/// Three NATS servers that each keep every message, two copies: from the first message to the last commit.
pub async fn cluster() -> anyhow::Result<Vec<Row>> {
    let workspace = Workspace::new()?;
    let database = Database::start().await?;
    let nodes = Nats::cluster(&workspace).await?;
    let urls: Vec<String> = nodes.iter().map(|node| format!("nats://127.0.0.1:{}", node.port)).collect();
    let mut platforms = Vec::new();
    for copy in ["one", "two"] {
        let mut platform = Platform::new(&workspace.path("district"), copy, &database, 1).await?;
        platform.listen_to_all(&urls)?;
        platform.spawn()?;
        platforms.push(platform);
    }
    let load = Load { centres: OF_THE_CLUSTER, each: FEWER / OF_THE_CLUSTER };
    enrol(&database, load.centres).await?;
    // The first connection makes the stream; the copies make their consumer then.
    fill(0, 1, nodes[0].mqtt, linli_tests::now_ms(), Load { centres: 1, each: 1 }).await?;
    database.until("SELECT count(*) FROM message", Duration::from_secs(60), |n| n == 1).await?;
    let began = Instant::now();
    let now = linli_tests::now_ms();
    let filling: Vec<_> = (0..load.centres)
        .map(|nth| {
            let port = nodes[nth % nodes.len()].mqtt;
            tokio::spawn(fill(nth, load.centres, port, now, load))
        })
        .collect();
    for task in filling {
        task.await??;
    }
    let all = i64::try_from(load.centres * load.each)?;
    database.until(ARRIVED, Duration::from_secs(300), |stored| stored >= all).await?;
    let rate = all as f64 / began.elapsed().as_secs_f64();
    database.nothing_is_missing_or_twice().await?;
    for platform in &mut platforms {
        platform.stop().await?;
    }
    Ok(vec![Row::new(
        "messages/s through three NATS servers, stored by two copies",
        "6 000",
        format!("{rate:.0}"),
    )])
}

/// Enrols the centres `c0`, `c1`, …
pub async fn enrol(database: &Database, centres: usize) -> anyhow::Result<()> {
    let last = centres - 1;
    let sql = format!(
        "INSERT INTO gateway (centre, gateway) SELECT 'c' || n, 'g' FROM generate_series(0, {last}) n"
    );
    database.ask(&sql).await.map(drop)
}

/// The shortest of five answers.
pub fn timed(platform: &Platform, path: &str) -> anyhow::Result<f64> {
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        let began = Instant::now();
        let (status, answer) = platform.get(path)?;
        anyhow::ensure!(status == 200, "{path}: {status} {answer}");
        best = best.min(began.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(best)
}

/// Publishes the messages of a part of the centres and waits until all are acknowledged.
async fn fill(nth: usize, connections: usize, port: u16, now: i64, load: Load) -> anyhow::Result<()> {
    let mut options = MqttOptions::new(format!("load-{nth}"), ("127.0.0.1", port));
    options.set_inflight(500);
    let (client, mut events) = AsyncClient::builder(options).capacity(500).build();
    let count = (nth..load.centres).step_by(connections).count() * load.each;
    let sending = tokio::spawn(async move {
        for seq in 1..=load.each {
            for centre in (nth..load.centres).step_by(connections) {
                let (device, at) = (seq % 12, now + i64::try_from(seq * 250).unwrap_or_default());
                let samples: Vec<String> = (0..SAMPLES)
                    .map(|point| {
                        let value = 4.0 + ((seq * 7 + point * 13) % 100) as f64 / 10.0;
                        format!(r#"{{"p":"p{point}","t":{at},"v":{value}}}"#)
                    })
                    .collect();
                let payload = format!(
                    r#"{{"epoch":"epoch-of-{centre}","seq":{seq},"device":"d{device}","samples":[{}]}}"#,
                    samples.join(",")
                );
                let topic = format!("linli/1/c{centre}/g/data/d{device}");
                client.publish(topic, payload, PublishOptions::at_least_once()).await?;
            }
        }
        anyhow::Ok(client)
    });
    let mut acknowledged = 0;
    while acknowledged < count {
        if let Event::Incoming(Packet::PubAck(_)) = events.poll().await? {
            acknowledged += 1;
        }
    }
    sending.await??;
    Ok(())
}
