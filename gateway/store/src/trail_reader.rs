//! Reads the trails of the audit: entries as their hashes cover them, and the state of each chain.

use linli_domain::audit::{Chain, Hash, hex};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::cabin::{Cabin, audit};
use crate::error::ReadError;
use crate::place::Place;
use crate::trail::{Trail, line};
use crate::undecodable::{column, json_column};

// === impl Cabin ===

impl Cabin {
    /// Entries of a trail from a number on, oldest first, as their hashes cover them.
    pub async fn trail(&self, trail: Trail, from: u64, most: u32) -> Result<Vec<String>, ReadError> {
        let sql = "SELECT at, who, what, about, detail, n, prev, audit.id FROM audit_link JOIN audit \
                   ON audit.id = audit_link.id WHERE trail = ? AND n >= ? ORDER BY n LIMIT ?";
        self.linked(sql, trail, from.cast_signed(), most).await
    }

    /// Entries of a trail before a number, newest first.
    pub async fn trail_before(&self, trail: Trail, before: u64, most: u32) -> Result<Vec<String>, ReadError> {
        let sql = "SELECT at, who, what, about, detail, n, prev, audit.id FROM audit_link JOIN audit \
                   ON audit.id = audit_link.id WHERE trail = ? AND n < ? ORDER BY n DESC LIMIT ?";
        self.linked(sql, trail, i64::try_from(before).unwrap_or(i64::MAX), most).await
    }

    /// The state of a trail's chain.
    pub async fn chain(&self, trail: Trail) -> Result<Chain, ReadError> {
        let sql = "SELECT state FROM audit_chain WHERE trail = ?";
        let row = sqlx::query(sql).bind(trail.as_str()).fetch_optional(&self.readers.pool()).await?;
        let state = |row: &SqliteRow| {
            json_column(row, 0).map_err(|reason| ReadError::Undecodable {
                table: "audit_chain",
                key: trail.as_str().to_owned(),
                reason,
            })
        };
        row.as_ref().map_or_else(|| Ok(Chain::default()), state)
    }

    async fn linked(
        &self,
        sql: &'static str,
        trail: Trail,
        n: i64,
        most: u32,
    ) -> Result<Vec<String>, ReadError> {
        let query = sqlx::query(sql).bind(trail.as_str()).bind(n).bind(most);
        let rows = query.fetch_all(&self.readers.pool()).await?;
        let mut lines = Vec::with_capacity(rows.len());
        for row in &rows {
            lines.extend(self.undecodable.or_report(Place::Audit(row.try_get(7)?), linked(row)));
        }
        Ok(lines)
    }
}

fn linked(row: &SqliteRow) -> Result<String, String> {
    let (n, prev): (i64, Vec<u8>) = (column(row, 5)?, column(row, 6)?);
    let prev = Hash::try_from(prev).map_err(|_| "column 6 has another length".to_owned())?;
    Ok(line(n.cast_unsigned(), hex(&prev), &audit(row)?))
}
