//! The book that desks write in: accounts, samples, signed records, days of kiosks.

use std::sync::Arc;

use linli_domain::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use tokio::sync::mpsc;

use crate::error::{NotDurable, ReadError};
use crate::kept::{Entry, Page};
use crate::readers::Readers;
use crate::writer::{self, Op};

/// Most rows one question is answered with.
const MOST: i64 = 10_000;

/// Writes and reads.
#[derive(Clone)]
pub struct Book {
    pub(crate) readers: Arc<Readers>,
    pub(crate) writer: mpsc::Sender<Op>,
}

// === impl Book ===

impl Book {
    /// Makes an entry durable.
    pub async fn keep(&self, entry: Entry) -> Result<(), NotDurable> {
        writer::keep(&self.writer, entry).await.map(|_| ())
    }

    /// Everything of a kind in `[from, to)`, oldest first.
    pub async fn of(&self, kind: &str, from: Timestamp, to: Timestamp) -> Result<Vec<Page>, ReadError> {
        let sql = "SELECT id, kind, at, body FROM book WHERE kind = ? AND at >= ? AND at < ? ORDER BY at, id LIMIT ?";
        let query = sqlx::query(sql).bind(kind).bind(from.0).bind(to.0).bind(MOST);
        let rows = query.fetch_all(&self.readers.pool()).await?;
        Ok(rows.iter().map(page).collect())
    }

    /// One of them.
    pub async fn get(&self, id: &str) -> Result<Option<Page>, ReadError> {
        let sql = "SELECT id, kind, at, body FROM book WHERE id = ?";
        let row = sqlx::query(sql).bind(id).fetch_optional(&self.readers.pool()).await?;
        Ok(row.as_ref().map(page))
    }

    /// The newest of a kind by its id.
    pub async fn newest(&self, kind: &str) -> Result<Option<Page>, ReadError> {
        let sql = "SELECT id, kind, at, body FROM book WHERE kind = ? ORDER BY id DESC LIMIT 1";
        let row = sqlx::query(sql).bind(kind).fetch_optional(&self.readers.pool()).await?;
        Ok(row.as_ref().map(page))
    }

    /// The next of a kind by their ids, after that id.
    pub async fn after(&self, kind: &str, id: &str, most: u32) -> Result<Vec<Page>, ReadError> {
        let sql = "SELECT id, kind, at, body FROM book WHERE kind = ? AND id > ? ORDER BY id LIMIT ?";
        let query = sqlx::query(sql).bind(kind).bind(id).bind(most);
        let rows = query.fetch_all(&self.readers.pool()).await?;
        Ok(rows.iter().map(page).collect())
    }

    /// Steps of alarms in `[from, to)`, oldest first, as JSON.
    pub async fn alarm_steps(&self, from: Timestamp, to: Timestamp) -> Result<Vec<String>, ReadError> {
        let sql = "SELECT body FROM alarm_journal WHERE at >= ? AND at < ? ORDER BY id LIMIT ?";
        let query = sqlx::query(sql).bind(from.0).bind(to.0).bind(MOST);
        Ok(query.fetch_all(&self.readers.pool()).await?.iter().map(|row| row.get(0)).collect())
    }
}

fn page(row: &SqliteRow) -> Page {
    Page { id: row.get(0), kind: row.get(1), at: Timestamp(row.get(2)), body: row.get(3) }
}
