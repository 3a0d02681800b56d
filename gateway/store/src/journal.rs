//! The command journal: written and synced before anything is sent.

use std::sync::Arc;

use linli_domain::command::State;
use linli_domain::{Record, Timestamp, Value};
use serde::{Deserialize, Serialize};
use sqlx::Row;
use tokio::sync::{mpsc, oneshot};

use crate::error::{NotDurable, ReadError};
use crate::store::Readers;
use crate::writer::{Op, Packed};

/// A command as the journal keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JournaledCommand {
    /// Chosen by the sender; the same id is the same command for ever.
    pub id: String,
    /// The device it is for.
    pub device: String,
    /// The point to write.
    pub point: String,
    /// What to write.
    pub value: Value,
    /// After this it must not act.
    pub expires: Timestamp,
    /// When it was accepted.
    pub at: Timestamp,
    /// MQTT 5 response topic.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub response_topic: Option<String>,
    /// MQTT 5 correlation data.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub correlation: Option<Vec<u8>>,
}

/// What beginning a command found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// Not seen before; it is journaled now.
    Fresh,
    /// Seen before, and this is how far it has come.
    Known(State),
}

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
        let (reply, answer) = oneshot::channel();
        self.ask(Op::Begin { command, reply }, answer).await
    }

    /// Journals how far a command has come.
    pub async fn advance(&self, id: &str, state: &State, at: Timestamp) -> Result<(), NotDurable> {
        let (reply, answer) = oneshot::channel();
        let op = Op::Advance { id: id.to_owned(), state: state.clone(), at, record: None, reply };
        self.ask(op, answer).await
    }

    /// The same, together with the record that tells of it, in one transaction.
    pub async fn advance_with(
        &self,
        id: &str,
        state: &State,
        at: Timestamp,
        record: Record,
    ) -> Result<(), NotDurable> {
        let (reply, answer) = oneshot::channel();
        let record = Some(Packed::of(record));
        self.ask(Op::Advance { id: id.to_owned(), state: state.clone(), at, record, reply }, answer).await
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

    async fn ask<T>(
        &self,
        op: Op,
        answer: oneshot::Receiver<Result<T, NotDurable>>,
    ) -> Result<T, NotDurable> {
        let stopped = || NotDurable("the store is closed".to_owned());
        self.writer.send(op).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}
