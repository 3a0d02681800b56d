//! Trends over long times: the minutes of a point joined into spans.
//!
//! 90 days are 130 000 rows of a device. SQLite joins the bodies of a span into one, which costs a fraction of a row for each
//! minute, and of each body only the asked point is decoded. A span in which the configuration has changed, or one of whose
//! bodies is not as it should be, is read minute by minute instead, so that what is wrong is found and reported.

use std::collections::HashMap;
use std::time::Duration;

use linli_domain::rollup::Rollup;
use linli_domain::{Id, Timestamp};
use sqlx::SqliteConnection;

use crate::codec::{join_rollups, unpack_rollup};
use crate::error::ReadError;
use crate::history::History;
use crate::layouts::LayoutCache;
use crate::place::Place;

/// Length of the shortest span, in milliseconds.
const MINUTE: i64 = 60_000;

/// Spans of a trend: the beginning; how many rows are of another layout than the asked, a semicolon, and the bodies of all
/// rows, oldest first, with commas between; nothing if there is no row.
const READ_SPANS: &str = "WITH RECURSIVE span(start) AS (SELECT ?2 UNION ALL SELECT start + ?4 FROM span WHERE start + ?4 <= ?3) \
     SELECT start, (SELECT CAST(sum(layout <> ?5) || ';' || group_concat(body) AS BLOB) FROM history \
     WHERE device = ?1 AND minute >= start AND minute < start + ?4) FROM span";

/// The layout of the latest row of a time.
const LATEST_LAYOUT: &str = "SELECT layout FROM history WHERE device = ? AND minute >= ? AND minute < ? ORDER BY minute DESC, layout DESC LIMIT 1";

/// The rows of one span, one by one.
const READ_ROWS: &str = "SELECT minute, layout, CAST(body AS BLOB) FROM history \
     WHERE device = ? AND minute >= ? AND minute < ? ORDER BY minute, layout";

/// Most spans of one trend.
const MOST_SPANS: i64 = 4000;

/// Minutes that are read at a time: their bodies are held in memory.
const AT_ONCE: i64 = 4096;

/// A span as it is read: its beginning, and its bodies.
type SpanRow = (i64, Option<Vec<u8>>);

/// A device's row as it is read: minute, layout, body.
type MinuteRow = (i64, i64, Vec<u8>);

/// Where the point of a trend is read.
struct Source<'p> {
    connection: &'p mut SqliteConnection,
    /// The number of the device.
    device: i64,
    slots: Slots<'p>,
}

// === impl History ===

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
        let Some(device) = number else { return Ok(Vec::new()) };
        let slots = Slots { point, cache: LayoutCache::default(), known: HashMap::new() };
        let mut source = Source { connection: &mut connection, device, slots };
        let together = step.saturating_mul((AT_ONCE / (step / MINUTE)).max(1));
        let mut spans = Vec::new();
        let mut begin = first;
        while begin <= last {
            let end = begin.saturating_add(together);
            self.page(&mut source, (begin, end.min(last.saturating_add(1))), step, &mut spans).await?;
            begin = end;
        }
        Ok(spans)
    }

    /// Adds the spans that begin within a time.
    async fn page(
        &self,
        source: &mut Source<'_>,
        (begin, end): (i64, i64),
        step: i64,
        spans: &mut Vec<(Timestamp, Rollup)>,
    ) -> Result<(), sqlx::Error> {
        let until = end.saturating_add(step);
        let layout: Option<i64> = sqlx::query_scalar(LATEST_LAYOUT)
            .bind(source.device)
            .bind(begin)
            .bind(until)
            .fetch_optional(&mut *source.connection)
            .await?;
        let Some(layout) = layout else { return Ok(()) };
        let slot = source.slots.of(source.connection, layout).await?;
        let rows: Vec<SpanRow> = sqlx::query_as(READ_SPANS)
            .bind(source.device)
            .bind(begin)
            .bind(end - 1)
            .bind(step)
            .bind(layout)
            .fetch_all(&mut *source.connection)
            .await?;
        for (start, bodies) in rows {
            let Some(bodies) = bodies else { continue };
            let joined = match (bodies.strip_prefix(b"0;"), &slot) {
                (Some(bodies), Ok(Slot { points, at: Some(at) })) => join_rollups(bodies, *points, *at).ok(),
                (Some(_), Ok(Slot { at: None, .. })) => Some(None),
                _ => None,
            };
            let joined = match joined {
                Some(joined) => joined,
                None => self.row_by_row(source, (start, start.saturating_add(step))).await?,
            };
            spans.extend(joined.map(|rollup| (Timestamp(start), rollup)));
        }
        Ok(())
    }

    /// The roll-up of one span, from its rows one by one. What cannot be decoded is reported.
    async fn row_by_row(
        &self,
        source: &mut Source<'_>,
        (begin, end): (i64, i64),
    ) -> Result<Option<Rollup>, sqlx::Error> {
        let device = source.device;
        let rows: Vec<MinuteRow> = sqlx::query_as(READ_ROWS)
            .bind(device)
            .bind(begin)
            .bind(end)
            .fetch_all(&mut *source.connection)
            .await?;
        let mut joined: Option<Rollup> = None;
        for (minute, layout, body) in rows {
            let slot = source.slots.of(source.connection, layout).await?;
            let read = slot.and_then(|slot| match slot.at {
                Some(at) => unpack_rollup(&body, at).map_err(|error| error.to_string()),
                None => Ok(None),
            });
            let place = Place::History { device, minute, layout };
            if let Some(Some(rollup)) = self.undecodable.or_report(place, read) {
                joined = Some(joined.map_or(rollup, |so_far| so_far.merged(rollup)));
            }
        }
        Ok(joined)
    }
}

/// Where the point of a trend stands in the bodies of a layout.
#[derive(Debug, Clone, Copy)]
struct Slot {
    /// Points of the layout.
    points: usize,
    /// Which of them is the asked one; `None`: the layout has no such point.
    at: Option<usize>,
}

/// The same, for each layout.
struct Slots<'p> {
    point: &'p Id,
    cache: LayoutCache,
    known: HashMap<i64, Result<Slot, String>>,
}

// === impl Slots ===

impl Slots<'_> {
    async fn of(
        &mut self,
        connection: &mut SqliteConnection,
        layout: i64,
    ) -> Result<Result<Slot, String>, sqlx::Error> {
        if let Some(known) = self.known.get(&layout) {
            return Ok(known.clone());
        }
        let found = self.cache.find(connection, layout).await?;
        let slot = found.map(|layout| Slot {
            points: layout.points.len(),
            at: layout.points.iter().position(|point| point.name == *self.point),
        });
        self.known.insert(layout, slot.clone());
        Ok(slot)
    }
}
