//! The district: how fast a queue of mosquitto becomes rows of PostgreSQL.

use std::time::Duration;

use anyhow::{Context, ensure};
use linli_tests::{Database, Nats, Platform, Workspace};
use tokio::time::Instant;

use crate::central::{ARRIVED, Central, SAMPLES, enrol, message, publish, timed};
use crate::measure::Row;

/// Centres, and messages of all of them.
const CENTRES: usize = 100;
const MESSAGES: usize = 150_000;

/// Messages of the other loads.
const FEWER: usize = 60_000;

/// Connections that fill the queue.
const CONNECTIONS: usize = 10;

/// Connections to the three brokers of a cluster, each with a centre of its own.
const OF_THE_CLUSTER: usize = 150;

/// All of a queue is stored within this.
const DRAINED_WITHIN: Duration = Duration::from_secs(300);

/// Of each load of the contention so much is measured; six of them end within two minutes.
const OF_THE_CONTENTION: Duration = Duration::from_secs(8);

/// What is stored: centres and messages of each.
#[derive(Clone, Copy)]
struct Load {
    centres: usize,
    each: usize,
}

/// Measures one copy, then two.
pub async fn run() -> anyhow::Result<Vec<Row>> {
    let usual = Load { centres: CENTRES, each: MESSAGES / CENTRES };
    let one = drain(1, usual).await?;
    let two = drain(2, usual).await?;
    Ok(stored(&one, &two))
}

/// Measures copies that want the same row: all messages are of one centre. At most two minutes.
pub async fn contention() -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for copies in [1, 2, 4] {
        let mut rates = Vec::new();
        for centres in [1, CENTRES] {
            let load = Load { centres, each: FEWER / centres };
            eprintln!("contention: {copies} copies, {centres} centres …");
            let mut central = filled(copies, load).await?;
            let what = format!("contention, {copies} copies, {centres} centres");
            central.spawn()?;
            let all = load.centres * load.each;
            let stored = central.stored(all, OF_THE_CONTENTION, &what).await?;
            central.proven(stored, all).await?;
            central.stop().await?;
            rates.push(stored.rate());
        }
        let name = format!("contention: messages/s of one centre alone by {copies} copies");
        let row = Row::new(name, "", format!("{:.0}", rates[0]));
        rows.push(row.against(format!("{:.0} of 100 centres", rates[1]), rates[0] / rates[1]));
    }
    Ok(rows)
}

fn stored(one: &Drained, two: &Drained) -> Vec<Row> {
    let rate =
        |stored: &Drained| format!("{:.0} ({:.0} values/s)", stored.rate, stored.rate * SAMPLES as f64);
    vec![
        Row::new("district: messages/s stored from mosquitto's queue by one copy", "", rate(one)),
        Row::new("the same by two copies", "20 000", rate(two)).against(rate(one), two.rate / one.rate),
        Row::new("bytes a value of recent days, with index", "25", format!("{:.1}", two.recent)),
        Row::new("bytes a value packed", "14", format!("{:.1}", two.packed)),
        Row::new("map of all centres, ms", "1000", format!("{:.1}", two.map_ms)),
        Row::new("one point of one day, ms", "50", format!("{:.1}", two.trend_ms)),
    ]
}

struct Drained {
    rate: f64,
    recent: f64,
    packed: f64,
    map_ms: f64,
    trend_ms: f64,
}

/// A district whose copies are away and whose broker has a queue for them.
async fn filled(copies: usize, load: Load) -> anyhow::Result<Central> {
    let mut central = Central::start(copies, load.centres).await?;
    central.stop().await?;
    let (port, now) = (central.broker.port, linli_tests::now_ms());
    let connections = CONNECTIONS.min(load.centres);
    let filling: Vec<_> =
        (0..connections).map(|nth| tokio::spawn(fill((nth, connections), port, now, load))).collect();
    for task in filling {
        task.await??;
    }
    Ok(central)
}

/// Fills the queue while the copies are away, then lets them store it.
async fn drain(copies: usize, load: Load) -> anyhow::Result<Drained> {
    let now = linli_tests::now_ms();
    let mut central = filled(copies, load).await?;
    central.spawn()?;
    let all = load.centres * load.each;
    let stored = central.stored(all, DRAINED_WITHIN, "district").await?;
    ensure!(stored.count >= i64::try_from(all)?, "only {} of {all} are stored", stored.count);
    central.proven(stored, all).await?;
    let database = &central.database;
    let values = (load.centres * load.each * SAMPLES) as f64;
    let bytes = async |sql: &str| anyhow::Ok(database.number(sql).await? as f64 / values);
    let recent = bytes(
        "SELECT sum(pg_total_relation_size(inhrelid))::int8 FROM pg_inherits WHERE inhparent = 'message'::regclass",
    )
    .await?;
    let last = central.platforms.last().context("a copy")?;
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
    central.stop().await?;
    Ok(Drained { rate: stored.rate(), recent, packed, map_ms, trend_ms })
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
    // The first connection makes the stream, the copies make their consumer then, and what came before that is nobody's.
    // Until the servers have chosen who leads, they close each connection.
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let first = Load { centres: 1, each: 1 };
        let sent = fill((0, 1), nodes[0].mqtt, linli_tests::now_ms(), first).await;
        let stored = "SELECT count(*) FROM message";
        if sent.is_ok() && database.until(stored, Duration::from_secs(2), |n| n == 1).await.is_ok() {
            break;
        }
        let logs = || platforms.iter().map(Platform::log).collect::<Vec<_>>().join("\n");
        ensure!(Instant::now() < until, "the cluster stores no message: {sent:?}\n{}", logs());
    }
    let began = Instant::now();
    let now = linli_tests::now_ms();
    let filling: Vec<_> = (0..load.centres)
        .map(|nth| {
            let port = nodes[nth % nodes.len()].mqtt;
            tokio::spawn(fill((nth, load.centres), port, now, load))
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

/// Publishes the messages of a part of the centres and waits until all are acknowledged.
async fn fill((nth, parts): (usize, usize), port: u16, now: i64, load: Load) -> anyhow::Result<()> {
    let of_all = move |seq: usize| {
        let at = now + i64::try_from(seq * 250).unwrap_or_default();
        (nth..load.centres).step_by(parts).map(move |centre| message(centre, seq, seq % 12, at))
    };
    let count = (nth..load.centres).step_by(parts).count() * load.each;
    publish(port, &format!("load-{nth}"), (count, None), (1..=load.each).flat_map(of_all)).await
}
