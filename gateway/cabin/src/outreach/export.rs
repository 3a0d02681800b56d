//! Writes the lines of an outreach file, page by page. What is written of a resident is in the record before the answer.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use data_encoding::BASE64;
use linli_domain::Timestamp;
use linli_domain::visit::{Version, Visit};
use linli_services::ServiceError;
use linli_store::{Audit, Cursor, Documents, Entry, Paging};

use super::{DocumentItem, FileError, Item, OutreachFile, Person, VisitItem};
use crate::attachments;
use crate::audited_reader::AuditedReader;
use crate::identity::Identity;
use crate::residents;

/// Visits, or measurements, of a page.
const PAGE: u32 = 25;

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExportPlace {
    /// Among the visits.
    Visits(Option<Cursor>),
    /// Among the measurements that belong to nobody.
    Measurements(Option<Cursor>),
    /// At the residents who have had no visit.
    Residents,
}

/// A page of lines.
#[derive(Debug)]
pub struct ExportPage {
    /// The sealed lines.
    pub lines: Vec<String>,
    /// Where the next page begins; `None` after the last line of the file.
    pub next: Option<ExportPlace>,
    /// How many visits are in it.
    pub visits: usize,
    /// How many visits were left out because they are still open.
    pub open: usize,
}

/// Items of a page with their entries of the record.
#[derive(Default)]
struct Gathered {
    items: Vec<Item>,
    about: Vec<String>,
    visits: usize,
    open: usize,
}

// === impl ExportPlace ===

impl fmt::Display for ExportPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, cursor) = match self {
            Self::Visits(cursor) => ("visits", cursor.as_ref()),
            Self::Measurements(cursor) => ("measurements", cursor.as_ref()),
            Self::Residents => ("residents", None),
        };
        match cursor {
            Some(cursor) => write!(f, "{word}/{cursor}"),
            None => f.write_str(word),
        }
    }
}

impl FromStr for ExportPlace {
    type Err = ServiceError;

    fn from_str(text: &str) -> Result<Self, ServiceError> {
        let wrong = || ServiceError::Wrong("next is none that a page named".to_owned());
        let (word, cursor) = match text.split_once('/') {
            Some((word, cursor)) => (word, Some(cursor.parse().map_err(|_| wrong())?)),
            None => (text, None),
        };
        match (word, cursor) {
            ("visits", cursor) => Ok(Self::Visits(cursor)),
            ("measurements", cursor) => Ok(Self::Measurements(cursor)),
            ("residents", None) => Ok(Self::Residents),
            _ => Err(wrong()),
        }
    }
}

impl From<FileError> for ServiceError {
    fn from(error: FileError) -> Self {
        Self::Wrong(error.to_string())
    }
}

// === impl AuditedReader ===

impl AuditedReader {
    /// A page of a file: its lines from `number` on; the header is line 1.
    ///
    /// # Errors
    /// [`ServiceError::Conflict`] when an identity or a document cannot be opened: a file leaves nothing out.
    pub async fn outreach_page(
        &self,
        who: &str,
        file: &OutreachFile,
        (place, number): (ExportPlace, u64),
        documents: &Documents,
    ) -> Result<ExportPage, ServiceError> {
        let mut gathered = Gathered::default();
        let next = match place {
            ExportPlace::Visits(after) => {
                let next = self.gather_visits(&mut gathered, after, documents).await?;
                Some(next.map_or(ExportPlace::Measurements(None), |at| ExportPlace::Visits(Some(at))))
            }
            ExportPlace::Measurements(after) => {
                let next = self.gather_measurements(&mut gathered, after, documents).await?;
                Some(next.map_or(ExportPlace::Residents, |at| ExportPlace::Measurements(Some(at))))
            }
            ExportPlace::Residents => {
                self.gather_residents(&mut gathered).await?;
                let before = number - 1 + gathered.items.len() as u64;
                gathered.items.push(Item::End { lines: before });
                None
            }
        };
        let at = self.clock.now().at;
        let detail = format!("file of {}", file.header.from);
        let audit = |about: String| Audit {
            at,
            who: who.to_owned(),
            what: "outreach.export".to_owned(),
            about,
            detail: detail.clone(),
        };
        let Gathered { items, about, visits, open } = gathered;
        let audit = about.into_iter().map(audit).collect();
        self.store.keep(Entry { audit, ..Entry::default() }).await?;
        let lines = (number..).zip(&items).map(|(number, item)| file.seal(number, item));
        Ok(ExportPage { lines: lines.collect::<Result<_, _>>()?, next, visits, open })
    }

    async fn gather_visits(
        &self,
        gathered: &mut Gathered,
        after: Option<Cursor>,
        documents: &Documents,
    ) -> Result<Option<Cursor>, ServiceError> {
        let ever = (Timestamp(i64::MIN), Timestamp(i64::MAX));
        let page = self.store.visits_page(false, ever, &Paging { limit: PAGE, after }).await?;
        let everybody = self.people().await?;
        for visit in page.items {
            if visit.ended.is_none() {
                gathered.open += 1;
                continue;
            }
            // What came from another box goes to the centre from there.
            if visit.progress.outreach.is_some() {
                continue;
            }
            let person = self.person_of(&visit, &everybody)?;
            let measured = self.store.measured_during(&visit.id).await?;
            let mut versions = Vec::new();
            for newest in &measured {
                versions.extend(self.store.versions(&newest.id).await?);
            }
            gathered.about.push(visit.id.clone());
            gathered.visits += 1;
            gathered.items.push(Item::Visit(Box::new(VisitItem { visit, person, versions })));
            for newest in &measured {
                self.gather_documents(gathered, newest, documents).await?;
            }
        }
        Ok(page.next)
    }

    async fn gather_measurements(
        &self,
        gathered: &mut Gathered,
        after: Option<Cursor>,
        documents: &Documents,
    ) -> Result<Option<Cursor>, ServiceError> {
        let page = self.store.unassigned_page(&Paging { limit: PAGE, after }).await?;
        for newest in page.items {
            gathered.about.push(newest.id.clone());
            gathered.items.push(Item::Measurement(self.store.versions(&newest.id).await?));
            self.gather_documents(gathered, &newest, documents).await?;
        }
        Ok(page.next)
    }

    async fn gather_residents(&self, gathered: &mut Gathered) -> Result<(), ServiceError> {
        let everybody = self.people().await?;
        for (stored, identity) in &everybody {
            let is_seen = !self.store.visits_of(&stored.pseudonym).await?.is_empty();
            if is_seen || identity.merged_into.is_some() {
                continue;
            }
            gathered.about.push(stored.pseudonym.clone());
            let person = person(&stored.pseudonym, stored.at, &everybody);
            gathered.items.extend(person.map(|person| Item::Resident(Box::new(person))));
        }
        Ok(())
    }

    async fn gather_documents(
        &self,
        gathered: &mut Gathered,
        newest: &Version,
        documents: &Documents,
    ) -> Result<(), ServiceError> {
        for (number, info) in newest.measurement.attached.iter().enumerate() {
            let id = attachments::id(&newest.id, number);
            let data = self.document(documents, &id, info).await?.ok_or_else(|| {
                ServiceError::Conflict(format!(
                    "document {number} of measurement {} cannot be opened: its key is gone, or it was changed \
                     (附件无法打开)",
                    newest.id
                ))
            })?;
            gathered.items.push(Item::Document(DocumentItem {
                measurement: newest.id.clone(),
                number,
                info: info.clone(),
                data: BASE64.encode(&data),
            }));
        }
        Ok(())
    }

    /// Everybody in the register; nobody without keys.
    async fn people(&self) -> Result<Vec<(linli_store::Resident, Identity)>, ServiceError> {
        let keys = Arc::clone(&self.settings.borrow()).keys.clone();
        match keys {
            Some(keys) => residents::all(&self.store, &self.residents, keys).await,
            None => Ok(Vec::new()),
        }
    }

    fn person_of(
        &self,
        visit: &Visit,
        everybody: &[(linli_store::Resident, Identity)],
    ) -> Result<Option<Person>, ServiceError> {
        let Some(pseudonym) = &visit.pseudonym else { return Ok(None) };
        let found = person(pseudonym, visit.opened, everybody);
        found.map(Some).ok_or_else(|| {
            ServiceError::Conflict(format!(
                "the identity of visit {} cannot be opened: its key is neither identity_key nor in \
                 previous_identity_keys (就诊 {} 的身份无法打开)",
                visit.id, visit.id
            ))
        })
    }
}

/// A resident, with the numbers of the records that were joined to theirs.
fn person(pseudonym: &str, at: Timestamp, everybody: &[(linli_store::Resident, Identity)]) -> Option<Person> {
    let (_, own) = everybody.iter().find(|(stored, _)| stored.pseudonym == pseudonym)?;
    let joined = everybody.iter().filter(|(_, other)| other.merged_into.as_deref() == Some(pseudonym));
    let identity = joined.fold(own.clone(), |own, (_, other)| own.over(other.clone()));
    Some(Person { pseudonym: pseudonym.to_owned(), identity: Identity { merged_into: None, ..identity }, at })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_is_written() {
        for text in
            ["visits", "visits/1795428000123.v-0011", "measurements", "measurements/7.m-b", "residents"]
        {
            assert_eq!(text.parse::<ExportPlace>().unwrap().to_string(), text);
        }
        for none in ["", "residents/7", "visits/", "elsewhere", "visits/x"] {
            assert!(none.parse::<ExportPlace>().is_err(), "{none}");
        }
    }
}
