//! Trends: one-minute roll-ups, one row per device and minute.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use linli_domain::rollup::{Minute, Rollup};
use linli_domain::{Id, Layout, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use tokio::sync::mpsc;

use crate::codec::{unpack_rollup, unpack_rollups};
use crate::error::ReadError;
use crate::layouts::LayoutCache;
use crate::op::Op;
use crate::place::Place;
use crate::readers::Readers;
use crate::undecodable::{Undecodable, column, json_column};

/// Length of the shortest span, in milliseconds.
const MINUTE: i64 = 60_000;

const READ: &str = "SELECT history.device, history.minute, history.layout, history.body, layout.body FROM history \
     JOIN device ON device.id = history.device JOIN layout ON layout.id = history.layout \
     WHERE device.name = ? AND history.minute BETWEEN ? AND ? ORDER BY history.minute";

/// Spans of a trend, each with the minutes in it: one text of `minute:layout:body` with commas between. SQLite reads the
/// minutes in their order and joins them itself, which costs a fraction of a row for each minute.
const READ_SPANS: &str = "WITH RECURSIVE span(start) AS (SELECT ?2 UNION ALL SELECT start + ?4 FROM span WHERE start + ?4 <= ?3) \
     SELECT start, (SELECT group_concat(minute || ':' || layout || ':' || hex(body)) FROM history \
     WHERE device = ?1 AND minute >= start AND minute < start + ?4) FROM span";

/// Most spans of one trend.
const MOST_SPANS: i64 = 4000;

/// Spans that are read at a time: their text is held in memory.
const AT_ONCE: i64 = 64;

/// Writes and reads trends.
#[derive(Clone)]
pub struct History {
    pub(crate) readers: Arc<Readers>,
    pub(crate) writer: mpsc::Sender<Op>,
    pub(crate) undecodable: Undecodable,
}

// === impl History ===

impl History {
    /// Adds minutes, whole or partial; partial ones are merged with what is there.
    pub async fn add(&self, minutes: Vec<Minute>) {
        if !minutes.is_empty() {
            let _ = self.writer.send(Op::History(minutes)).await;
        }
    }

    /// The minutes of one point, oldest first.
    pub async fn read(
        &self,
        device: &Id,
        point: &Id,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<(Timestamp, Rollup)>, ReadError> {
        let rows = sqlx::query(READ)
            .bind(device.as_str())
            .bind(from.minute().0)
            .bind(to.0)
            .fetch_all(&self.readers.pool())
            .await?;
        // A minute has two rows when the configuration changed in its middle.
        let mut minutes: BTreeMap<Timestamp, Rollup> = BTreeMap::new();
        for row in &rows {
            let (place, minute) = (place(row)?, Timestamp(row.try_get(1)?));
            let Some((layout, rollups)) = self.undecodable.or_report(place, decode(row)) else { continue };
            let slot = layout.points.iter().position(|p| p.name == *point);
            let Some(Some(rollup)) = slot.and_then(|slot| rollups.get(slot).copied()) else { continue };
            let merged = minutes.get(&minute).map_or(rollup, |so_far| so_far.merged(rollup));
            minutes.insert(minute, merged);
        }
        Ok(minutes.into_iter().collect())
    }
}

/// A span as it is read: its beginning, and the text of its minutes.
type SpanRow = (i64, Option<String>);

impl History {
    /// The roll-ups of one point joined into spans, oldest first; spans without any are left out. A span begins at a
    /// multiple of `step` after the Unix epoch. At most 4000, the oldest.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn read_spans(
        &self,
        device: &Id,
        point: &Id,
        (from, to): (Timestamp, Timestamp),
        step: Duration,
    ) -> Result<Vec<(Timestamp, Rollup)>, ReadError> {
        let step = i64::try_from(step.as_millis()).unwrap_or(i64::MAX).max(MINUTE);
        let first = from.0.div_euclid(step).saturating_mul(step);
        let last = to.0.min(first.saturating_add(step.saturating_mul(MOST_SPANS)));
        let mut connection = self.readers.pool().acquire().await?;
        let number: Option<i64> = sqlx::query_scalar("SELECT id FROM device WHERE name = ?")
            .bind(device.as_str())
            .fetch_optional(&mut *connection)
            .await?;
        let Some(number) = number else { return Ok(Vec::new()) };
        let mut slots = Slots { point, cache: LayoutCache::default(), known: HashMap::new() };
        let mut spans = Vec::new();
        let mut begin = first;
        while begin <= last {
            let end = last.min(begin.saturating_add(step.saturating_mul(AT_ONCE - 1)));
            let rows: Vec<SpanRow> = sqlx::query_as(READ_SPANS)
                .bind(number)
                .bind(begin)
                .bind(end)
                .bind(step)
                .fetch_all(&mut *connection)
                .await?;
            for (start, minutes) in rows {
                let joined = self.joined(&mut connection, number, minutes, &mut slots).await?;
                spans.extend(joined.map(|rollup| (Timestamp(start), rollup)));
            }
            begin = begin.saturating_add(step.saturating_mul(AT_ONCE));
        }
        Ok(spans)
    }

    /// The roll-up of one span, from the text of its minutes.
    async fn joined(
        &self,
        connection: &mut SqliteConnection,
        device: i64,
        minutes: Option<String>,
        slots: &mut Slots<'_>,
    ) -> Result<Option<Rollup>, sqlx::Error> {
        let (mut joined, mut body): (Option<Rollup>, Vec<u8>) = (None, Vec::new());
        for minute in minutes.as_deref().unwrap_or_default().split(',').filter(|text| !text.is_empty()) {
            let Some((minute, layout)) = parts(minute, &mut body) else { continue };
            let place = Place::History { device, minute, layout };
            let slot = slots.of(connection, layout).await?;
            let read = slot.and_then(|slot| match slot {
                Some(slot) => unpack_rollup(&body, slot).map_err(|error| error.to_string()),
                None => Ok(None),
            });
            if let Some(Some(rollup)) = self.undecodable.or_report(place, read) {
                joined = Some(joined.map_or(rollup, |so_far| so_far.merged(rollup)));
            }
        }
        Ok(joined)
    }
}

/// Where a point stands in the bodies of each layout.
struct Slots<'p> {
    point: &'p Id,
    cache: LayoutCache,
    known: HashMap<i64, Result<Option<usize>, String>>,
}

// === impl Slots ===

impl Slots<'_> {
    async fn of(
        &mut self,
        connection: &mut SqliteConnection,
        layout: i64,
    ) -> Result<Result<Option<usize>, String>, sqlx::Error> {
        if let Some(known) = self.known.get(&layout) {
            return Ok(known.clone());
        }
        let found = self.cache.find(connection, layout).await?;
        let slot = found.map(|layout| layout.points.iter().position(|point| point.name == *self.point));
        self.known.insert(layout, slot.clone());
        Ok(slot)
    }
}

/// Minute, layout and body of a text of [`READ_SPANS`]; the body goes into a buffer that is used for all of them.
fn parts(text: &str, body: &mut Vec<u8>) -> Option<(i64, i64)> {
    let mut parts = text.splitn(3, ':');
    let (minute, layout) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let digits = parts.next()?.as_bytes();
    body.clear();
    for pair in digits.chunks_exact(2) {
        body.push(nibble(pair[0])? << 4 | nibble(pair[1])?);
    }
    (digits.len() == 2 * body.len()).then_some((minute, layout))
}

/// The value of a digit as SQLite's `hex()` writes it.
const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

fn place(row: &SqliteRow) -> Result<Place, sqlx::Error> {
    Ok(Place::History { device: row.try_get(0)?, minute: row.try_get(1)?, layout: row.try_get(2)? })
}

fn decode(row: &SqliteRow) -> Result<(Layout, Vec<Option<Rollup>>), String> {
    let rollups = unpack_rollups(column(row, 3)?).map_err(|error| error.to_string())?;
    let layout = json_column(row, 4).map_err(|reason| format!("its layout: {reason}"))?;
    Ok((layout, rollups))
}
