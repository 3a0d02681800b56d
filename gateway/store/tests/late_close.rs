//! A connection to the database that was there before must not take anything of the one that
//! replaces it: SQLite removes the write-ahead log by name when a connection closes, however late.
//!
//! `power/slow_close.c` makes that removal slow, as a busy disk does.

use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use linli_domain::Lane;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode};
use sqlx::{AssertSqlSafe, Connection, Executor};

use crate::support::{event, number_of, open, preloaded, waiting};

/// When a late removal has happened at the latest.
const LATEST: Duration = Duration::from_secs(5);

/// What the child stores.
const NUMBER: u32 = 4711;

/// Accepts a record into a new database, waits until a log was removed late, and loses its power.
#[tokio::test]
#[ignore = "the process that is killed; the tests start it"]
async fn child() {
    let path = PathBuf::from(std::env::var_os("DATABASE").expect("started by a test"));
    let removed = PathBuf::from(std::env::var_os("SLOW_REMOVED").expect("started by a test"));
    let (store, opening) = open(&path).await;
    store.accept_durably(event(NUMBER)).await.unwrap();
    println!("\naccepted into {}", opening.epoch);
    // A connection that closes only after its file was moved away finds nothing to remove.
    let is_removed = async {
        while !removed.exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let _ = tokio::time::timeout(LATEST, is_removed).await;
    // The reader sees the log that the writer writes.
    let seen = waiting(&store.outbox(), Lane::Urgent).await;
    assert!(seen.iter().any(|row| number_of(row) == Some(NUMBER)));
    println!("seen");
    std::process::abort();
}

/// A database in the journal mode of ours with these statements in it.
async fn database(path: &Path, statements: &str) {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    connection.execute(AssertSqlSafe(statements.to_owned())).await.unwrap();
    connection.close().await.unwrap();
    assert!(std::fs::metadata(path).unwrap().len() > 0);
}

/// Opens, accepts and dies in a child whose removals are slow; what it accepted must be there.
async fn stays_after_a_late_close(dir: &Path) {
    let path = dir.join("linli.db");
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "late_close::child", "--ignored", "--nocapture", "--test-threads", "1"])
        .env("LD_PRELOAD", preloaded(dir, "slow_close"))
        .env("DATABASE", &path)
        .env("SLOW_REMOVED", dir.join("removed"))
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.contains("seen"), "{told}{}", String::from_utf8_lossy(&output.stderr));
    let (store, opening) = open(&path).await;
    assert!(opening.set_aside.is_none(), "{opening:?}");
    assert!(told.contains(&opening.epoch), "the database of the child is there: {opening:?}");
    let rows = waiting(&store.outbox(), Lane::Urgent).await;
    assert!(rows.iter().any(|row| number_of(row) == Some(NUMBER)), "the accepted record is there");
    store.close().await;
}

#[tokio::test]
async fn a_database_without_tables_is_replaced_only_after_it_is_closed() {
    let dir = tempfile::tempdir().unwrap();
    database(&dir.path().join("linli.db"), "PRAGMA user_version = 0").await;
    stays_after_a_late_close(dir.path()).await;
}

#[tokio::test]
async fn a_database_of_another_program_is_replaced_only_after_it_is_closed() {
    let dir = tempfile::tempdir().unwrap();
    database(&dir.path().join("linli.db"), "CREATE TABLE other (a)").await;
    stays_after_a_late_close(dir.path()).await;
}

#[tokio::test]
async fn a_database_with_missing_tables_is_replaced_only_after_it_is_closed() {
    let dir = tempfile::tempdir().unwrap();
    let statements = "CREATE TABLE meta (key TEXT PRIMARY KEY, value); PRAGMA user_version = 9";
    database(&dir.path().join("linli.db"), statements).await;
    stays_after_a_late_close(dir.path()).await;
}

#[tokio::test]
async fn a_damaged_database_is_replaced_only_after_it_is_closed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("linli.db");
    let (store, _) = open(&path).await;
    store.accept_durably(event(1)).await.unwrap();
    store.close().await;
    let mut connection =
        SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(&path)).await.unwrap();
    let root = "SELECT rootpage, page_size FROM sqlite_schema, pragma_page_size WHERE name = 'urgent'";
    let (page, size): (u64, u64) = {
        let (page, size): (i64, i64) = sqlx::query_as(root).fetch_one(&mut connection).await.unwrap();
        (page.cast_unsigned(), size.cast_unsigned())
    };
    connection.close().await.unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all_at(&vec![0x5A; usize::try_from(size).unwrap()], (page - 1) * size).unwrap();
    stays_after_a_late_close(dir.path()).await;
    assert!(
        std::fs::read_dir(dir.path())
            .unwrap()
            .flatten()
            .any(|file| { file.file_name().to_string_lossy().starts_with("linli.db.corrupt-") })
    );
}
