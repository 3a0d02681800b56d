//! Records waiting for delivery, as the uplink reads and acknowledges them.

use std::sync::Arc;

use futures_util::TryStreamExt;
use linli_domain::{Batch, Lane, Message, Record};
use sqlx::{Row as _, SqliteConnection};
use tokio::sync::{Mutex, mpsc, watch};

use crate::codec;
use crate::error::ReadError;
use crate::heads::Heads;
use crate::layouts::LayoutCache;
use crate::op::Op;
use crate::place::Place;
use crate::readers::Readers;
use crate::undecodable::{Undecodable, column, json};

const URGENT: &str =
    "SELECT seq, layout, body FROM urgent WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3";

/// Each part is read in order of its row id, so SQLite merges them without sorting.
const DATA: &str = "SELECT seq, layout, body FROM telemetry WHERE seq > ?1 AND seq <= ?2 \
     UNION ALL SELECT seq, layout, body FROM kiosk WHERE seq > ?1 AND seq <= ?2 \
     UNION ALL SELECT seq, layout, body FROM actuator WHERE seq > ?1 AND seq <= ?2 \
     UNION ALL SELECT seq, layout, body FROM food_safety WHERE seq > ?1 AND seq <= ?2 \
     ORDER BY seq LIMIT ?3";

/// A record with its number.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its sequence number.
    pub seq: u64,
    /// The lane it waits in.
    pub lane: Lane,
    /// The record to deliver.
    pub record: Record,
}

/// Reads records, acknowledges them, or moves them to the dead letters.
#[derive(Clone)]
pub struct Outbox {
    pub(crate) readers: Arc<Readers>,
    pub(crate) heads: watch::Receiver<Heads>,
    pub(crate) writer: mpsc::Sender<Op>,
    pub(crate) layouts: Arc<Mutex<(Arc<str>, LayoutCache)>>,
    pub(crate) undecodable: Undecodable,
}

// === impl Outbox ===

impl Outbox {
    /// Changes with every commit that added to a lane.
    #[must_use]
    pub fn heads(&self) -> watch::Receiver<Heads> {
        self.heads.clone()
    }

    /// Reads records of a lane with `after < seq <= up_to`, in order, until either limit is
    /// reached; at least one if there is one. A record that cannot be decoded goes to the dead
    /// letters and is not among them.
    pub async fn read(
        &self,
        lane: Lane,
        mut after: u64,
        up_to: u64,
        max_rows: usize,
        max_bytes: usize,
    ) -> Result<Vec<Row>, ReadError> {
        let mut connection = self.readers.pool().acquire().await?;
        loop {
            let stored = read_stored(&mut connection, lane, after, up_to, max_rows, max_bytes).await?;
            let Some(last) = stored.last().map(|row| row.seq) else { return Ok(Vec::new()) };
            let decoded = self.decode(&mut connection, lane, stored).await?;
            if !decoded.is_empty() {
                return Ok(decoded);
            }
            // None of them could be decoded: those behind them are not kept waiting.
            after = last;
        }
    }

    async fn decode(
        &self,
        connection: &mut SqliteConnection,
        lane: Lane,
        stored: Vec<Stored>,
    ) -> Result<Vec<Row>, ReadError> {
        let mut layouts = self.layouts.lock().await;
        let epoch = self.heads.borrow().epoch.clone();
        if layouts.0 != epoch {
            *layouts = (epoch, LayoutCache::default());
        }
        let mut decoded = Vec::with_capacity(stored.len());
        for Stored { seq, layout, body } in stored {
            let record = match (body, layout) {
                (Err(reason), _) => Err(reason),
                (Ok(body), None) => json::<Message>(&body).map(Record::Message),
                (Ok(body), Some(number)) => match layouts.1.find(connection, number).await? {
                    Ok(layout) => codec::unpack(&body)
                        .map(|samples| Record::Samples(Batch { layout, samples }))
                        .map_err(|error| error.to_string()),
                    Err(reason) => Err(reason),
                },
            };
            let record = self.undecodable.or_report(Place::Outbox(seq), record);
            decoded.extend(record.map(|record| Row { seq, lane, record }));
        }
        Ok(decoded)
    }

    /// Removes records that the broker acknowledged, with the writer's next transaction.
    pub async fn acknowledge(&self, seqs: Vec<u64>) {
        // A closed writer means the process ends; the records are delivered again after it.
        let _ = self.writer.send(Op::Acknowledge(seqs)).await;
    }

    /// Moves a record that the broker will never accept to the dead letters, with a ledger entry.
    pub async fn dead_letter(&self, seq: u64, detail: String) {
        let _ = self.writer.send(Op::DeadLetter { seq, detail }).await;
    }
}

/// A row as it is in the database.
struct Stored {
    seq: u64,
    layout: Option<i64>,
    body: Result<Vec<u8>, String>,
}

async fn read_stored(
    connection: &mut SqliteConnection,
    lane: Lane,
    after: u64,
    up_to: u64,
    max_rows: usize,
    max_bytes: usize,
) -> Result<Vec<Stored>, sqlx::Error> {
    let mut rows = sqlx::query(if lane == Lane::Urgent { URGENT } else { DATA })
        .bind(clamp(after))
        .bind(clamp(up_to))
        .bind(i64::try_from(max_rows).unwrap_or(i64::MAX))
        .fetch(connection);
    let (mut stored, mut bytes) = (Vec::new(), 0_usize);
    while let Some(row) = rows.try_next().await? {
        let seq: i64 = row.try_get(0)?;
        let (layout, body) = match (column(&row, 1), column::<Vec<u8>>(&row, 2)) {
            (Ok(layout), body) => (layout, body),
            (Err(reason), _) => (None, Err(reason)),
        };
        bytes += body.as_ref().map_or(0, Vec::len);
        stored.push(Stored { seq: seq.cast_unsigned(), layout, body });
        if bytes >= max_bytes {
            break;
        }
    }
    Ok(stored)
}

fn clamp(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}
