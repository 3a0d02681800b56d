//! The caps evict the oldest records of the least important class, and the ledger lists exactly those.
#![allow(clippy::unwrap_used, reason = "helpers of a test file")]

mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use linli_domain::{DeviceClass, Lane, Record, Timestamp, Topic};
use linli_store::{Row, Settings, Store};
use serde_json::Value;
use support::{NOW, event, layout, numbered, settings, settled, waiting};

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
