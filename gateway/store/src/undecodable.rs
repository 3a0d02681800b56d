//! Rows that exist but cannot be decoded: they are reported once, kept, and block nothing.
//!
//! A reader reports such a row and continues with the next. The writer records it in the table
//! `undecodable` and, if it is in a queue, moves it out of the queue.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use serde::de::DeserializeOwned;
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Row, Sqlite, Type};
use tokio::sync::mpsc;

use crate::error::ReadError;
use crate::op::Op;
use crate::place::Place;

/// Rows remembered as reported; more than that are reported again, and ignored by the writer.
const MOST_REPORTED: usize = 10_000;

/// Where readers report rows they cannot decode.
#[derive(Clone)]
pub(crate) struct Undecodable {
    writer: mpsc::Sender<Op>,
    reported: Arc<Mutex<HashSet<Place>>>,
}

// === impl Undecodable ===

impl Undecodable {
    pub(crate) fn new(writer: mpsc::Sender<Op>) -> Self {
        Self { writer, reported: Arc::default() }
    }

    /// Reports a row; the first report of a row goes to the writer.
    pub(crate) fn report(&self, place: Place, reason: &str) {
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        if reported.contains(&place) {
            return;
        }
        let op = Op::Undecodable { place: place.clone(), reason: reason.to_owned() };
        // If the queue is full, the next reader reports it.
        if self.writer.try_send(op).is_ok() {
            if reported.len() >= MOST_REPORTED {
                reported.clear();
            }
            reported.insert(place);
        }
    }

    /// Returns the value. A row that does not decode is reported and gives `None`.
    pub(crate) fn or_report<T>(&self, place: Place, decoded: Result<T, String>) -> Option<T> {
        decoded.map_err(|reason| self.report(place, &reason)).ok()
    }

    /// Returns the value. A row that does not decode is reported and gives an error, for a caller that asked
    /// for this row.
    pub(crate) fn or_fail<T>(&self, place: Place, decoded: Result<T, String>) -> Result<T, ReadError> {
        decoded.map_err(|reason| {
            self.report(place.clone(), &reason);
            ReadError::Undecodable { table: place.table(), key: place.key(), reason }
        })
    }
}

/// Decodes a column of a row. The error names the column, never its content.
pub(crate) fn column<'r, T>(row: &'r SqliteRow, index: usize) -> Result<T, String>
where
    T: Decode<'r, Sqlite> + Type<Sqlite>,
{
    row.try_get(index).map_err(|_| format!("column {index} has another type"))
}

/// JSON in a column.
pub(crate) fn json_column<T: DeserializeOwned>(row: &SqliteRow, index: usize) -> Result<T, String> {
    let text: &str = column(row, index)?;
    json(text.as_bytes())
}

/// The text of a column that must hold JSON.
pub(crate) fn text_column(row: &SqliteRow, index: usize) -> Result<String, String> {
    let text: String = column(row, index)?;
    json::<serde::de::IgnoredAny>(text.as_bytes()).map(|_| text)
}

/// Decodes JSON. The error names the position, never the content, which may be personal.
pub(crate) fn json<T: DeserializeOwned>(text: &[u8]) -> Result<T, String> {
    serde_json::from_slice(text)
        .map_err(|error| format!("{:?} error in JSON at column {}", error.classify(), error.column()))
}
