//! JSON documents of the services, by kind: accounts, samples, signed records, days of kiosks.

use std::sync::Arc;

use linli_domain::Timestamp;
use sqlx::sqlite::SqliteRow;
use tokio::sync::mpsc;

use crate::alarms;
use crate::entry::{Document, Entry};
use crate::error::{NotDurable, ReadError};
use crate::op::{self, Op};
use crate::place::Place;
use crate::readers::Readers;
use crate::undecodable::{Undecodable, column, text_column};

/// Most rows returned by one query.
const MOST: i64 = 10_000;

/// Stores and reads documents.
#[derive(Clone)]
pub struct Documents {
    pub(crate) readers: Arc<Readers>,
    pub(crate) writer: mpsc::Sender<Op>,
    pub(crate) undecodable: Undecodable,
}

// === impl Documents ===

impl Documents {
    /// Stores an entry and waits until it is durable.
    pub async fn keep(&self, entry: Entry) -> Result<(), NotDurable> {
        op::keep(&self.writer, entry).await.map(|_| ())
    }

    /// Documents of a kind whose time is in `[from, to)`, oldest first.
    pub async fn of(&self, kind: &str, from: Timestamp, to: Timestamp) -> Result<Vec<Document>, ReadError> {
        let sql = "SELECT id, kind, at, body FROM book WHERE kind = ? AND at >= ? AND at < ? ORDER BY at, id LIMIT ?";
        let query = sqlx::query(sql).bind(kind).bind(from.0).bind(to.0).bind(MOST);
        let rows = query.fetch_all(&self.readers.pool()).await?;
        Ok(self.decoded(&rows))
    }

    /// The document with that id. [`ReadError::Undecodable`] if it is there but not JSON.
    pub async fn get(&self, id: &str) -> Result<Option<Document>, ReadError> {
        let sql = "SELECT id, kind, at, body FROM book WHERE id = ?";
        let row = sqlx::query(sql).bind(id).fetch_optional(&self.readers.pool()).await?;
        row.as_ref().map(|row| self.undecodable.or_fail(place(row), page(row))).transpose()
    }

    /// The document of a kind with the highest id.
    pub async fn newest(&self, kind: &str) -> Result<Option<Document>, ReadError> {
        let sql = "SELECT id, kind, at, body FROM book WHERE kind = ? ORDER BY id DESC LIMIT 1";
        let row = sqlx::query(sql).bind(kind).fetch_optional(&self.readers.pool()).await?;
        row.as_ref().map(|row| self.undecodable.or_fail(place(row), page(row))).transpose()
    }

    /// Documents of a kind with an id above `id`, by id, at most `most`.
    pub async fn after(&self, kind: &str, id: &str, most: u32) -> Result<Vec<Document>, ReadError> {
        let sql = "SELECT id, kind, at, body FROM book WHERE kind = ? AND id > ? ORDER BY id LIMIT ?";
        let query = sqlx::query(sql).bind(kind).bind(id).bind(most);
        let rows = query.fetch_all(&self.readers.pool()).await?;
        Ok(self.decoded(&rows))
    }

    /// Documents of a kind with an id below `id`, the highest first, at most `most`.
    pub async fn before(&self, kind: &str, id: &str, most: u32) -> Result<Vec<Document>, ReadError> {
        let sql = "SELECT id, kind, at, body FROM book WHERE kind = ? AND id >= ? AND id < ? \
                   ORDER BY id DESC LIMIT ?";
        let query = sqlx::query(sql).bind(kind).bind(kind).bind(id).bind(most);
        let rows = query.fetch_all(&self.readers.pool()).await?;
        Ok(self.decoded(&rows))
    }

    /// State changes of alarms in `[from, to)`, oldest first, as JSON.
    pub async fn alarm_steps(&self, from: Timestamp, to: Timestamp) -> Result<Vec<String>, ReadError> {
        let sql = "SELECT id, body FROM alarm_journal WHERE at >= ? AND at < ? ORDER BY id LIMIT ?";
        let query = sqlx::query(sql).bind(from.0).bind(to.0).bind(MOST);
        alarms::steps(&self.undecodable, &query.fetch_all(&self.readers.pool()).await?)
    }

    /// Reports that the service cannot decode a document. The row is counted and logged once, and a
    /// copy of it is kept. `reason` must not quote the stored text.
    pub fn undecodable(&self, id: &str, reason: &str) {
        self.undecodable.report(Place::Document(id.to_owned()), reason);
    }

    fn decoded(&self, rows: &[SqliteRow]) -> Vec<Document> {
        rows.iter().filter_map(|row| self.undecodable.or_report(place(row), page(row))).collect()
    }
}

fn place(row: &SqliteRow) -> Place {
    Place::Document(column(row, 0).unwrap_or_default())
}

fn page(row: &SqliteRow) -> Result<Document, String> {
    Ok(Document {
        id: column(row, 0)?,
        kind: column(row, 1)?,
        at: Timestamp(column(row, 2)?),
        body: text_column(row, 3)?,
    })
}
