//! A look at a database from outside, also while a gateway runs on it.

use std::fmt;
use std::path::Path;

use serde::Serialize;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, Row};

use crate::error::ReadError;
use crate::open::aside_files;
use crate::schema::{self, TABLES};

/// Ledger entries shown.
const SHOWN: i64 = 5;

/// What was found.
#[derive(Debug, Clone, Serialize)]
pub struct Inspection {
    /// The database's epoch.
    pub epoch: String,
    /// The next sequence number.
    pub next_seq: u64,
    /// Records waiting, per table.
    pub waiting: Vec<(&'static str, u64)>,
    /// Bytes of the file and of its write-ahead log.
    pub bytes: (u64, u64),
    /// Records the broker refused for ever.
    pub dead_letters: u64,
    /// Commands that are open.
    pub open_commands: u64,
    /// The latest entries of the loss ledger.
    pub ledger: Vec<String>,
    /// What SQLite's check says; `ok` when sound.
    pub check: String,
    /// Damaged databases set aside earlier.
    pub set_aside: Vec<String>,
}

// === impl Inspection ===

impl Inspection {
    /// Whether the file is sound.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.check == "ok"
    }
}

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let check = if self.is_sound() { "sound" } else { &self.check };
        writeln!(f, "{check}, {} bytes and {} in the log", self.bytes.0, self.bytes.1)?;
        writeln!(f, "  epoch {}, next number {}", self.epoch, self.next_seq)?;
        let waiting: Vec<String> =
            self.waiting.iter().map(|(table, rows)| format!("{table} {rows}")).collect();
        writeln!(f, "  waiting for delivery: {}", waiting.join(", "))?;
        write!(f, "  dead letters {}, open commands {}", self.dead_letters, self.open_commands)?;
        for entry in &self.ledger {
            write!(f, "\n  loss ledger: {entry}")?;
        }
        for file in &self.set_aside {
            write!(f, "\n  set aside earlier: {file}")?;
        }
        Ok(())
    }
}

/// Reads the state of the database at `path`; changes nothing.
pub async fn inspect(path: &Path) -> Result<Inspection, ReadError> {
    let mut connection = SqliteConnection::connect_with(&schema::reader(path)).await?;
    let check = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&mut connection).await?;
    let meta = sqlx::query("SELECT key, CAST(value AS TEXT) FROM meta").fetch_all(&mut connection).await?;
    let word = |key: &str| -> String {
        let row = meta.iter().find(|row| row.get::<&str, _>(0) == key);
        row.map(|row| row.get(1)).unwrap_or_default()
    };
    let mut waiting = Vec::new();
    for table in TABLES {
        waiting.push((table, count(&mut connection, table).await?));
    }
    let ledger = sqlx::query_scalar("SELECT body FROM ledger ORDER BY id DESC LIMIT ?")
        .bind(SHOWN)
        .fetch_all(&mut connection)
        .await?;
    let length = |ending: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        std::fs::metadata(name).map_or(0, |found| found.len())
    };
    Ok(Inspection {
        epoch: word("epoch"),
        next_seq: word("next_seq").parse().unwrap_or_default(),
        waiting,
        bytes: (length(""), length("-wal")),
        dead_letters: count(&mut connection, "dead_letter").await?,
        open_commands: count(&mut connection, "open_command").await?,
        ledger,
        check,
        set_aside: aside_files(path).iter().map(|p| p.display().to_string()).collect(),
    })
}

async fn count(connection: &mut SqliteConnection, table: &str) -> Result<u64, sqlx::Error> {
    let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}")))
        .fetch_one(connection)
        .await?;
    Ok(count.cast_unsigned())
}
