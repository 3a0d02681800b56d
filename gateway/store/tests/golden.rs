//! Every stored form is frozen here: what today's code writes, yesterday's and tomorrow's must read.
//!
//! `schema*.sql`, `rows/*.sql`, `codec/*.txt`, `watermark.json` and `losses.txt` in `golden/`
//! were written by the code itself. The tests write the same things again and compare byte by
//! byte, then read the frozen files with the current code and write back what was read.
//!
//! **If a test here fails, do not change the golden file: change the code.** A new table, a new
//! column or a new kind of record gets a new schema format or a new version byte, and new golden
//! lines. `LINLI_BLESS=1 cargo test -p linli-store golden` writes the files anew (run
//! it once more without, to read them); in the difference only lines may be added.
//!
//! A kind that is added to one of the enums does not compile until it is named in `kinds.rs`, and
//! fails until a golden line holds it. A table without a file, and a file without a table, fail.

mod codec;
mod contents;
mod database;
mod kinds;

use std::path::Path;

use contents::Contents;
use database::Database;
use linli_domain::loss::Loss;
use linli_domain::{Lane, Record, Topic};
use linli_golden::{frozen, golden};

use crate::support::{NOW, event, open, settled, waiting};

/// The database's epoch in the golden files; a real one is random.
pub const EPOCH: &str = "00112233445566778899aabbccddeeff";

/// Writes the contents into a new database and returns its rows, table by table.
async fn written(contents: &Contents) -> (Database, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("linli.db");
    open(&path).await.0.close().await;
    database::set_epoch(&path, EPOCH).await;
    std::fs::remove_file(dir.path().join("linli.db.watermark")).unwrap();
    let (store, opening) = open(&path).await;
    assert_eq!(opening.epoch, EPOCH);
    contents.write(&store).await;
    store.close().await;
    let watermark = std::fs::read_to_string(dir.path().join("linli.db.watermark")).unwrap();
    (Database::dump(&path).await, watermark)
}

#[tokio::test]
async fn the_code_writes_the_frozen_forms() {
    let (database, watermark) = written(&Contents::expected()).await;
    frozen("schema.sql", &database.schema);
    for (table, rows) in &database.tables {
        assert!(!rows.is_empty(), "table {table} has no row: the golden contents leave it out");
        frozen(&format!("rows/{table}.sql"), rows);
    }
    let tables = database.tables.iter().map(|(table, _)| format!("{table}.sql"));
    linli_golden::only("rows", &tables.collect::<Vec<_>>());
    frozen("watermark.json", &format!("{watermark}\n"));
    kinds::all_are_in(&Contents::expected());
}

#[tokio::test]
async fn the_code_reads_the_frozen_database_and_writes_it_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("linli.db");
    database::restore(&path).await;
    reads_and_writes_back(&path, true).await;
}

/// `schema-7.sql` was written by the code of format 7, before `undecodable` was there.
#[tokio::test]
async fn the_code_reads_the_frozen_database_of_format_7() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("linli.db");
    database::restore_format(&path, 7).await;
    reads_and_writes_back(&path, false).await;
}

/// `schema-8.sql` was written by the code of format 8, before the audit was chained.
#[tokio::test]
async fn the_code_reads_the_frozen_database_of_format_8() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("linli.db");
    database::restore_format(&path, 8).await;
    reads_and_writes_back(&path, true).await;
}

async fn reads_and_writes_back(path: &Path, has_undecodable: bool) {
    database::bodies_come_back(path).await;
    let (store, opening) = open(path).await;
    assert!(opening.set_aside.is_none(), "{opening:?}");
    assert_eq!(opening.epoch, EPOCH);
    let heads = store.outbox().heads().borrow().clone();
    assert_eq!(heads.epoch.as_ref(), EPOCH);
    let read = Contents::read(&store, path, has_undecodable).await;
    assert_eq!(read, Contents::expected());
    assert_eq!(opening.backlog, store.status().borrow().waiting());
    store.close().await;
    let (again, watermark) = written(&read).await;
    assert_eq!(golden("schema.sql"), again.schema);
    for (table, rows) in &again.tables {
        assert_eq!(&golden(&format!("rows/{table}.sql")), rows, "{table}");
    }
    assert_eq!(golden("watermark.json"), format!("{watermark}\n"));
}

#[tokio::test]
async fn a_frozen_watermark_names_the_range_of_a_lost_database() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("linli.db");
    let watermark = golden("watermark.json");
    std::fs::write(dir.path().join("linli.db.watermark"), &watermark).unwrap();
    let watermark: serde_json::Value = serde_json::from_str(&watermark).unwrap();
    let (store, opening) = open(&path).await;
    assert_ne!(opening.epoch, EPOCH);
    let next = settled(&store).await;
    let urgent = waiting(&store.outbox(), Lane::Urgent).await;
    let Record::Message(ledger) = &urgent[0].record else { panic!("{urgent:?}") };
    assert_eq!(ledger.topic, Topic::LedgerEvent);
    assert_eq!(ledger.body["of_epoch"], EPOCH);
    let next_seq = watermark["next_seq"].as_u64().unwrap();
    assert_eq!(ledger.body["range"], serde_json::json!([watermark["oldest"], next_seq - 1]));
    assert_eq!((urgent[0].seq, next), (next_seq, next_seq + 1));
    store.close().await;
}

/// Ledger entries of every reason, the message that reports each, and the meta row of one that a
/// new database begins with.
#[tokio::test]
async fn losses_are_frozen() {
    let losses = contents::losses();
    let mut lines = String::new();
    for loss in &losses {
        let message = loss.message(NOW);
        let stored = serde_json::to_string(loss).unwrap();
        lines += &format!("{stored}\n{}\n", serde_json::to_string(&message).unwrap());
    }
    frozen("losses.txt", &lines);
    let frozen = golden("losses.txt");
    for (line, expected) in frozen.lines().step_by(2).zip(&losses) {
        let loss: Loss = serde_json::from_str(line).unwrap();
        assert_eq!((&loss, serde_json::to_string(&loss).unwrap().as_str()), (expected, line));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("linli.db");
        database::restore(&path).await;
        database::set_loss(&path, line).await;
        let (store, _) = open(&path).await;
        store.accept_durably(event(1)).await.unwrap();
        let urgent = waiting(&store.outbox(), Lane::Urgent).await;
        let reported = Record::Message(loss.message(NOW));
        assert!(urgent.iter().any(|row| row.record == reported), "{line} was not read from the meta rows");
        store.close().await;
    }
}
