//! The store alone: what a value costs on the disk, how fast records become durable.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use linli_domain::{
    Batch, ClockQuality, DeviceClass, Id, Layout, PointSpec, Quality, Record, Sample, Timestamp, Value,
    ValueType,
};
use linli_store::{Settings, Store};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection, QueryBuilder, Sqlite};
use tokio::time::{Instant, sleep};

use crate::measure::Row;

const POINTS: u16 = 10;
const RECORDS: u32 = 100_000;
/// Records per transaction of the bare comparison, as many as the store groups.
const GROUP: usize = 512;
/// Backlog for the reopening.
const LARGE: u64 = 1 << 30;

fn settings(path: &Path) -> Settings {
    Settings {
        path: path.to_owned(),
        max_bytes: 8 << 30,
        max_age: None,
        commit_interval: Duration::from_millis(100),
        history_retention: Duration::from_secs(86_400),
    }
}

fn layout(points: u16) -> anyhow::Result<Arc<Layout>> {
    let spec = |i| -> anyhow::Result<PointSpec> {
        Ok(PointSpec {
            name: Id::new(&format!("p{i}"))?,
            unit: "Cel".to_owned(),
            kind: ValueType::Float,
            writable: false,
        })
    };
    Ok(Arc::new(Layout {
        device: Id::new("meter-1")?,
        name: "电表".to_owned(),
        room: None,
        class: DeviceClass::Telemetry,
        profile: "bench/meter".to_owned(),
        points: (0..points).map(spec).collect::<Result<_, _>>()?,
    }))
}

/// A meter that wanders: one decimal, never the same twice running.
fn record(layout: &Arc<Layout>, number: u32) -> Record {
    let samples = (0..u16::try_from(layout.points.len()).unwrap_or(u16::MAX))
        .map(|point| {
            let noise = number.wrapping_mul(2_654_435_761).rotate_left(u32::from(point)) % 5000;
            Sample {
                point,
                at: Timestamp(1_795_428_000_000 + i64::from(number) * 1000),
                clock: ClockQuality::Synchronised,
                quality: Quality::Good,
                value: Value::float(f64::from(noise) / 10.0),
            }
        })
        .collect();
    Record::Samples(Batch { layout: Arc::clone(layout), samples })
}

/// Puts records in as fast as they are taken; seconds until all are durable.
async fn fill(store: &Store, layout: &Arc<Layout>, records: u32) -> anyhow::Result<f64> {
    let began = Instant::now();
    for number in 0..records {
        while store.accept(record(layout, number)).is_err() {
            sleep(Duration::from_millis(1)).await;
        }
    }
    let mut status = store.status();
    status.wait_for(|status| status.committed >= u64::from(records)).await?;
    Ok(began.elapsed().as_secs_f64())
}

/// The same bodies, in transactions of the same size, by SQLite alone.
async fn bare(path: &Path, layout: &Arc<Layout>) -> anyhow::Result<f64> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    sqlx::query("CREATE TABLE t (seq INTEGER PRIMARY KEY, at INTEGER, layout INTEGER, body BLOB)")
        .execute(&mut connection)
        .await?;
    let bodies: Vec<Vec<u8>> = (0..RECORDS)
        .map(|number| match record(layout, number) {
            Record::Samples(batch) => linli_store::codec::pack(&batch.samples),
            Record::Message(_) => Vec::new(),
        })
        .collect();
    let began = Instant::now();
    for group in bodies.chunks(GROUP) {
        let mut transaction = connection.begin().await?;
        for rows in group.chunks(128) {
            let mut insert: QueryBuilder<Sqlite> = QueryBuilder::new("INSERT INTO t (at, layout, body) ");
            insert.push_values(rows, |mut values, body| {
                values.push_bind(1_795_428_000_000_i64).push_bind(1).push_bind(body.as_slice());
            });
            insert.build().execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
    }
    Ok(began.elapsed().as_secs_f64())
}

/// Runs the benchmark.
pub async fn run() -> anyhow::Result<Vec<Row>> {
    let dir = tempfile::Builder::new().prefix("linli-bench-").tempdir()?;
    let now: linli_store::Now = Arc::new(|| Timestamp(1_795_428_000_000));
    let path = dir.path().join("small.db");
    let small = layout(POINTS)?;
    let (store, _) = Store::open(settings(&path), Arc::clone(&now)).await?;
    let seconds = fill(&store, &small, RECORDS).await?;
    store.close().await;
    let values = f64::from(RECORDS) * f64::from(POINTS);
    let size = std::fs::metadata(&path)?.len() as f64;
    let bare_seconds = bare(&dir.path().join("bare.db"), &small).await?;
    let (rate, bare_rate) = (f64::from(RECORDS) / seconds, f64::from(RECORDS) / bare_seconds);

    let path = dir.path().join("large.db");
    let wide = layout(125)?;
    let (store, _) = Store::open(settings(&path), Arc::clone(&now)).await?;
    let mut number = 0;
    while std::fs::metadata(&path)?.len() < LARGE {
        for _ in 0..2000 {
            number += 1;
            while store.accept(record(&wide, number)).is_err() {
                sleep(Duration::from_millis(1)).await;
            }
        }
    }
    store.close().await;
    let large = std::fs::metadata(&path)?.len() as f64 / 1e9;
    let began = Instant::now();
    let (store, opening) = Store::open(settings(&path), now).await?;
    let reopened = began.elapsed().as_secs_f64();
    store.accept_durably(record(&wide, 0)).await?;
    let first = began.elapsed().as_secs_f64();
    store.close().await;
    Ok(vec![
        Row::new(
            "disk, bytes per value (10 values a record, whole file)",
            "≤ 8",
            format!("{:.2}", size / values),
        ),
        Row::new("records/s made durable", "", format!("{rate:.0}"))
            .against(format!("bare SQLite, same bodies and groups: {bare_rate:.0}"), rate / bare_rate),
        Row::new(
            format!("reopening a backlog of {large:.2} GB ({} records)", opening.backlog),
            "< 1 s",
            format!("{:.0} ms, first new record durable after {:.0} ms", reopened * 1000.0, first * 1000.0),
        ),
    ])
}
