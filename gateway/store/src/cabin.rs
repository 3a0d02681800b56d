//! Visits, measurements, identities and the audit of the health cabin.

use std::sync::Arc;

use linli_domain::Timestamp;
use linli_domain::visit::{Version, Visit};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use tokio::sync::mpsc;

use crate::entry::{Audit, Resident};
use crate::error::ReadError;
use crate::op::Op;
use crate::page::{Listing, Paging};
use crate::place::Place;
use crate::readers::Readers;
use crate::sealing::Sealing;
use crate::undecodable::{Undecodable, column, json_column};

/// Most rows returned by one query.
const MOST: i64 = 5000;

/// The latest version of each measurement.
const LATEST: &str = "SELECT id, version, body FROM measurement AS m WHERE \
     version = (SELECT max(version) FROM measurement WHERE id = m.id)";

/// The same with the time and the id, where a page ends.
const LATEST_WITH_TIME: &str = "SELECT id, version, body, at, id FROM measurement AS m WHERE \
     version = (SELECT max(version) FROM measurement WHERE id = m.id)";

/// Stores and reads visits, measurements, identities and the audit trail.
#[derive(Clone)]
pub struct Cabin {
    pub(crate) readers: Arc<Readers>,
    pub(crate) writer: mpsc::Sender<Op>,
    pub(crate) undecodable: Undecodable,
    pub(crate) sealing: Sealing,
}

// === impl Cabin ===

impl Cabin {
    /// Whether an entry with this key, or this mark, was stored before.
    pub async fn has_seen(&self, key: &str) -> Result<bool, ReadError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM seen WHERE key = ?)";
        let found: i64 = sqlx::query_scalar(sql).bind(key).fetch_one(&self.readers.pool()).await?;
        Ok(found == 1)
    }

    /// Visits opened in `[from, to)`, oldest first.
    pub async fn visits(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Visit>, ReadError> {
        let sql = "SELECT id, body FROM visit WHERE opened >= ? AND opened < ? ORDER BY opened, id LIMIT ?";
        let rows =
            sqlx::query(sql).bind(from.0).bind(to.0).bind(MOST).fetch_all(&self.readers.pool()).await?;
        Ok(self.visits_in(&rows))
    }

    /// Visits that have not ended, oldest first.
    pub async fn open_visits(&self) -> Result<Vec<Visit>, ReadError> {
        let sql = "SELECT id, body FROM visit WHERE ended IS NULL ORDER BY opened, id";
        Ok(self.visits_in(&sqlx::query(sql).fetch_all(&self.readers.pool()).await?))
    }

    /// A page of the visits opened in `[from, to)`, or of those that have not ended, oldest first.
    pub async fn visits_page(
        &self,
        open: bool,
        (from, to): (Timestamp, Timestamp),
        paging: &Paging,
    ) -> Result<Listing<Visit>, ReadError> {
        let sql = "SELECT id, body, opened, id FROM visit WHERE opened >= ? AND opened < ? \
                   AND (? = 0 OR ended IS NULL) AND (opened, id) > (?, ?) ORDER BY opened, id LIMIT ?";
        let (at, id) = paging.after();
        let query = sqlx::query(sql).bind(from.0).bind(to.0).bind(open).bind(at).bind(id).bind(paging.rows());
        let rows = query.fetch_all(&self.readers.pool()).await?;
        Ok(paging.page(&rows, 2, |row| self.visit_in(row)))
    }

    /// Visits of one resident, oldest first.
    pub async fn visits_of(&self, pseudonym: &str) -> Result<Vec<Visit>, ReadError> {
        let sql = "SELECT id, body FROM visit WHERE pseudonym = ? ORDER BY opened, id";
        Ok(self.visits_in(&sqlx::query(sql).bind(pseudonym).fetch_all(&self.readers.pool()).await?))
    }

    /// Stored visits with that code, oldest first; the case of letters does not matter.
    pub async fn visits_with_code(&self, code: &str) -> Result<Vec<Visit>, ReadError> {
        let sql = "SELECT id, body FROM visit WHERE CASE WHEN json_valid(body) THEN \
             json_extract(body, '$.code') END = ? COLLATE NOCASE ORDER BY opened, id";
        Ok(self.visits_in(&sqlx::query(sql).bind(code).fetch_all(&self.readers.pool()).await?))
    }

    /// The visit with that id.
    pub async fn visit(&self, id: &str) -> Result<Option<Visit>, ReadError> {
        let sql = "SELECT id, body FROM visit WHERE id = ?";
        let row = sqlx::query(sql).bind(id).fetch_optional(&self.readers.pool()).await?;
        row.map(|row| self.undecodable.or_fail(Place::Visit(id.to_owned()), json_column(&row, 1))).transpose()
    }

    /// The latest version of everything measured during a visit, oldest first.
    pub async fn measured_during(&self, visit: &str) -> Result<Vec<Version>, ReadError> {
        let sql = format!("{LATEST} AND visit = ? ORDER BY at, id");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(visit).fetch_all(&self.readers.pool()).await?;
        Ok(self.versions_in(&rows))
    }

    /// The latest version of every measurement taken in `[from, to)`, oldest first.
    pub async fn measured(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Version>, ReadError> {
        let sql = format!("{LATEST} AND at >= ? AND at < ? ORDER BY at, id LIMIT ?");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(from.0)
            .bind(to.0)
            .bind(MOST)
            .fetch_all(&self.readers.pool())
            .await?;
        Ok(self.versions_in(&rows))
    }

    /// A page of the latest versions of the measurements taken in `[from, to)`, oldest first.
    pub async fn measured_page(
        &self,
        (from, to): (Timestamp, Timestamp),
        paging: &Paging,
    ) -> Result<Listing<Version>, ReadError> {
        let sql = format!(
            "{LATEST_WITH_TIME} AND at >= ? AND at < ? AND (at, id) > (?, ?) ORDER BY at, id LIMIT ?"
        );
        let (at, id) = paging.after();
        let query = sqlx::query(sqlx::AssertSqlSafe(sql));
        let query = query.bind(from.0).bind(to.0).bind(at).bind(id).bind(paging.rows());
        let rows = query.fetch_all(&self.readers.pool()).await?;
        Ok(paging.page(&rows, 3, |row| self.version_in(row)))
    }

    /// A page of the measurements not assigned to a visit, oldest first.
    pub async fn unassigned_page(&self, paging: &Paging) -> Result<Listing<Version>, ReadError> {
        let sql =
            format!("{LATEST_WITH_TIME} AND visit IS NULL AND (at, id) > (?, ?) ORDER BY at, id LIMIT ?");
        let (at, id) = paging.after();
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(at).bind(id).bind(paging.rows());
        let rows = query.fetch_all(&self.readers.pool()).await?;
        Ok(paging.page(&rows, 3, |row| self.version_in(row)))
    }

    /// Measurements not assigned to a visit, oldest first.
    pub async fn unassigned(&self) -> Result<Vec<Version>, ReadError> {
        let sql = format!("{LATEST} AND visit IS NULL ORDER BY at, id LIMIT ?");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(MOST).fetch_all(&self.readers.pool()).await?;
        Ok(self.versions_in(&rows))
    }

    /// All versions of a measurement, the first one first.
    pub async fn versions(&self, id: &str) -> Result<Vec<Version>, ReadError> {
        let sql = "SELECT id, version, body FROM measurement WHERE id = ? ORDER BY version";
        Ok(self.versions_in(&sqlx::query(sql).bind(id).fetch_all(&self.readers.pool()).await?))
    }

    /// The encrypted identity of a resident.
    pub async fn resident(&self, pseudonym: &str) -> Result<Option<Resident>, ReadError> {
        let sql = "SELECT pseudonym, key, sealed, at FROM resident WHERE pseudonym = ?";
        let row = sqlx::query(sql).bind(pseudonym).fetch_optional(&self.readers.pool()).await?;
        row.as_ref().map(|row| self.undecodable.or_fail(resident_place(row), resident(row))).transpose()
    }

    /// Every encrypted identity, the newest first, at most `most`.
    pub async fn residents(&self, most: u32) -> Result<Vec<Resident>, ReadError> {
        let sql = "SELECT pseudonym, key, sealed, at FROM resident ORDER BY at DESC, pseudonym LIMIT ?";
        let rows = sqlx::query(sql).bind(most).fetch_all(&self.readers.pool()).await?;
        let decode = |row| self.undecodable.or_report(resident_place(row), resident(row));
        Ok(rows.iter().filter_map(decode).collect())
    }

    /// Identities encrypted with another key than `key`, at most 100.
    pub async fn sealed_otherwise(&self, key: &str) -> Result<Vec<Resident>, ReadError> {
        let sql = "SELECT pseudonym, key, sealed, at FROM resident WHERE key <> ? LIMIT 100";
        let rows = sqlx::query(sql).bind(key).fetch_all(&self.readers.pool()).await?;
        let decode = |row| self.undecodable.or_report(resident_place(row), resident(row));
        Ok(rows.iter().filter_map(decode).collect())
    }

    /// The ids of what is older than `at`: visits that ended, measurements without a visit,
    /// residents without a visit. At most 100 of each.
    pub async fn older_than(
        &self,
        at: Timestamp,
    ) -> Result<(Vec<String>, Vec<String>, Vec<String>), ReadError> {
        let pool = self.readers.pool();
        let ask = async |sql: &'static str| -> Result<Vec<String>, sqlx::Error> {
            let rows = sqlx::query(sql).bind(at.0).fetch_all(&pool).await?;
            rows.iter().map(|row| row.try_get(0)).collect()
        };
        Ok((
            ask("SELECT id FROM visit WHERE ended < ? LIMIT 100").await?,
            ask("SELECT DISTINCT id FROM measurement WHERE at < ? AND visit IS NULL AND id NOT IN \
                 (SELECT id FROM measurement WHERE visit IS NOT NULL) LIMIT 100")
            .await?,
            ask("SELECT pseudonym FROM resident WHERE at < ? AND pseudonym NOT IN \
                 (SELECT pseudonym FROM visit WHERE pseudonym IS NOT NULL) LIMIT 100")
            .await?,
        ))
    }

    /// The audit, newest first.
    pub async fn audit(&self, limit: u32) -> Result<Vec<Audit>, ReadError> {
        Ok(self.audit_page(&Paging::first(limit)).await?.items)
    }

    /// A page of the audit, newest first.
    pub async fn audit_page(&self, paging: &Paging) -> Result<Listing<Audit>, ReadError> {
        let sql = "SELECT at, who, what, about, detail, id FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?";
        let query = sqlx::query(sql).bind(paging.before()).bind(paging.rows());
        let rows = query.fetch_all(&self.readers.pool()).await?;
        let decode = |row: &SqliteRow| {
            let place = Place::Audit(column(row, 5).unwrap_or_default());
            self.undecodable.or_report(place, audit(row))
        };
        Ok(paging.page(&rows, 5, decode))
    }

    fn visits_in(&self, rows: &[SqliteRow]) -> Vec<Visit> {
        rows.iter().filter_map(|row| self.visit_in(row)).collect()
    }

    fn visit_in(&self, row: &SqliteRow) -> Option<Visit> {
        let place = Place::Visit(column(row, 0).unwrap_or_default());
        self.undecodable.or_report(place, json_column(row, 1))
    }

    fn versions_in(&self, rows: &[SqliteRow]) -> Vec<Version> {
        rows.iter().filter_map(|row| self.version_in(row)).collect()
    }

    fn version_in(&self, row: &SqliteRow) -> Option<Version> {
        let place = Place::Measurement {
            id: column(row, 0).unwrap_or_default(),
            version: column(row, 1).unwrap_or_default(),
        };
        let decoded = self.sealing.version(row, 2, &place);
        self.undecodable.or_report(place, decoded).flatten()
    }
}

fn resident_place(row: &SqliteRow) -> Place {
    Place::Resident(column(row, 0).unwrap_or_default())
}

fn resident(row: &SqliteRow) -> Result<Resident, String> {
    Ok(Resident {
        pseudonym: column(row, 0)?,
        key: column(row, 1)?,
        sealed: column(row, 2)?,
        at: Timestamp(column(row, 3)?),
    })
}

pub(crate) fn audit(row: &SqliteRow) -> Result<Audit, String> {
    Ok(Audit {
        at: Timestamp(column(row, 0)?),
        who: column(row, 1)?,
        what: column(row, 2)?,
        about: column(row, 3)?,
        detail: column(row, 4)?,
    })
}
