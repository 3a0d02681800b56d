//! Visits, measurements, identities and the audit of the health cabin.

use std::sync::Arc;

use linli_domain::Timestamp;
use linli_domain::visit::{Version, Visit};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use tokio::sync::mpsc;

use crate::error::{NotDurable, ReadError};
use crate::kept::{Audit, Entry, Resident};
use crate::readers::Readers;
use crate::writer::{self, Op};

/// Most rows one question is answered with.
const MOST: i64 = 5000;

/// The latest version of each measurement.
const LATEST: &str = "SELECT body FROM measurement AS m WHERE \
     version = (SELECT max(version) FROM measurement WHERE id = m.id)";

/// Writes and reads.
#[derive(Clone)]
pub struct Cabin {
    pub(crate) readers: Arc<Readers>,
    pub(crate) writer: mpsc::Sender<Op>,
}

// === impl Cabin ===

impl Cabin {
    /// Makes an entry durable. `false` means that it was told before under its key.
    pub async fn keep(&self, entry: Entry) -> Result<bool, NotDurable> {
        writer::keep(&self.writer, entry).await
    }

    /// Visits opened in `[from, to)`, oldest first.
    pub async fn visits(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Visit>, ReadError> {
        let sql = "SELECT body FROM visit WHERE opened >= ? AND opened < ? ORDER BY opened LIMIT ?";
        let rows =
            sqlx::query(sql).bind(from.0).bind(to.0).bind(MOST).fetch_all(&self.readers.pool()).await?;
        Ok(decoded(&rows))
    }

    /// Visits that have not ended, oldest first.
    pub async fn open_visits(&self) -> Result<Vec<Visit>, ReadError> {
        let sql = "SELECT body FROM visit WHERE ended IS NULL ORDER BY opened";
        Ok(decoded(&sqlx::query(sql).fetch_all(&self.readers.pool()).await?))
    }

    /// Visits of one resident, oldest first.
    pub async fn visits_of(&self, pseudonym: &str) -> Result<Vec<Visit>, ReadError> {
        let sql = "SELECT body FROM visit WHERE pseudonym = ? ORDER BY opened";
        Ok(decoded(&sqlx::query(sql).bind(pseudonym).fetch_all(&self.readers.pool()).await?))
    }

    /// One visit.
    pub async fn visit(&self, id: &str) -> Result<Option<Visit>, ReadError> {
        let sql = "SELECT body FROM visit WHERE id = ?";
        let row = sqlx::query(sql).bind(id).fetch_all(&self.readers.pool()).await?;
        Ok(decoded(&row).pop())
    }

    /// The latest version of everything measured during a visit, oldest first.
    pub async fn measured_during(&self, visit: &str) -> Result<Vec<Version>, ReadError> {
        let sql = format!("{LATEST} AND visit = ? ORDER BY at");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(visit).fetch_all(&self.readers.pool()).await?;
        Ok(decoded(&rows))
    }

    /// The latest version of everything told in `[from, to)`, oldest first.
    pub async fn measured(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Version>, ReadError> {
        let sql = format!("{LATEST} AND at >= ? AND at < ? ORDER BY at LIMIT ?");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(from.0)
            .bind(to.0)
            .bind(MOST)
            .fetch_all(&self.readers.pool())
            .await?;
        Ok(decoded(&rows))
    }

    /// What waits for a person to say whose it is, oldest first.
    pub async fn unassigned(&self) -> Result<Vec<Version>, ReadError> {
        let sql = format!("{LATEST} AND visit IS NULL ORDER BY at LIMIT ?");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(MOST).fetch_all(&self.readers.pool()).await?;
        Ok(decoded(&rows))
    }

    /// All versions of a measurement, the first one first.
    pub async fn versions(&self, id: &str) -> Result<Vec<Version>, ReadError> {
        let sql = "SELECT body FROM measurement WHERE id = ? ORDER BY version";
        Ok(decoded(&sqlx::query(sql).bind(id).fetch_all(&self.readers.pool()).await?))
    }

    /// A sealed identity.
    pub async fn resident(&self, pseudonym: &str) -> Result<Option<Resident>, ReadError> {
        let sql = "SELECT pseudonym, key, sealed, at FROM resident WHERE pseudonym = ?";
        let row = sqlx::query(sql).bind(pseudonym).fetch_optional(&self.readers.pool()).await?;
        Ok(row.as_ref().map(resident))
    }

    /// Identities that are not sealed with that key, a few at a time.
    pub async fn sealed_otherwise(&self, key: &str) -> Result<Vec<Resident>, ReadError> {
        let sql = "SELECT pseudonym, key, sealed, at FROM resident WHERE key <> ? LIMIT 100";
        let rows = sqlx::query(sql).bind(key).fetch_all(&self.readers.pool()).await?;
        Ok(rows.iter().map(resident).collect())
    }

    /// What was kept long enough: visits, measurements that belong to none, residents.
    pub async fn older_than(
        &self,
        at: Timestamp,
    ) -> Result<(Vec<String>, Vec<String>, Vec<String>), ReadError> {
        let pool = self.readers.pool();
        let ask = async |sql: &'static str| -> Result<Vec<String>, sqlx::Error> {
            let rows = sqlx::query(sql).bind(at.0).fetch_all(&pool).await?;
            Ok(rows.iter().map(|row| row.get(0)).collect())
        };
        Ok((
            ask("SELECT id FROM visit WHERE ended < ? LIMIT 100").await?,
            ask("SELECT DISTINCT id FROM measurement WHERE at < ? AND visit IS NULL AND id NOT IN \
                 (SELECT id FROM measurement WHERE visit IS NOT NULL) LIMIT 100")
            .await?,
            ask("SELECT pseudonym FROM resident WHERE at < ? AND pseudonym NOT IN \
                 (SELECT pseudonym FROM visit WHERE pseudonym IS NOT NULL) LIMIT 100")
            .await?,
        ))
    }

    /// The audit, newest first.
    pub async fn audit(&self, limit: u32) -> Result<Vec<Audit>, ReadError> {
        let sql = "SELECT at, who, what, about, detail FROM audit ORDER BY id DESC LIMIT ?";
        let rows = sqlx::query(sql).bind(limit).fetch_all(&self.readers.pool()).await?;
        let audit = |row: &SqliteRow| Audit {
            at: Timestamp(row.get(0)),
            who: row.get(1),
            what: row.get(2),
            about: row.get(3),
            detail: row.get(4),
        };
        Ok(rows.iter().map(audit).collect())
    }
}

fn decoded<T: serde::de::DeserializeOwned>(rows: &[SqliteRow]) -> Vec<T> {
    rows.iter().filter_map(|row| serde_json::from_str(row.get::<&str, _>(0)).ok()).collect()
}

fn resident(row: &SqliteRow) -> Resident {
    Resident { pseudonym: row.get(0), key: row.get(1), sealed: row.get(2), at: Timestamp(row.get(3)) }
}
