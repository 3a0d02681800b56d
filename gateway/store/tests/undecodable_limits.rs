//! Rows that cannot be decoded are kept up to a number and a size; the oldest are removed first.

use std::path::Path;

use linli_domain::{DeviceClass, Lane};
use linli_store::{Store, inspect};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection};

use crate::support::{NOW, event, layout, numbered, open, settled, waiting};

async fn run(path: &Path, sql: &str) {
    let mut connection =
        SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(path)).await.unwrap();
    sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

async fn numbers(path: &Path, sql: &str) -> Vec<i64> {
    let mut connection =
        SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(path)).await.unwrap();
    let found = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    found
}

/// Adds rows of trends that cannot be decoded, numbered from 1 and each recorded a millisecond later.
async fn add_rows(path: &Path, count: usize, bytes: usize) {
    let at = NOW.0;
    let sql = format!(
        "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {count}) \
         INSERT INTO undecodable SELECT 'history', i, {at} + i, 'a reason', zeroblob({bytes}) FROM n"
    );
    run(path, &sql).await;
}

/// Opens the store, whose housekeeping runs at once, and waits until so many rows are left.
async fn open_until(path: &Path, left: u64) -> Store {
    let (store, _) = open(path).await;
    let mut status = store.status();
    let reached = status.wait_for(|status| status.undecodable <= left);
    let reached = tokio::time::timeout(std::time::Duration::from_secs(60), reached).await;
    assert_eq!(reached.expect("housekeeping removes rows").unwrap().undecodable, left);
    store
}

/// Two records in the dead letters because they cannot be decoded, and one because the broker refused it.
async fn dead_letters(path: &Path) {
    let (store, _) = open(path).await;
    let device = layout("meter-1", DeviceClass::Telemetry, 1);
    for number in 1..=3 {
        store.accept_durably(numbered(&device, number)).await.unwrap();
    }
    run(path, "UPDATE telemetry SET body = X'0102' WHERE seq < 3").await;
    assert_eq!(waiting(&store.outbox(), Lane::Data).await.len(), 1);
    store.outbox().dead_letter(3, "too large".to_owned()).await;
    settled(&store).await;
    store.close().await;
    assert_eq!(numbers(path, "SELECT seq FROM dead_letter").await, [1, 2, 3]);
}

#[tokio::test]
async fn the_oldest_rows_beyond_the_number_are_removed_with_a_ledger_entry() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("linli.db");
    dead_letters(&path).await;
    add_rows(&path, 12_500, 4).await;
    let before = inspect(&path).await.unwrap();
    assert_eq!(before.undecodable, 12_502);
    let store = open_until(&path, 10_000).await;
    store.accept_durably(event(1)).await.unwrap();
    store.close().await;
    assert_eq!(numbers(&path, "SELECT seq FROM dead_letter").await, [3], "what can be decoded stays");
    let ends = "SELECT min(CAST(key AS INTEGER)) FROM undecodable UNION ALL \
                SELECT max(CAST(key AS INTEGER)) FROM undecodable";
    assert_eq!(numbers(&path, ends).await, [2501, 12_500]);
    let after = inspect(&path).await.unwrap();
    assert_eq!(after.undecodable, 10_000);
    // 2502 rows are two transactions.
    assert_eq!(after.ledger.len(), before.ledger.len() + 2);
    let entries = format!("{:?}", after.ledger);
    assert!(entries.contains("the oldest 2 dead letters and 1998 other rows removed"), "{entries}");
    assert!(entries.contains("the oldest 0 dead letters and 502 other rows removed"), "{entries}");
}

#[tokio::test]
async fn the_oldest_rows_beyond_the_size_are_removed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("linli.db");
    let (store, _) = open(&path).await;
    store.close().await;
    // A tenth of 64 MiB is 6.4 MiB.
    add_rows(&path, 10, 1 << 20).await;
    let store = open_until(&path, 6).await;
    store.close().await;
    let kept = numbers(&path, "SELECT CAST(key AS INTEGER) FROM undecodable ORDER BY at").await;
    assert_eq!(kept, [5, 6, 7, 8, 9, 10]);
}

#[tokio::test]
async fn a_removed_row_that_is_still_in_its_own_table_is_no_loss() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("linli.db");
    let (store, _) = open(&path).await;
    store.close().await;
    add_rows(&path, 10_001, 0).await;
    run(&path, "UPDATE undecodable SET source = 'visit', body = NULL").await;
    let store = open_until(&path, 10_000).await;
    store.close().await;
    assert!(inspect(&path).await.unwrap().ledger.is_empty());
}
