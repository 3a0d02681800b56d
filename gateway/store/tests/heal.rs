//! A database that version 0.1 filled with what its eviction could not touch works again after a start.

use std::path::Path;
use std::time::Duration;

use linli_domain::{Lane, Record, Topic};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection};

use crate::fillers::{self, CAP, Filler, small, urgent_things};
use crate::support::{NOW, open, waiting};

/// Longest time in which a store must carry out what is urgent; a hung one never does.
const SOON: Duration = Duration::from_secs(60);

async fn run(path: &Path, sql: &str) {
    let mut connection =
        SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(path)).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

async fn number(path: &Path, sql: &str) -> i64 {
    let mut connection =
        SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(path)).await.unwrap();
    let found = sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    found
}

/// A database as 0.1 left it: measurements with ids of 200 kB, two urgent rows, and an entry of the ledger for
/// each of the thousands of rows that the endless eviction wrote and removed.
async fn as_0_1_left_it(path: &Path, long_ids: u32, entries: u32) {
    let (store, _) = open(path).await;
    fillers::prepare(&store).await;
    for number in 0..long_ids.max(30) {
        Filler::Measurement.offer((&store, path), number).await.unwrap();
    }
    store.close().await;
    let at = NOW.0;
    run(
        path,
        &format!(
            "UPDATE measurement SET body = json_set(body, '$.measurement.key', hex(zeroblob(100000))) \
             WHERE id IN (SELECT id FROM measurement WHERE id LIKE 'm-%' LIMIT {long_ids});
             WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {entries}) \
             INSERT INTO ledger (at, body) SELECT {at} + i, json_object('reason', 'size_cap', 'of_epoch', \
             (SELECT value FROM meta WHERE key = 'epoch'), 'range', json_array(i, i), 'messages', 1, \
             'between', json_array({at}, {at} + i)) FROM n;"
        ),
    )
    .await;
}

async fn works(path: &Path) {
    let (store, opening) = tokio::time::timeout(SOON, small(path)).await.expect("does not open");
    assert!(opening.set_aside.is_none(), "{opening:?}");
    for number in 0..3 {
        let urgent = tokio::time::timeout(SOON, urgent_things(&store, number));
        urgent.await.expect("hangs").unwrap_or_else(|(what, error)| panic!("{what} is refused: {error}"));
    }
    store.close().await;
}

#[tokio::test]
async fn long_ids_are_cut_and_the_measurements_stay() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("linli.db");
    as_0_1_left_it(&path, 60, 0).await;
    assert!(std::fs::metadata(&path).unwrap().len() > 2 * CAP);
    works(&path).await;
    let (store, _) = small(&path).await;
    let status = store.status().borrow().clone();
    assert!(status.used_bytes < CAP / 2, "{} bytes used", status.used_bytes);
    assert_eq!(store.cabin().unassigned().await.unwrap().len(), 61, "every measurement is there");
    assert!(
        Filler::Measurement.offer((&store, &path), 1_000_000).await.is_ok(),
        "there is room for new ones"
    );
    store.close().await;
    let longest = number(&path, "SELECT max(octet_length(body)) FROM measurement").await;
    assert!(longest < 1000, "{longest} bytes");
}

#[tokio::test]
async fn entries_about_single_rows_become_one_that_is_announced() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("linli.db");
    as_0_1_left_it(&path, 0, 30_000).await;
    works(&path).await;
    assert!(number(&path, "SELECT count(*) FROM ledger").await < 50);
    let (store, _) = small(&path).await;
    let urgent = waiting(&store.outbox(), Lane::Urgent).await;
    let told: Vec<_> = urgent
        .iter()
        .filter_map(|row| match &row.record {
            Record::Message(message) if message.topic == Topic::LedgerEvent => Some(&message.body),
            _ => None,
        })
        .filter(|body| body["range"] == serde_json::json!([1, 30_000]))
        .collect();
    assert_eq!(told.len(), 1, "announced once, also after another start");
    assert_eq!(told[0]["messages"], 30_000);
    store.close().await;
}

/// Ordinary measurements alone: nothing can be cut, so new ones are refused and everything else works.
#[tokio::test]
async fn a_database_that_is_larger_than_it_may_be_takes_what_is_urgent() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("linli.db");
    let (store, _) = open(&path).await;
    fillers::prepare(&store).await;
    for number in 0..4000 {
        Filler::Measurement.offer((&store, &path), number).await.unwrap();
    }
    store.close().await;
    assert!(std::fs::metadata(&path).unwrap().len() > CAP);
    works(&path).await;
    let (store, _) = small(&path).await;
    let refused = Filler::Measurement.offer((&store, &path), 1_000_000).await.unwrap_err().to_string();
    assert!(refused.contains("measurement"), "{refused}");
    for number in 0..50 {
        Filler::Data.offer((&store, &path), number).await.unwrap();
        Filler::Urgent.offer((&store, &path), number).await.unwrap();
    }
    assert!(!waiting(&store.outbox(), Lane::Data).await.is_empty(), "data keeps its share");
    store.close().await;
}
