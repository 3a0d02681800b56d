//! Sealing measurements where they are stored: [`Cabin::keep`] seals what is new, [`Cabin::seal_some`] what earlier versions
//! of this software stored in clear, step by step.

use std::collections::HashMap;

use linli_domain::visit::Outline;
use linli_domain::{Id, Timestamp};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::cabin::Cabin;
use crate::entry::{Change, Entry};
use crate::error::{NotDurable, ReadError};
use crate::op;
use crate::place::Place;
use crate::sealing::sealed_for;
use crate::undecodable::column;

/// Rows that one step of [`Cabin::seal_some`] looks at.
const ROWS: i64 = 200;

/// The resident of the newest version of a measurement that belongs to one.
const OWNER: &str = "SELECT visit.pseudonym FROM measurement AS bound JOIN visit ON visit.id = bound.visit \
     WHERE bound.id = ? AND visit.pseudonym IS NOT NULL ORDER BY bound.version DESC LIMIT 1";

/// The rows after a place: whose each is, and its body where that is not what it is sealed for.
const STEP: &str = "SELECT id, version, owner, CASE WHEN owner IS NOT sealed_for AND owner IS NOT NULL THEN body END FROM \
     (SELECT m.id, m.version, m.body, \
      (SELECT visit.pseudonym FROM measurement AS bound JOIN visit ON visit.id = bound.visit \
       WHERE bound.id = m.id AND visit.pseudonym IS NOT NULL ORDER BY bound.version DESC LIMIT 1) AS owner, \
      CASE WHEN json_valid(m.body) THEN json_extract(m.body, '$.sealed_for') END AS sealed_for \
      FROM measurement AS m WHERE (m.id, m.version) > (?, ?) ORDER BY m.id, m.version LIMIT ?)";

/// What erasing needs to know of a visit's measurements, also of those that no key opens.
const OUTLINES: &str = "SELECT id, version, CASE WHEN json_valid(body) THEN json_extract(body, '$.device') END, at \
     FROM measurement AS m WHERE version = (SELECT max(version) FROM measurement WHERE id = m.id) AND visit = ? \
     ORDER BY at, id";

/// Where the next step of [`Cabin::seal_some`] begins; the default is the beginning.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SealPlace(String, u32);

/// What one step of [`Cabin::seal_some`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SealStep {
    /// Where to go on; `None` at the end.
    pub next: Option<SealPlace>,
    /// Rows that it looked at.
    pub seen: usize,
    /// Rows that it sealed.
    pub sealed: usize,
}

// === impl Cabin ===

impl Cabin {
    /// Stores an entry, measurements of residents sealed. Returns `false` if an entry with the same
    /// [`Entry::once`] key was stored before.
    ///
    /// # Errors
    /// [`NotDurable`], also when a measurement cannot be sealed.
    pub async fn keep(&self, mut entry: Entry) -> Result<bool, NotDurable> {
        if self.sealing.is_set() && entry.changes.iter().any(|c| matches!(c, Change::Version(_))) {
            self.seal(&mut entry).await?;
        }
        op::keep(&self.writer, entry).await
    }

    /// What erasing needs to know of the measurements of a visit: the latest version of each, oldest first. Nothing has
    /// to be opened for it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn outlines(&self, visit: &str) -> Result<Vec<Outline>, ReadError> {
        let rows = sqlx::query(OUTLINES).bind(visit).fetch_all(&self.readers.pool()).await?;
        let outline = |row: &SqliteRow| -> Result<Outline, String> {
            let device: String = column(row, 2)?;
            Ok(Outline {
                id: column(row, 0)?,
                version: column(row, 1)?,
                device: Id::new(&device).map_err(|_| "its device has no id".to_owned())?,
                at: Timestamp(column(row, 3)?),
            })
        };
        let place = |row: &SqliteRow| Place::Measurement {
            id: column(row, 0).unwrap_or_default(),
            version: column(row, 1).unwrap_or_default(),
        };
        Ok(rows.iter().filter_map(|row| self.undecodable.or_report(place(row), outline(row))).collect())
    }

    /// Seals what is stored in clear although it is a resident's, and what is sealed for somebody else than whose it is
    /// since two records were joined or taken apart: of some hundred rows. Where the process ends in between, beginning
    /// again is right. What no key opens stays as it is.
    ///
    /// # Errors
    /// When the store cannot be read or written, or a key cannot be stored.
    pub async fn seal_some(&self, from: &SealPlace) -> Result<SealStep, NotDurable> {
        let query = sqlx::query(STEP).bind(&from.0).bind(from.1).bind(ROWS);
        let rows = query.fetch_all(&self.readers.pool()).await.map_err(|error| failed(&error))?;
        let (mut changes, mut last) = (Vec::new(), None);
        for row in &rows {
            let (id, version) = (text(row, 0)?, row.try_get::<u32, _>(1).map_err(|error| failed(&error))?);
            let (owner, body): (Option<String>, Option<String>) = (
                row.try_get(2).map_err(|error| failed(&error))?,
                row.try_get(3).map_err(|error| failed(&error))?,
            );
            if let (Some(owner), Some(body)) = (owner, body) {
                match self.sealing.sealed(&owner, (&id, version), &body) {
                    Ok(body) => changes.push(Change::Reseal { id: id.clone(), version, body }),
                    Err(why) => tracing::debug!(measurement = id, version, why, "not sealed anew"),
                }
            }
            last = Some(SealPlace(id, version));
        }
        let step = SealStep {
            next: last.filter(|_| rows.len() as i64 == ROWS),
            seen: rows.len(),
            sealed: changes.len(),
        };
        if !changes.is_empty() {
            op::keep(&self.writer, Entry { changes, ..Entry::default() }).await?;
        }
        Ok(step)
    }

    /// Truncates the database's log, which may still hold what [`Self::seal_some`] replaced.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn truncate_log(&self) -> Result<(), NotDurable> {
        // Erasing truncates it, also where nothing is erased.
        let nothing = Change::EraseUnsent { measurements: Vec::new(), samples: Vec::new() };
        op::keep(&self.writer, Entry { changes: vec![nothing], ..Entry::default() }).await.map(|_| ())
    }

    /// Replaces the versions of an entry that are residents' by sealed ones, and seals their earlier versions.
    async fn seal(&self, entry: &mut Entry) -> Result<(), NotDurable> {
        let owners = self.owners(entry).await?;
        let mut earlier = Vec::new();
        for (id, owner) in &owners {
            let sql = "SELECT version, body FROM measurement WHERE id = ?";
            let rows = sqlx::query(sql).bind(id).fetch_all(&self.readers.pool()).await;
            for row in rows.map_err(|error| failed(&error))? {
                let (version, body) = (row.try_get(0).map_err(|error| failed(&error))?, text(&row, 1)?);
                // What no key opens, or what is damaged, stays as it is.
                if sealed_for(&body) != Some(owner)
                    && let Ok(body) = self.sealing.sealed(owner, (id, version), &body)
                {
                    earlier.push(Change::Reseal { id: id.clone(), version, body });
                }
            }
        }
        for change in &mut entry.changes {
            let Change::Version(version) = &*change else { continue };
            let Some(owner) = owners.get(&version.id) else { continue };
            let clear =
                serde_json::to_string(version).map_err(|error| NotDurable::Failed(error.to_string()))?;
            let number = version.version;
            let body =
                self.sealing.sealed(owner, (&version.id, number), &clear).map_err(NotDurable::Failed)?;
            *change = Change::Sealed {
                id: version.id.clone(),
                version: number,
                visit: version.visit.clone(),
                at: version.measurement.taken.at,
                body,
            };
        }
        entry.changes.extend(earlier);
        Ok(())
    }

    /// Whose each measurement of an entry is once the entry is stored; those of nobody are left out.
    async fn owners(&self, entry: &Entry) -> Result<HashMap<String, String>, NotDurable> {
        let mut visits: HashMap<&str, Option<String>> = HashMap::new();
        let (mut owners, mut later) = (HashMap::new(), Vec::new());
        for change in &entry.changes {
            match change {
                Change::Visit(visit) => drop(visits.insert(&visit.id, visit.pseudonym.clone())),
                Change::Version(version) => later.push(version),
                _ => {}
            }
        }
        for version in later {
            let own = match version.visit.as_deref() {
                None => None,
                Some(id) => match visits.get(id) {
                    Some(pseudonym) => pseudonym.clone(),
                    None => {
                        let sql = "SELECT pseudonym FROM visit WHERE id = ?";
                        let found = self.text_of(sql, id).await?;
                        visits.insert(id, found.clone());
                        found
                    }
                },
            };
            if let Some(own) = own {
                owners.insert(version.id.clone(), own);
            } else if version.version > 1
                && !owners.contains_key(&version.id)
                && let Some(before) = self.text_of(OWNER, &version.id).await?
            {
                owners.insert(version.id.clone(), before);
            }
        }
        Ok(owners)
    }

    async fn text_of(&self, sql: &'static str, key: &str) -> Result<Option<String>, NotDurable> {
        let found: Result<Option<Option<String>>, _> =
            sqlx::query_scalar(sql).bind(key).fetch_optional(&self.readers.pool()).await;
        found.map(Option::flatten).map_err(|error| failed(&error))
    }
}

fn text(row: &SqliteRow, index: usize) -> Result<String, NotDurable> {
    row.try_get(index).map_err(|error| failed(&error))
}

fn failed(error: &sqlx::Error) -> NotDurable {
    NotDurable::Failed(format!("the store cannot be read: {error}"))
}
