//! The state of each alarm, the journal of its state changes, and notifications not yet delivered.

use std::sync::Arc;

use linli_domain::{Id, Timestamp};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use tokio::sync::mpsc;

use crate::entry::{Entry, Notification};
use crate::error::{NotDurable, ReadError};
use crate::op::{self, Op};
use crate::page::{Listing, Paging};
use crate::place::Place;
use crate::readers::Readers;
use crate::undecodable::{Undecodable, column, text_column};

/// How many notifications are examined until one can be decoded.
const NOTIFICATIONS: i64 = 16;

/// Stores and reads alarm states and notifications.
#[derive(Clone)]
pub struct Alarms {
    pub(crate) readers: Arc<Readers>,
    pub(crate) writer: mpsc::Sender<Op>,
    pub(crate) undecodable: Undecodable,
}

// === impl Alarms ===

impl Alarms {
    /// Makes an entry durable.
    pub async fn keep(&self, entry: Entry) -> Result<(), NotDurable> {
        op::keep(&self.writer, entry).await.map(|_| ())
    }

    /// The stored state of every alarm: id and JSON, as the alarm service wrote it.
    pub async fn all(&self) -> Result<Vec<(String, String)>, ReadError> {
        let rows = sqlx::query("SELECT id, body FROM alarm").fetch_all(&self.readers.pool()).await?;
        let decode = |row: &SqliteRow| {
            let id: String = column(row, 0).unwrap_or_default();
            let body = self.undecodable.or_report(Place::Alarm(id.clone()), text_column(row, 1))?;
            Some((id, body))
        };
        Ok(rows.iter().filter_map(decode).collect())
    }

    /// Reports that the alarm service cannot decode the stored state of an alarm. The row is counted
    /// and logged once, and a copy of it is kept. `reason` must not quote the stored text.
    pub fn undecodable(&self, id: &str, reason: &str) {
        self.undecodable.report(Place::Alarm(id.to_owned()), reason);
    }

    /// The next notification for a receiver, and how many are waiting for it in total. `None` when
    /// none is due at `now`.
    pub async fn next_notification(
        &self,
        hook: &Id,
        now: Timestamp,
    ) -> Result<Option<(Notification, u64)>, ReadError> {
        let pool = self.readers.pool();
        let sql = "SELECT count(*) FROM notification WHERE hook = ? AND after <= ?";
        let waiting: i64 = sqlx::query_scalar(sql).bind(hook.as_str()).bind(now.0).fetch_one(&pool).await?;
        if waiting == 0 {
            return Ok(None);
        }
        let sql = "SELECT id, key, body FROM notification WHERE hook = ? AND after <= ? ORDER BY id LIMIT ?";
        let query = sqlx::query(sql).bind(hook.as_str()).bind(now.0).bind(NOTIFICATIONS);
        let rows = query.fetch_all(&pool).await?;
        for row in &rows {
            let id = row.try_get(0)?;
            let decode = || Ok::<(String, String), String>((column(row, 1)?, text_column(row, 2)?));
            // A notification that cannot be decoded is removed from the queue and blocks nothing.
            let Some((key, body)) = self.undecodable.or_report(Place::Notification(id), decode()) else {
                continue;
            };
            let notification = Notification { id, hook: hook.clone(), key, body, after: now };
            return Ok(Some((notification, waiting.cast_unsigned())));
        }
        Ok(None)
    }

    /// What waits in the queue for any receiver, newest first.
    pub async fn queued(&self, most: u32) -> Result<Vec<Notification>, ReadError> {
        let sql = "SELECT id, hook, key, body, after FROM notification ORDER BY id DESC LIMIT ?";
        let rows = sqlx::query(sql).bind(most).fetch_all(&self.readers.pool()).await?;
        let decode = |row: &SqliteRow| {
            let id = row.try_get(0).ok()?;
            let hook: String = column(row, 1).ok()?;
            // One that cannot be decoded is reported when its turn comes.
            let (key, body, after) = (column(row, 2).ok()?, text_column(row, 3).ok()?, row.try_get(4).ok()?);
            Some(Notification { id, hook: Id::new(&hook).ok()?, key, body, after: Timestamp(after) })
        };
        Ok(rows.iter().filter_map(decode).collect())
    }

    /// The latest state changes, newest first, as JSON.
    pub async fn journal(&self, limit: u32) -> Result<Vec<String>, ReadError> {
        Ok(self.journal_page(&Paging::first(limit)).await?.items)
    }

    /// A page of the state changes, newest first, as JSON.
    pub async fn journal_page(&self, paging: &Paging) -> Result<Listing<String>, ReadError> {
        let sql = "SELECT id, body, id FROM alarm_journal WHERE id < ? ORDER BY id DESC LIMIT ?";
        let query = sqlx::query(sql).bind(paging.before()).bind(paging.rows());
        let rows = query.fetch_all(&self.readers.pool()).await?;
        let decode = |row: &SqliteRow| {
            let place = Place::AlarmStep(column(row, 0).unwrap_or_default());
            self.undecodable.or_report(place, text_column(row, 1))
        };
        Ok(paging.page(&rows, 2, decode))
    }
}

/// Decodes state changes of alarms from rows of id and body.
pub(crate) fn steps(undecodable: &Undecodable, rows: &[SqliteRow]) -> Result<Vec<String>, ReadError> {
    let mut steps = Vec::with_capacity(rows.len());
    for row in rows {
        steps.extend(undecodable.or_report(Place::AlarmStep(row.try_get(0)?), text_column(row, 1)));
    }
    Ok(steps)
}
