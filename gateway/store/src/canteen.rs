//! What the canteen keeps: accounts of its cabinets, samples, cooling, signed records.

use std::sync::Arc;

use linli_domain::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use tokio::sync::mpsc;

use crate::error::{NotDurable, ReadError};
use crate::kept::{Entry, Food};
use crate::readers::Readers;
use crate::writer::{self, Op};

/// Most rows one question is answered with.
const MOST: i64 = 10_000;

/// Writes and reads.
#[derive(Clone)]
pub struct Canteen {
    pub(crate) readers: Arc<Readers>,
    pub(crate) writer: mpsc::Sender<Op>,
}

// === impl Canteen ===

impl Canteen {
    /// Makes an entry durable.
    pub async fn keep(&self, entry: Entry) -> Result<(), NotDurable> {
        writer::keep(&self.writer, entry).await.map(|_| ())
    }

    /// Everything of a kind in `[from, to)`, oldest first.
    pub async fn of(&self, kind: &str, from: Timestamp, to: Timestamp) -> Result<Vec<Food>, ReadError> {
        let sql = "SELECT id, kind, at, body FROM food WHERE kind = ? AND at >= ? AND at < ? ORDER BY at, id LIMIT ?";
        let query = sqlx::query(sql).bind(kind).bind(from.0).bind(to.0).bind(MOST);
        let rows = query.fetch_all(&self.readers.pool()).await?;
        Ok(rows.iter().map(food).collect())
    }

    /// One of them.
    pub async fn get(&self, id: &str) -> Result<Option<Food>, ReadError> {
        let sql = "SELECT id, kind, at, body FROM food WHERE id = ?";
        let row = sqlx::query(sql).bind(id).fetch_optional(&self.readers.pool()).await?;
        Ok(row.as_ref().map(food))
    }

    /// The newest of a kind by its id.
    pub async fn newest(&self, kind: &str) -> Result<Option<Food>, ReadError> {
        let sql = "SELECT id, kind, at, body FROM food WHERE kind = ? ORDER BY id DESC LIMIT 1";
        let row = sqlx::query(sql).bind(kind).fetch_optional(&self.readers.pool()).await?;
        Ok(row.as_ref().map(food))
    }

    /// Steps of alarms in `[from, to)`, oldest first, as JSON.
    pub async fn alarm_steps(&self, from: Timestamp, to: Timestamp) -> Result<Vec<String>, ReadError> {
        let sql = "SELECT body FROM alarm_journal WHERE at >= ? AND at < ? ORDER BY id LIMIT ?";
        let query = sqlx::query(sql).bind(from.0).bind(to.0).bind(MOST);
        Ok(query.fetch_all(&self.readers.pool()).await?.iter().map(|row| row.get(0)).collect())
    }
}

fn food(row: &SqliteRow) -> Food {
    Food { id: row.get(0), kind: row.get(1), at: Timestamp(row.get(2)), body: row.get(3) }
}
