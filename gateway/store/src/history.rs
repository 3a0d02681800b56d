//! Trends: one-minute roll-ups, one row per device and minute. Spans of many minutes: `spans.rs`.

use std::collections::BTreeMap;
use std::sync::Arc;

use linli_domain::rollup::{Minute, Rollup};
use linli_domain::{Id, Layout, Timestamp};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use tokio::sync::mpsc;

use crate::codec::unpack_rollups;
use crate::error::ReadError;
use crate::op::Op;
use crate::place::Place;
use crate::readers::Readers;
use crate::undecodable::{Undecodable, column, json_column};

const READ: &str = "SELECT history.device, history.minute, history.layout, history.body, layout.body FROM history \
     JOIN device ON device.id = history.device JOIN layout ON layout.id = history.layout \
     WHERE device.name = ? AND history.minute BETWEEN ? AND ? ORDER BY history.minute";

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

fn place(row: &SqliteRow) -> Result<Place, sqlx::Error> {
    Ok(Place::History { device: row.try_get(0)?, minute: row.try_get(1)?, layout: row.try_get(2)? })
}

fn decode(row: &SqliteRow) -> Result<(Layout, Vec<Option<Rollup>>), String> {
    let rollups = unpack_rollups(column(row, 3)?).map_err(|error| error.to_string())?;
    let layout = json_column(row, 4).map_err(|reason| format!("its layout: {reason}"))?;
    Ok((layout, rollups))
}
