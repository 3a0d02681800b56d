//! Where alarms are, and every step they took.

use std::sync::Arc;

use sqlx::Row;
use tokio::sync::mpsc;

use crate::error::{NotDurable, ReadError};
use crate::kept::Entry;
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

    /// The latest steps, newest first, as JSON.
    pub async fn journal(&self, limit: u32) -> Result<Vec<String>, ReadError> {
        let sql = "SELECT body FROM alarm_journal ORDER BY id DESC LIMIT ?";
        let rows = sqlx::query(sql).bind(limit).fetch_all(&self.readers.pool()).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }
}
