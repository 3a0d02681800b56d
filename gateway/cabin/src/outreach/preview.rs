//! What an outreach file would bring, before anything of it is taken. Who is in it is looked at, so it is in the record.

use std::collections::BTreeSet;

use linli_domain::Timestamp;
use linli_domain::visit::Version;
use linli_services::ServiceError;
use linli_store::Documents;
use serde::Serialize;

use super::import::{DoubtRecord, Found, count_fresh, find, oldest};
use super::resolve::{DoubtKind, resolve};
use super::{Header, ImportReport, Item, Person};
use crate::Identity;
use crate::attachments;
use crate::audited_reader::AuditedReader;
use crate::identity::pseudonym;
use crate::person_view::PersonView;

/// What lines of a file would bring.
#[derive(Debug, Serialize)]
pub struct ImportPreview {
    /// Id of the centre in the configuration of the box.
    pub from: String,
    /// When the file was begun, Unix milliseconds UTC by the clock of the box.
    pub made: Timestamp,
    /// The counts, as they would be after the reading. Of residents, those of these lines alone: the same person in later
    /// lines is counted again, and has the same pseudonym in [`Self::residents`].
    pub report: ImportReport,
    /// The residents of the lines.
    pub residents: Vec<PreviewResident>,
    /// How many of them have a number.
    pub numbered: u64,
    /// How many of those have a pseudonym that this district's key does not give to the number.
    pub other_key: u64,
}

/// What is known of a resident of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PreviewKind {
    /// Nobody in the register: a record of its own.
    New,
    /// Somebody in the register.
    Known,
    /// A record of its own; somebody has the same name.
    SameName,
    /// A record of its own; somebody of another name has the same card or health code.
    SameNumber,
}

/// A resident of a file.
#[derive(Debug, Serialize)]
pub struct PreviewResident {
    /// Who it would be.
    #[serde(flatten)]
    pub record: DoubtRecord,
    /// What is known.
    pub kind: PreviewKind,
    /// Who may be the same person.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub known: Vec<DoubtRecord>,
}

/// The register and what was found so far.
struct Looking<'a> {
    header: &'a Header,
    register: Vec<(String, Identity)>,
    preview: ImportPreview,
    seen: BTreeSet<String>,
    /// Measurements of visits that would not be taken.
    left_out: BTreeSet<String>,
}

// === impl AuditedReader ===

impl AuditedReader {
    /// What items of a file would bring. Nothing is taken.
    ///
    /// # Errors
    /// As the reading itself: without keys, with an open visit.
    pub async fn outreach_preview(
        &self,
        who: &str,
        header: &Header,
        items: Vec<Item>,
        documents: &Documents,
    ) -> Result<ImportPreview, ServiceError> {
        let has_people =
            items.iter().any(|item| matches!(item, Item::Resident(_)) || person_of(item).is_some());
        let register = match has_people {
            true => {
                self.everybody().await?.into_iter().map(|(stored, own)| (stored.pseudonym, own)).collect()
            }
            false => Vec::new(),
        };
        let preview = ImportPreview {
            from: header.from.clone(),
            made: header.made,
            report: ImportReport::default(),
            residents: Vec::new(),
            numbered: 0,
            other_key: 0,
        };
        let (seen, left_out) = (BTreeSet::new(), BTreeSet::new());
        let mut looking = Looking { header, register, preview, seen, left_out };
        for item in items {
            self.look_at(&mut looking, item, documents).await?;
        }
        let preview = looking.preview;
        let detail = format!("file of {}, {} residents", header.from, preview.residents.len());
        self.note(who, "outreach.preview", "", &detail).await?;
        Ok(preview)
    }

    async fn look_at(
        &self,
        looking: &mut Looking<'_>,
        item: Item,
        documents: &Documents,
    ) -> Result<(), ServiceError> {
        match item {
            Item::Resident(person) => self.look_at_person(looking, &person)?,
            Item::Visit(item) => {
                let oldest = oldest(self.clock.now(), self.settings.borrow().retention);
                let found = find(&self.store, documents, &item.visit, oldest).await?;
                let report = &mut looking.preview.report;
                let count = match &found {
                    Found::Erased => &mut report.erased,
                    Found::Expired => &mut report.expired,
                    Found::Known(_) => &mut report.visits_known,
                    Found::Nothing => &mut report.visits,
                };
                *count += 1;
                if matches!(found, Found::Erased | Found::Expired) {
                    looking.left_out.extend(item.versions.into_iter().map(|version| version.id));
                    return Ok(());
                }
                let is_new = matches!(found, Found::Nothing);
                self.look_at_versions(looking, &item.versions).await?;
                if let Some(person) = item.person.filter(|_| is_new) {
                    self.look_at_person(looking, &person)?;
                }
            }
            Item::Measurement(versions) => self.look_at_versions(looking, &versions).await?,
            Item::Document(document) => {
                let id = attachments::id(&document.measurement, document.number);
                let is_new =
                    !looking.left_out.contains(&document.measurement) && documents.get(&id).await?.is_none();
                looking.preview.report.documents += u64::from(is_new);
            }
            Item::End { .. } => looking.preview.report.complete = true,
        }
        Ok(())
    }

    async fn look_at_versions(
        &self,
        looking: &mut Looking<'_>,
        versions: &[Version],
    ) -> Result<(), ServiceError> {
        for one in versions.chunk_by(|one, next| one.id == next.id) {
            let stored = self.store.versions(&one[0].id).await?;
            count_fresh(&mut looking.preview.report, &stored, one);
        }
        Ok(())
    }

    fn look_at_person(&self, looking: &mut Looking<'_>, person: &Person) -> Result<(), ServiceError> {
        let (keys, now) = (self.keys()?, self.clock.now().at);
        let resolved = resolve(&looking.register, &keys, &looking.header.from, person);
        let preview = &mut looking.preview;
        if person.identity.has_number() {
            preview.numbered += 1;
            preview.other_key += u64::from(person.pseudonym != pseudonym(&keys, &person.identity));
        }
        match (resolved.is_new, &resolved.doubt) {
            (true, _) => preview.report.residents += 1,
            (false, _) => preview.report.residents_known += 1,
        }
        preview.report.doubts += u64::from(resolved.doubt.is_some());
        let record = |own: &str, identity: &Identity| DoubtRecord {
            pseudonym: own.to_owned(),
            name: identity.masked(),
            person: PersonView::of(identity, now),
        };
        let kind = match (resolved.is_new, &resolved.doubt) {
            (false, _) => PreviewKind::Known,
            (true, None) => PreviewKind::New,
            (true, Some((DoubtKind::SameName, _))) => PreviewKind::SameName,
            (true, Some((DoubtKind::SameNumber, _))) => PreviewKind::SameNumber,
        };
        let stays = resolved.stays().to_owned();
        if looking.seen.insert(stays.clone()) {
            let known = resolved.doubt.iter().flat_map(|(_, known)| known).filter_map(|known| {
                let found = looking.register.iter().find(|(own, _)| own == known);
                found.map(|(own, identity)| record(own, identity))
            });
            let known = known.collect();
            preview.residents.push(PreviewResident {
                record: record(&stays, &resolved.identity),
                kind,
                known,
            });
        }
        // In the reading itself they would be in the register from now on.
        if resolved.is_changed {
            looking.register.retain(|(own, _)| *own != resolved.own);
            looking.register.push((resolved.own, resolved.identity));
        }
        Ok(())
    }
}

fn person_of(item: &Item) -> Option<&Person> {
    match item {
        Item::Visit(item) => item.person.as_ref(),
        _ => None,
    }
}
