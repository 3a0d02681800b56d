//! The command journal: written and synced before anything is sent.

use std::sync::Arc;

use linli_domain::command::State;
use linli_domain::{Record, Timestamp};
use sqlx::sqlite::SqliteRow;
use tokio::sync::mpsc;

use crate::command::{Begun, JournaledCommand};
use crate::error::{NotDurable, ReadError};
use crate::op::{self, Op, Packed};
use crate::place::Place;
use crate::readers::Readers;
use crate::undecodable::{Undecodable, column, json_column};

/// Writes and reads the journal.
#[derive(Clone)]
pub struct Journal {
    pub(crate) readers: Arc<Readers>,
    pub(crate) writer: mpsc::Sender<Op>,
    pub(crate) undecodable: Undecodable,
}

// === impl Journal ===

impl Journal {
    /// Journals a command as accepted, unless its id is known.
    pub async fn begin(&self, command: JournaledCommand) -> Result<Begun, NotDurable> {
        op::ask(&self.writer, |reply| Op::Begin { command, reply }).await
    }

    /// Journals how far a command has come.
    pub async fn advance(&self, id: &str, state: &State, at: Timestamp) -> Result<(), NotDurable> {
        self.step(id, state, at, None).await
    }

    /// The same, in one transaction with the record that reports the new state.
    pub async fn advance_with(
        &self,
        id: &str,
        state: &State,
        at: Timestamp,
        record: Record,
    ) -> Result<(), NotDurable> {
        self.step(id, state, at, Some(Packed::of(record))).await
    }

    /// The commands that are neither done nor failed, oldest first, with how far each has come.
    /// One whose state cannot be decoded is [`State::Unknown`]; one that cannot be decoded at all
    /// is left out, reported, and not open any more.
    pub async fn unfinished(&self) -> Result<Vec<(JournaledCommand, State)>, ReadError> {
        let rows = sqlx::query(
            "SELECT command.id, command.body, command.state FROM open_command JOIN command USING (id) ORDER BY command.at",
        )
        .fetch_all(&self.readers.pool())
        .await?;
        Ok(rows.iter().filter_map(|row| self.decode(row)).collect())
    }

    fn decode(&self, row: &SqliteRow) -> Option<(JournaledCommand, State)> {
        let id: String = column(row, 0).unwrap_or_default();
        let command = self.undecodable.or_report(Place::Command(id.clone()), json_column(row, 1))?;
        let state = self.undecodable.or_report(Place::CommandState(id), json_column(row, 2));
        Some((command, state.unwrap_or_else(undecodable_state)))
    }

    async fn step(
        &self,
        id: &str,
        state: &State,
        at: Timestamp,
        record: Option<Packed>,
    ) -> Result<(), NotDurable> {
        let (id, state) = (id.to_owned(), state.clone());
        op::ask(&self.writer, |reply| Op::Advance { id, state, at, record, reply }).await
    }
}

/// What is known of a command whose state cannot be decoded: it may have been sent.
pub(crate) fn undecodable_state() -> State {
    State::Unknown { reason: "the journaled state cannot be decoded".to_owned() }
}
