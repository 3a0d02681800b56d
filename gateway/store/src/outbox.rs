//! The uplink's view of what waits for delivery.

use std::sync::Arc;

use futures_util::TryStreamExt;
use linli_domain::{Batch, Lane, Message, Record};
use sqlx::Row as _;
use tokio::sync::{Mutex, mpsc, watch};

use crate::codec;
use crate::error::ReadError;
use crate::heads::Heads;
use crate::layouts::Known;
use crate::readers::Readers;
use crate::writer::Op;

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
    /// What to deliver.
    pub record: Record,
}

/// Reads, acknowledges and buries.
#[derive(Clone)]
pub struct Outbox {
    pub(crate) readers: Arc<Readers>,
    pub(crate) heads: watch::Receiver<Heads>,
    pub(crate) writer: mpsc::Sender<Op>,
    pub(crate) known: Arc<Mutex<(Arc<str>, Known)>>,
}

// === impl Outbox ===

impl Outbox {
    /// Changes with every commit that added to a lane.
    #[must_use]
    pub fn heads(&self) -> watch::Receiver<Heads> {
        self.heads.clone()
    }

    /// Reads records of a lane with `after < seq <= up_to`, in order, until either limit is
    /// reached; at least one if there is one.
    pub async fn read(
        &self,
        lane: Lane,
        after: u64,
        up_to: u64,
        max_rows: usize,
        max_bytes: usize,
    ) -> Result<Vec<Row>, ReadError> {
        let mut connection = self.readers.pool().acquire().await?;
        let sql = if lane == Lane::Urgent { URGENT } else { DATA };
        let mut raw: Vec<(i64, Option<i64>, Vec<u8>)> = Vec::new();
        {
            let mut rows = sqlx::query(sql)
                .bind(clamp(after))
                .bind(clamp(up_to))
                .bind(i64::try_from(max_rows).unwrap_or(i64::MAX))
                .fetch(&mut *connection);
            let mut bytes = 0_usize;
            while let Some(row) = rows.try_next().await? {
                let body: Vec<u8> = row.get(2);
                bytes += body.len();
                raw.push((row.get(0), row.get(1), body));
                if bytes >= max_bytes {
                    break;
                }
            }
        }
        let mut known = self.known.lock().await;
        let epoch = self.heads.borrow().epoch.clone();
        if known.0 != epoch {
            *known = (epoch, Known::default());
        }
        let mut decoded = Vec::with_capacity(raw.len());
        for (seq, layout, body) in raw {
            let seq = seq.cast_unsigned();
            let record = match layout {
                None => serde_json::from_slice::<Message>(&body).ok().map(Record::Message),
                Some(number) => match (known.1.find(&mut connection, number).await?, codec::unpack(&body)) {
                    (Some(layout), Ok(samples)) => Some(Record::Samples(Batch { layout, samples })),
                    _ => None,
                },
            };
            match record {
                Some(record) => decoded.push(Row { seq, lane, record }),
                None => self.dead_letter(seq, "the stored bytes cannot be decoded".to_owned()).await,
            }
        }
        Ok(decoded)
    }

    /// The broker has them: they go with the writer's next transaction.
    pub async fn acknowledge(&self, seqs: Vec<u64>) {
        // A closed writer means the process ends; the records are delivered again after it.
        let _ = self.writer.send(Op::Acknowledge(seqs)).await;
    }

    /// The broker will never take it: kept aside for a person, and told in the ledger.
    pub async fn dead_letter(&self, seq: u64, detail: String) {
        let _ = self.writer.send(Op::Bury { seq, detail }).await;
    }
}

fn clamp(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}
