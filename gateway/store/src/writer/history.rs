//! Trends inside the writer: devices by number, partial minutes merged.

use std::collections::HashMap;
use std::time::Duration;

use linli_domain::Id;
use linli_domain::rollup::{Minute, Rollup};
use sqlx::SqliteConnection;

use super::Writer;
use super::undecodable::NewlyUndecodable;
use crate::codec::{pack_rollups, unpack_rollups};
use crate::place::Place;

/// Devices the writer has numbered in this database.
#[derive(Default)]
pub(crate) struct Devices {
    by_name: HashMap<Id, i64>,
}

// === impl Devices ===

impl Devices {
    pub(super) fn forget(&mut self) {
        self.by_name.clear();
    }

    /// Merges a minute with what is there.
    pub(super) async fn merge(
        &mut self,
        connection: &mut SqliteConnection,
        layout: i64,
        minute: &Minute,
        undecodable: &mut NewlyUndecodable,
    ) -> Result<(), sqlx::Error> {
        let device = self.number(connection, &minute.layout.device).await?;
        let before: Option<Vec<u8>> = sqlx::query_scalar(
            "SELECT CAST(body AS BLOB) FROM history WHERE device = ? AND minute = ? AND layout = ?",
        )
        .bind(device)
        .bind(minute.minute.0)
        .bind(layout)
        .fetch_optional(&mut *connection)
        .await?;
        let mut points = minute.points.clone();
        let earlier = match before.as_deref().map(unpack_rollups).transpose() {
            Ok(earlier) => earlier.unwrap_or_default(),
            Err(error) => {
                let place = Place::History { device, minute: minute.minute.0, layout };
                undecodable.set_aside(connection, place, &error.to_string()).await?;
                Vec::new()
            }
        };
        for (point, earlier) in points.iter_mut().zip(earlier) {
            *point = match (earlier, *point) {
                (Some(a), Some(b)) => Some(Rollup::merged(a, b)),
                (a, b) => a.or(b),
            };
        }
        sqlx::query("INSERT OR REPLACE INTO history (device, minute, layout, body) VALUES (?, ?, ?, ?)")
            .bind(device)
            .bind(minute.minute.0)
            .bind(layout)
            .bind(pack_rollups(&points))
            .execute(connection)
            .await?;
        Ok(())
    }

    async fn number(&mut self, connection: &mut SqliteConnection, name: &Id) -> Result<i64, sqlx::Error> {
        if let Some(number) = self.by_name.get(name) {
            return Ok(*number);
        }
        sqlx::query("INSERT OR IGNORE INTO device (name) VALUES (?)")
            .bind(name.as_str())
            .execute(&mut *connection)
            .await?;
        let number = sqlx::query_scalar("SELECT id FROM device WHERE name = ?")
            .bind(name.as_str())
            .fetch_one(connection)
            .await?;
        self.by_name.insert(name.clone(), number);
        Ok(number)
    }
}

// === impl Writer ===

impl Writer {
    /// Deletes trends older than `keep`, device by device: by the key each is a short range.
    pub(super) async fn purge_history(&mut self, keep: Duration) -> Result<(), sqlx::Error> {
        let keep = i64::try_from(keep.as_millis()).unwrap_or(i64::MAX);
        let before = self.steady_now().0.saturating_sub(keep);
        let Some(connection) = &mut self.connection else { return Ok(()) };
        let devices: Vec<i64> =
            sqlx::query_scalar("SELECT id FROM device").fetch_all(&mut *connection).await?;
        for device in devices {
            sqlx::query("DELETE FROM history WHERE device = ? AND minute < ?")
                .bind(device)
                .bind(before)
                .execute(&mut *connection)
                .await?;
        }
        Ok(())
    }
}
