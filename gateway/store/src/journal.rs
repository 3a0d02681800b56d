//! The command journal: written and synced before anything is sent.

use std::sync::Arc;

use linli_domain::command::State;
use linli_domain::{Record, Timestamp};
use sqlx::Row;
use tokio::sync::mpsc;

use crate::command::{Begun, JournaledCommand};
use crate::error::{NotDurable, ReadError};
use crate::readers::Readers;
use crate::writer::{self, Op, Packed};

/// Writes and reads the journal.
#[derive(Clone)]
pub struct Journal {
    pub(crate) readers: Arc<Readers>,
    pub(crate) writer: mpsc::Sender<Op>,
}

// === impl Journal ===

impl Journal {
    /// Journals a command as accepted, unless its id is known.
    pub async fn begin(&self, command: JournaledCommand) -> Result<Begun, NotDurable> {
        writer::ask(&self.writer, |reply| Op::Begin { command, reply }).await
    }

    /// Journals how far a command has come.
    pub async fn advance(&self, id: &str, state: &State, at: Timestamp) -> Result<(), NotDurable> {
        self.step(id, state, at, None).await
    }

    /// The same, together with the record that tells of it, in one transaction.
    pub async fn advance_with(
        &self,
        id: &str,
        state: &State,
        at: Timestamp,
        record: Record,
    ) -> Result<(), NotDurable> {
        self.step(id, state, at, Some(Packed::of(record))).await
    }

    /// Commands that were open when the process last ended, oldest first.
    pub async fn unfinished(&self) -> Result<Vec<(JournaledCommand, State)>, ReadError> {
        let rows = sqlx::query(
            "SELECT command.body, command.state FROM open_command JOIN command USING (id) ORDER BY command.at",
        )
        .fetch_all(&self.readers.pool())
        .await?;
        let decode = |row: &sqlx::sqlite::SqliteRow| {
            let command = serde_json::from_str(row.get::<&str, _>(0)).ok()?;
            Some((command, serde_json::from_str(row.get::<&str, _>(1)).ok()?))
        };
        Ok(rows.iter().filter_map(decode).collect())
    }

    async fn step(
        &self,
        id: &str,
        state: &State,
        at: Timestamp,
        record: Option<Packed>,
    ) -> Result<(), NotDurable> {
        let (id, state) = (id.to_owned(), state.clone());
        writer::ask(&self.writer, |reply| Op::Advance { id, state, at, record, reply }).await
    }
}
