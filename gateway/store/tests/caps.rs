//! The caps evict the oldest records of the least important class, and the ledger lists exactly those.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use linli_domain::{DeviceClass, Lane, Record, Timestamp, Topic};
use linli_store::{Row, Settings, Store};
use serde_json::Value;
use sqlx::Connection as _;

use crate::support::{self, NOW, event, layout, numbered, settings, settled, waiting};

/// How often the store asks for the time before it evicts what is old: when it opens and for its status.
const ASKED_AT_START: i64 = 4;

/// Returns the ledger's entries among urgent rows.
fn ledger(urgent: &[Row]) -> Vec<Value> {
    let entries = urgent.iter().filter_map(|row| match &row.record {
        Record::Message(message) if message.topic == Topic::LedgerEvent => {
            Some(Value::Object(message.body.clone()))
        }
        _ => None,
    });
    entries.collect()
}

/// Asserts that the missing sequence numbers are exactly those in the entries; returns how many there are.
fn accounts_exactly(all: u64, there: &BTreeSet<u64>, entries: &[Value]) -> usize {
    let gone: Vec<u64> = (1..=all).filter(|seq| !there.contains(seq)).collect();
    let within = |seq: u64, entry: &Value| {
        let end = |which: usize| entry["range"][which].as_u64().unwrap_or_default();
        (end(0)..=end(1)).contains(&seq)
    };
    let unexplained: Vec<&u64> =
        gone.iter().filter(|seq| !entries.iter().any(|entry| within(**seq, entry))).collect();
    assert!(unexplained.is_empty(), "gone and not in the ledger: {unexplained:?}");
    let listed: u64 = entries.iter().filter_map(|entry| entry["messages"].as_u64()).sum();
    assert_eq!(listed, gone.len() as u64, "as many as the ledger says");
    gone.len()
}

/// Lets time pass for the store's timers, without waiting for it.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// Waits until that many records are committed: data may wait for its commit window.
async fn committed(store: &Store, count: u64) {
    let mut status = store.status();
    let enough = status.wait_for(|status| status.committed >= count);
    tokio::time::timeout(Duration::from_secs(20), enough).await.expect("committed").expect("open");
}

#[tokio::test]
async fn the_size_cap_takes_telemetry_before_food_and_never_alarms() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("linli.db");
    let settings = Settings { max_bytes: 4 << 20, ..settings(&path) };
    let (store, _) = Store::open(settings, support::clock()).await.unwrap();
    let telemetry = layout("meter-1", DeviceClass::Telemetry, 100);
    let food = layout("fridge-1", DeviceClass::FoodSafety, 100);
    let mut most = 0;
    for round in 0..60_u32 {
        for number in 0..200 {
            let number = round * 1000 + number;
            let of = if number % 8 == 0 { &food } else { &telemetry };
            // Noise that does not pack well, to reach the cap sooner.
            store.accept(numbered(of, number.wrapping_mul(2_654_435_761))).unwrap();
        }
        store.accept_durably(event(round)).await.unwrap();
        // The writer checks the size after a transaction, at most once a second.
        if round % 6 == 5 {
            pass(Duration::from_secs(1)).await;
            settled(&store).await;
            // The writer begins this one after the check.
            settled(&store).await;
            most = most.max(store.status().borrow().used_bytes);
        }
    }
    committed(&store, 60 * 200).await;
    let all = settled(&store).await;
    let urgent = waiting(&store.outbox(), Lane::Urgent).await;
    let data = waiting(&store.outbox(), Lane::Data).await;
    let entries = ledger(&urgent);
    let there: BTreeSet<u64> = urgent.iter().chain(&data).map(|row| row.seq).collect();
    let gone = accounts_exactly(all, &there, &entries);
    assert!(gone > 1000, "the cap was reached: {gone} gone");
    let classes: BTreeSet<&str> = entries.iter().filter_map(|entry| entry["class"].as_str()).collect();
    assert_eq!(classes, BTreeSet::from(["telemetry"]), "telemetry was left to evict");
    assert!(entries.iter().all(|entry| entry["reason"] == "size_cap"));
    let alarms = urgent.len() - entries.len();
    assert!(alarms >= 60, "every alarm is there: {alarms}");
    assert!(most < 5 << 20, "{most} bytes with a cap of 4 MiB");
    store.close().await;
}

async fn with_age(path: &Path, now: &Arc<AtomicI64>) -> Store {
    let clock = Arc::clone(now);
    let settings = Settings { max_age: Some(Duration::from_secs(3600)), ..settings(path) };
    let (store, _) =
        Store::open(settings, Arc::new(move || Timestamp(clock.load(Ordering::Relaxed)))).await.unwrap();
    store
}

#[tokio::test]
async fn the_age_cap_takes_what_is_old_and_a_jumping_clock_does_not_hurry_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("linli.db");
    let now = Arc::new(AtomicI64::new(NOW.0));
    let device = layout("meter-1", DeviceClass::Telemetry, 1);
    let store = with_age(&path, &now).await;
    for number in 1..=500 {
        store.accept(numbered(&device, number)).unwrap();
    }
    committed(&store, 500).await;
    // A clock that jumps a year ahead under a running gateway takes nothing away.
    now.fetch_add(365 * 86_400_000, Ordering::Relaxed);
    // The writer enforces the age once a minute, in a housekeeping every ten seconds.
    for number in 1..=8 {
        pass(Duration::from_secs(10)).await;
        store.accept_durably(event(number)).await.unwrap();
    }
    assert_eq!(waiting(&store.outbox(), Lane::Data).await.len(), 500);
    store.close().await;

    // A day later by a clock that nobody has set: the records are old.
    now.store(NOW.0 + 86_400_000, Ordering::Relaxed);
    let store = with_age(&path, &now).await;
    let mut status = store.status();
    let evicted = status.wait_for(|status| status.rows[1..].iter().all(|rows| *rows == 0));
    tokio::time::timeout(Duration::from_secs(20), evicted).await.expect("evicted").expect("open");
    assert!(waiting(&store.outbox(), Lane::Data).await.is_empty());
    let all = settled(&store).await;
    let urgent = waiting(&store.outbox(), Lane::Urgent).await;
    let there: BTreeSet<u64> = urgent.iter().map(|row| row.seq).collect();
    let entries = ledger(&urgent);
    assert!(accounts_exactly(all, &there, &entries) >= 500);
    assert!(entries.iter().all(|entry| entry["reason"] == "age_cap"), "{entries:?}");
    store.close().await;
}

/// What version 0.1 did for ever: it evicted one urgent row and wrote one ledger entry.
#[tokio::test]
async fn eviction_ends_when_what_fills_the_store_cannot_be_evicted() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("linli.db");
    let large = Settings { max_bytes: 256 << 20, ..settings(&path) };
    let (store, _) = Store::open(large, support::clock()).await.unwrap();
    for number in 0..40 {
        let audit = linli_store::Audit {
            at: NOW,
            who: "nurse".to_owned(),
            what: "identity.reveal".to_owned(),
            about: number.to_string(),
            detail: "x".repeat(150_000),
        };
        let entry = linli_store::Entry { audit: vec![audit], ..linli_store::Entry::default() };
        store.cabin().keep(entry).await.unwrap();
    }
    store.accept_durably(event(1)).await.unwrap();
    store.accept_durably(event(2)).await.unwrap();
    store.close().await;

    let settings = Settings { max_bytes: 4 << 20, ..settings(&path) };
    let (store, _) = Store::open(settings, support::clock()).await.unwrap();
    for number in 3..10 {
        pass(Duration::from_secs(1)).await;
        let stored = tokio::time::timeout(Duration::from_secs(30), store.accept_durably(event(number)));
        stored.await.expect("the writer evicts for ever").unwrap();
    }
    let urgent = waiting(&store.outbox(), Lane::Urgent).await;
    assert_eq!(urgent.len(), 9, "nothing urgent was evicted for it");
    store.close().await;
}

/// The count of rows that the database keeps is wrong: the table is empty.
#[tokio::test]
async fn eviction_ends_when_the_count_of_rows_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("linli.db");
    let large = Settings { max_bytes: 256 << 20, ..settings(&path) };
    let (store, _) = Store::open(large, support::clock()).await.unwrap();
    let audit = linli_store::Audit {
        at: NOW,
        who: String::new(),
        what: String::new(),
        about: String::new(),
        detail: "x".repeat(5 << 20),
    };
    let entry = linli_store::Entry { audit: vec![audit], ..linli_store::Entry::default() };
    store.cabin().keep(entry).await.unwrap();
    store.close().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query("UPDATE meta SET value = '[0,700,7,0,9]' WHERE key = 'rows'")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();

    let settings = Settings { max_bytes: 4 << 20, ..settings(&path) };
    let (store, _) = Store::open(settings, support::clock()).await.unwrap();
    for number in 1..=3 {
        let stored = tokio::time::timeout(Duration::from_secs(30), store.accept_durably(event(number)));
        stored.await.expect("the writer evicts for ever").unwrap();
    }
    assert_eq!(store.status().borrow().rows, [3, 0, 0, 0, 0], "the count is put right");
    store.close().await;
}

/// A clock that is put back while old records are evicted: the entries about them are not old at once.
#[tokio::test]
async fn the_age_cap_ends_when_the_clock_is_put_back_meanwhile() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("linli.db");
    let store = with_age(&path, &Arc::new(AtomicI64::new(NOW.0))).await;
    for number in 1..=50 {
        store.accept_durably(event(number)).await.unwrap();
    }
    store.close().await;

    // A day later when the store asks first, and a day earlier from then on.
    let asked = Arc::new(AtomicI64::new(0));
    let clock = move || {
        let is_first = asked.fetch_add(1, Ordering::Relaxed) < ASKED_AT_START;
        Timestamp(NOW.0 + if is_first { 86_400_000 } else { -86_400_000 })
    };
    let settings = Settings { max_age: Some(Duration::from_secs(3600)), ..settings(&path) };
    let (store, _) = Store::open(settings, Arc::new(clock)).await.unwrap();
    let mut status = store.status();
    let evicted = status.wait_for(|status| status.given_up >= 50);
    tokio::time::timeout(Duration::from_secs(20), evicted).await.expect("evicted").expect("open");
    let stored = tokio::time::timeout(Duration::from_secs(30), store.accept_durably(event(51)));
    stored.await.expect("the writer evicts for ever").unwrap();
    store.close().await;
}
