//! Reads the state of a database without changing it, also while a gateway runs on it.

use std::fmt;
use std::path::Path;

use serde::Serialize;
use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;

use crate::error::{ReadError, is_foreign_schema};
use crate::open::aside_files;
use crate::schema::{self, TABLES};

/// Number of ledger entries that are shown.
const SHOWN: i64 = 5;

/// State of a database.
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
    /// Rows that cannot be decoded; they are kept.
    pub undecodable: u64,
    /// Commands that are open.
    pub open_commands: u64,
    /// The latest entries of the loss ledger.
    pub ledger: Vec<String>,
    /// The result of SQLite's `quick_check`; `ok` when sound.
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
        if self.undecodable > 0 {
            write!(f, ", rows that cannot be decoded {}", self.undecodable)?;
        }
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
    let meta: Vec<(Vec<u8>, Option<Vec<u8>>)> =
        sqlx::query_as("SELECT CAST(key AS BLOB), CAST(value AS BLOB) FROM meta")
            .fetch_all(&mut connection)
            .await?;
    let word = |key: &str| -> String {
        let value = meta.iter().find(|row| row.0 == key.as_bytes()).and_then(|row| row.1.as_deref());
        String::from_utf8_lossy(value.unwrap_or_default()).into_owned()
    };
    let mut waiting = Vec::new();
    for table in TABLES {
        waiting.push((table, count(&mut connection, table).await?));
    }
    let ledger: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT CAST(body AS BLOB) FROM ledger ORDER BY id DESC LIMIT ?")
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
        undecodable: match count(&mut connection, "undecodable").await {
            // A database of an older format, not opened by this version yet.
            Err(error) if is_foreign_schema(&error) => 0,
            counted => counted?,
        },
        open_commands: count(&mut connection, "open_command").await?,
        ledger: ledger.iter().map(|body| String::from_utf8_lossy(body).into_owned()).collect(),
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
