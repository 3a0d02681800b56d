//! What the broker refused for ever, as people look at it: why, since when, and once more on its way.

use linli_domain::{Batch, Message, Record, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use crate::codec;
use crate::error::{NotDurable, ReadError};
use crate::layouts::LayoutCache;
use crate::op::{self, Op, Packed};
use crate::outbox::Outbox;
use crate::undecodable::{column, json};

const NEWEST: &str =
    "SELECT seq, at, layout, body, detail, buried FROM dead_letter ORDER BY seq DESC LIMIT ?";
const ONE: &str = "SELECT seq, at, layout, body, detail, buried FROM dead_letter WHERE seq = ?";
const WAS_SENT: &str = "SELECT count(*) FROM seen WHERE key = ?";

/// The oldest record that waits: each table is in order of its numbers.
const OLDEST: &str = "SELECT min(at) FROM (SELECT * FROM (SELECT at FROM urgent ORDER BY seq LIMIT 1) \
     UNION ALL SELECT * FROM (SELECT at FROM telemetry ORDER BY seq LIMIT 1) \
     UNION ALL SELECT * FROM (SELECT at FROM kiosk ORDER BY seq LIMIT 1) \
     UNION ALL SELECT * FROM (SELECT at FROM actuator ORDER BY seq LIMIT 1) \
     UNION ALL SELECT * FROM (SELECT at FROM food_safety ORDER BY seq LIMIT 1))";

/// A record that the broker will never accept as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadLetter {
    /// Its number.
    pub seq: u64,
    /// Time of the record.
    pub at: Timestamp,
    /// When the broker refused it.
    pub refused: Timestamp,
    /// Why.
    pub detail: String,
    /// The record; `None` when it cannot be decoded.
    pub record: Option<Record>,
    /// Whether it was sent once more, as a record with a new number.
    pub is_sent_again: bool,
}

// === impl Outbox ===

impl Outbox {
    /// Time of the oldest record that waits for the broker; `None` when none does.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn oldest(&self) -> Result<Option<Timestamp>, ReadError> {
        let oldest: Option<i64> = sqlx::query_scalar(OLDEST).fetch_one(&self.readers.pool()).await?;
        Ok(oldest.map(Timestamp))
    }

    /// The newest dead letters.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn dead_letters(&self, most: u32) -> Result<Vec<DeadLetter>, ReadError> {
        let mut connection = self.readers.pool().acquire().await?;
        let rows = sqlx::query(NEWEST).bind(most).fetch_all(&mut *connection).await?;
        let (mut cache, mut letters) = (LayoutCache::default(), Vec::new());
        for row in &rows {
            letters.extend(self.letter(&mut connection, row, &mut cache).await?);
        }
        Ok(letters)
    }

    /// Puts a dead letter into its lane once more, as a record with a new number, and waits until that is on the disk.
    /// Returns its number; `None` when there is no such letter, it cannot be decoded, or it was sent again already.
    ///
    /// # Errors
    /// When the database cannot be read or written.
    pub async fn send_again(&self, seq: u64) -> Result<Option<u64>, NotDurable> {
        let found = self.letter_of(seq).await.map_err(|error| NotDurable::Failed(error.to_string()))?;
        let Some(record) = found.and_then(|letter| letter.record) else { return Ok(None) };
        let (packed, key) = (Packed::of(record), self.key(seq));
        op::ask(&self.writer, |reply| Op::Once { key, packed, reply }).await
    }

    async fn letter_of(&self, seq: u64) -> Result<Option<DeadLetter>, ReadError> {
        let mut connection = self.readers.pool().acquire().await?;
        let row = sqlx::query(ONE).bind(seq.cast_signed()).fetch_optional(&mut *connection).await?;
        let Some(row) = row else { return Ok(None) };
        Ok(self.letter(&mut connection, &row, &mut LayoutCache::default()).await?)
    }

    async fn letter(
        &self,
        connection: &mut SqliteConnection,
        row: &SqliteRow,
        cache: &mut LayoutCache,
    ) -> Result<Option<DeadLetter>, sqlx::Error> {
        let seq: i64 = row.try_get(0)?;
        let (Ok(at), Ok(refused)) = (column::<i64>(row, 1), column::<i64>(row, 5)) else { return Ok(None) };
        let record = match (column::<Option<i64>>(row, 2), column::<Vec<u8>>(row, 3)) {
            (Ok(None), Ok(body)) => json::<Message>(&body).ok().map(Record::Message),
            (Ok(Some(number)), Ok(body)) => match cache.find(connection, number).await? {
                Ok(layout) => {
                    codec::unpack(&body).ok().map(|samples| Record::Samples(Batch { layout, samples }))
                }
                Err(_) => None,
            },
            _ => None,
        };
        let seq = seq.cast_unsigned();
        let sent: i64 = sqlx::query_scalar(WAS_SENT).bind(self.key(seq)).fetch_one(&mut *connection).await?;
        let detail = column::<String>(row, 4).unwrap_or_default();
        let (at, refused) = (Timestamp(at), Timestamp(refused));
        Ok(Some(DeadLetter { seq, at, refused, detail, record, is_sent_again: sent > 0 }))
    }

    /// Under this key it is remembered that a letter was sent again.
    fn key(&self, seq: u64) -> String {
        format!("again/{}/{seq}", self.heads.borrow().epoch)
    }
}
