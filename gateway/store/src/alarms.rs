//! Where alarms are, and every step they took.

use std::sync::Arc;

use linli_domain::{Id, Timestamp};
use sqlx::Row;
use tokio::sync::mpsc;

use crate::error::{NotDurable, ReadError};
use crate::kept::{Entry, Notification};
use crate::readers::Readers;
use crate::writer::{self, Op};

/// Writes and reads.
#[derive(Clone)]
pub struct Alarms {
    pub(crate) readers: Arc<Readers>,
    pub(crate) writer: mpsc::Sender<Op>,
}

// === impl Alarms ===

impl Alarms {
    /// Makes an entry durable.
    pub async fn keep(&self, entry: Entry) -> Result<(), NotDurable> {
        writer::keep(&self.writer, entry).await.map(|_| ())
    }

    /// Where every alarm is, as its owner wrote it: id and JSON.
    pub async fn all(&self) -> Result<Vec<(String, String)>, ReadError> {
        let rows = sqlx::query("SELECT id, body FROM alarm").fetch_all(&self.readers.pool()).await?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    /// What a receiver is to be told next, and how much waits for them altogether.
    pub async fn next_notification(
        &self,
        hook: &Id,
        now: Timestamp,
    ) -> Result<Option<(Notification, u64)>, ReadError> {
        let sql = "SELECT min(id), count(*) FROM notification WHERE hook = ? AND after <= ?";
        let pool = self.readers.pool();
        let row = sqlx::query(sql).bind(hook.as_str()).bind(now.0).fetch_one(&pool).await?;
        let (Some(id), waiting) = (row.get::<Option<i64>, _>(0), row.get::<i64, _>(1)) else {
            return Ok(None);
        };
        let row = sqlx::query("SELECT key, body FROM notification WHERE id = ?")
            .bind(id)
            .fetch_optional(&pool)
            .await?;
        let hook = hook.clone();
        let told = row.map(|row| Notification { id, hook, key: row.get(0), body: row.get(1), after: now });
        Ok(told.map(|told| (told, waiting.cast_unsigned())))
    }

    /// The latest steps, newest first, as JSON.
    pub async fn journal(&self, limit: u32) -> Result<Vec<String>, ReadError> {
        let sql = "SELECT body FROM alarm_journal ORDER BY id DESC LIMIT ?";
        let rows = sqlx::query(sql).bind(limit).fetch_all(&self.readers.pool()).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }
}
