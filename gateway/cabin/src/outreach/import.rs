//! Takes the items of an outreach file into the register. Each item becomes durable by itself, so a reading that breaks off
//! is repeated from the beginning: what is here already changes nothing.

use std::time::Duration;

use data_encoding::BASE64;
use linli_domain::audit::hex;
use linli_domain::visit::{Outreach, Version, Visit};
use linli_domain::{ClockQuality, Stamp, Timestamp};
use linli_services::ServiceError;
use linli_services::stored::body;
use linli_store::{Change, Document, Documents, Entry, Resident};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::resolve::{DoubtKind, Resolved, resolve};
use super::{DOUBT, DocumentItem, Header, Item, Person, VisitItem};
use crate::Identity;
use crate::attachments;
use crate::audited_reader::AuditedReader;
use crate::erased::ErasedVisit;
use crate::person_view::PersonView;
use crate::request::Outcome;
use crate::resident_keys::OF_RESIDENT;
use crate::residents;
use crate::service::{CabinService, short};

/// A clock of a box that is ahead by less is not remarked: it is about what a file needs to be carried.
const CLOCK_REMARK_MS: i64 = 60_000;

/// What was taken.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// Visits that were not here.
    pub visits: u64,
    /// Visits that were here already.
    pub visits_known: u64,
    /// Measurements that were not here.
    pub measurements: u64,
    /// Later versions of measurements that were here.
    pub versions: u64,
    /// Documents of measurements.
    pub documents: u64,
    /// Residents who are new in the register.
    pub residents: u64,
    /// Visits and residents that belong to somebody in the register, found by a number.
    pub residents_known: u64,
    /// Residents of whom a person must say who they are.
    pub doubts: u64,
    /// Visits that were erased here after an earlier reading: they stay erased.
    pub erased: u64,
    /// Visits that ended longer ago than visits are kept here: they are not taken.
    pub expired: u64,
    /// Measurements that were changed here and in the box; what is here was left as it is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<String>,
    /// Whether the last line of the file was among them.
    pub complete: bool,
}

/// A stored doubt about a resident.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredDoubt {
    known: Vec<String>,
    why: DoubtKind,
    from: String,
    #[serde(default)]
    decided: bool,
}

/// A resident of whom a person must say whether they are somebody in the register.
#[derive(Debug, Serialize)]
pub struct Doubt {
    /// Who came with the file.
    #[serde(flatten)]
    pub imported: DoubtRecord,
    /// Who may be the same.
    pub known: Vec<DoubtRecord>,
    /// Why it is not clear.
    pub why: DoubtKind,
    /// Id of the centre in the configuration of the box.
    pub from: String,
    /// When the file was read, Unix milliseconds UTC.
    pub at: Timestamp,
}

/// One of the records.
#[derive(Debug, Serialize)]
pub struct DoubtRecord {
    /// Its pseudonym.
    pub pseudonym: String,
    /// The masked name.
    pub name: String,
    /// Sex, age, end of the number.
    pub person: PersonView,
}

/// What is constant while the items of a request are taken.
struct Taking<'a> {
    who: &'a str,
    header: &'a Header,
    /// The register, read once.
    register: Option<Vec<(String, Identity)>>,
    report: ImportReport,
}

// === impl CabinService ===

impl CabinService {
    /// Takes items of a file.
    pub(crate) async fn import(
        &mut self,
        who: &str,
        header: &Header,
        items: Vec<Item>,
    ) -> Result<Outcome, ServiceError> {
        let mut taking = Taking { who, header, register: None, report: ImportReport::default() };
        for item in items {
            match item {
                Item::Resident(person) => self.take_resident(&mut taking, &person).await?,
                Item::Visit(item) => self.take_visit(&mut taking, *item).await?,
                Item::Measurement(versions) => {
                    let about = versions.first().map(|version| version.id.clone()).unwrap_or_default();
                    let changes = self.fresh_versions(&mut taking, versions).await?;
                    self.take(&taking, &about, Vec::new(), (None, changes)).await?;
                }
                Item::Document(document) => self.take_document(&mut taking, document).await?,
                Item::End { .. } => taking.report.complete = true,
            }
        }
        Ok(Outcome::Imported(Box::new(taking.report)))
    }

    async fn take_resident(&mut self, taking: &mut Taking<'_>, person: &Person) -> Result<(), ServiceError> {
        let (_, changes) = self.take_person(taking, person).await?;
        self.take(taking, &person.pseudonym, changes, (None, Vec::new())).await
    }

    async fn take_visit(&mut self, taking: &mut Taking<'_>, item: VisitItem) -> Result<(), ServiceError> {
        let VisitItem { visit, person, versions } = item;
        let (cabin, documents) = (self.deps.store.cabin(), self.deps.store.documents());
        let oldest = oldest(self.deps.clock.now(), self.settings().retention);
        let known = match find(&cabin, &documents, &visit, oldest).await? {
            Found::Erased => {
                taking.report.erased += 1;
                return Ok(());
            }
            Found::Expired => {
                taking.report.expired += 1;
                return Ok(());
            }
            Found::Nothing => None,
            Found::Known(known) => Some(known),
        };
        let versions = self.fresh_versions(taking, versions).await?;
        if let Some(known) = known {
            taking.report.visits_known += 1;
            return self.take(taking, &known.id.clone(), Vec::new(), (Some(*known), versions)).await;
        }
        let (mut changes, mut pseudonym, mut merged_from) = (Vec::new(), None, None);
        if let Some(person) = &person {
            let (resolved, of_person) = self.take_person(taking, person).await?;
            changes = of_person;
            pseudonym = Some(resolved.stays().to_owned());
            merged_from = Some(resolved.own).filter(|own| Some(own) != pseudonym.as_ref());
        }
        let mut progress = visit.progress.clone();
        progress.merged_from = merged_from;
        progress.outreach = Some(Box::new(self.origin(taking)));
        let visit = Visit { pseudonym, progress, ..visit };
        changes.push(Change::Visit(visit.clone()));
        taking.report.visits += 1;
        self.take(taking, &visit.id.clone(), changes, (Some(visit), versions)).await
    }

    /// Where a visit comes from, and the doubt about its times.
    fn origin(&self, taking: &Taking<'_>) -> Outreach {
        let (header, imported) = (taking.header, self.deps.clock.now().at);
        // A file cannot be made after it is read: then the clock of the box is ahead, by so much at least.
        let least = header.made.0.saturating_sub(imported.0);
        let found = header.clock_ahead_ms.or_else(|| (least > CLOCK_REMARK_MS).then_some(least));
        Outreach {
            from: header.from.clone(),
            made: header.made,
            imported,
            by: taking.who.to_owned(),
            clock_ahead_ms: found,
        }
    }

    /// Who somebody is here, and what is to be stored for that.
    async fn take_person(
        &mut self,
        taking: &mut Taking<'_>,
        person: &Person,
    ) -> Result<(Resolved, Vec<Change>), ServiceError> {
        let keys = self.keys_to_name()?;
        if taking.register.is_none() {
            let all = residents::all(&self.deps.store.cabin(), &self.deps.residents, keys.clone()).await?;
            let of = |(stored, identity): (Resident, Identity)| (stored.pseudonym, identity);
            taking.register = Some(all.into_iter().map(of).collect());
        }
        let register = taking.register.get_or_insert_default();
        let resolved = resolve(register, &keys, &taking.header.from, person);
        let (mut changes, at) = (Vec::new(), self.deps.clock.now().at);
        match (resolved.is_new, &resolved.doubt) {
            (true, _) => taking.report.residents += 1,
            (false, _) => taking.report.residents_known += 1,
        }
        if resolved.is_changed {
            let (own, identity) = (resolved.own.clone(), resolved.identity.clone());
            register.retain(|(pseudonym, _)| *pseudonym != own);
            register.push((own.clone(), identity.clone()));
            let sealed = self.sealed(keys, own.clone(), identity).await?;
            changes.push(Change::Resident(Resident {
                pseudonym: own,
                key: OF_RESIDENT.to_owned(),
                sealed,
                at,
            }));
        }
        if let Some((why, known)) = resolved.doubt.clone() {
            taking.report.doubts += 1;
            let doubt = StoredDoubt { known, why, from: taking.header.from.clone(), decided: false };
            let (id, kind) = (doubt_id(&resolved.own), DOUBT.to_owned());
            changes.push(Change::Document(Document { id, kind, at, body: body(&doubt) }));
        }
        Ok((resolved, changes))
    }

    /// The versions that are not here, of measurements whose versions come one after the other.
    async fn fresh_versions(
        &self,
        taking: &mut Taking<'_>,
        versions: Vec<Version>,
    ) -> Result<Vec<Version>, ServiceError> {
        let mut fresh = Vec::new();
        for one in versions.chunk_by(|one, next| one.id == next.id) {
            let stored = self.deps.store.cabin().versions(&one[0].id).await?;
            fresh.extend_from_slice(count_fresh(&mut taking.report, &stored, one));
        }
        Ok(fresh)
    }

    /// Makes changes durable and publishes what is new.
    async fn take(
        &mut self,
        taking: &Taking<'_>,
        about: &str,
        mut changes: Vec<Change>,
        (visit, versions): (Option<Visit>, Vec<Version>),
    ) -> Result<(), ServiceError> {
        changes.extend(versions.iter().cloned().map(|version| Change::Version(Box::new(version))));
        if changes.is_empty() {
            return Ok(());
        }
        let made = taking.header.made.to_rfc3339();
        let detail = format!("{} made at {made}, {} versions", taking.header.from, versions.len());
        let audit = vec![self.audit(taking.who, "outreach.import", about, &detail)];
        self.deps.store.cabin().keep(Entry { changes, audit, ..Entry::default() }).await?;
        if let Some(visit) = &visit {
            self.deps.events.publish_workers("visit", &json!(visit));
        }
        let settings = self.settings();
        let pseudonym = visit.and_then(|visit| visit.pseudonym);
        for version in &versions {
            self.publish(version, pseudonym.as_deref(), &settings);
        }
        Ok(())
    }

    async fn take_document(
        &mut self,
        taking: &mut Taking<'_>,
        document: DocumentItem,
    ) -> Result<(), ServiceError> {
        let DocumentItem { measurement, number, info, data } = document;
        let id = attachments::id(&measurement, number);
        let newest = self.deps.store.cabin().versions(&measurement).await?.pop();
        let is_there = self.deps.store.documents().get(&id).await?.is_some();
        let Some(newest) =
            newest.filter(|newest| !is_there && newest.measurement.attached.get(number) == Some(&info))
        else {
            return Ok(());
        };
        let data = BASE64.decode(data.as_bytes()).unwrap_or_default();
        if hex(digest(&SHA256, &data).as_ref()) != info.sha256 {
            return Err(ServiceError::Wrong(format!("document {number} of {measurement} was changed")));
        }
        let keys = self.keys_to_name()?;
        let pseudonym = match &newest.visit {
            Some(visit) => self.deps.store.cabin().visit(visit).await?.and_then(|visit| visit.pseudonym),
            None => None,
        };
        let sealed = self.sealed_document(&keys, (id, newest.at), data, pseudonym.as_deref());
        let change = sealed.map_err(|error| ServiceError::NotNow(error.to_string()))?;
        taking.report.documents += 1;
        self.take(taking, &measurement, vec![change], (None, Vec::new())).await
    }

    /// A person says that somebody of an outreach is nobody else in the register.
    pub(crate) async fn keep_apart(
        &mut self,
        who: &str,
        pseudonym: &str,
        why: &str,
    ) -> Result<Outcome, ServiceError> {
        let why = short("why", why)?;
        let stored = self.deps.store.documents().get(&doubt_id(pseudonym)).await?;
        let doubt = stored.and_then(|stored| {
            let doubt: StoredDoubt = serde_json::from_str(&stored.body).ok()?;
            Some((stored, doubt))
        });
        let Some((stored, doubt)) = doubt.filter(|(_, doubt)| !doubt.decided) else {
            return Err(ServiceError::Unknown(
                "nothing is to be decided about this resident (这位居民没有待确认的事项)".to_owned(),
            ));
        };
        let decided = Document { body: body(&StoredDoubt { decided: true, ..doubt }), ..stored };
        let audit = vec![self.audit(who, "resident.apart", pseudonym, &why)];
        let entry = Entry { changes: vec![Change::Document(decided)], audit, ..Entry::default() };
        self.deps.store.cabin().keep(entry).await?;
        Ok(Outcome::Resident { pseudonym: pseudonym.to_owned(), visits: 0 })
    }
}

// === impl AuditedReader ===

impl AuditedReader {
    /// Residents of outreaches of whom a person must say who they are.
    ///
    /// # Errors
    /// [`ServiceError::Conflict`] without keys.
    pub async fn doubts(&self, documents: &Documents, who: &str) -> Result<Vec<Doubt>, ServiceError> {
        let (everybody, now) = (self.everybody().await?, self.clock.now().at);
        let shown = |pseudonym: &str| {
            let (stored, identity) = everybody.iter().find(|(stored, _)| stored.pseudonym == pseudonym)?;
            let is_open = identity.merged_into.is_none();
            let (pseudonym, name) = (stored.pseudonym.clone(), identity.masked());
            is_open.then(|| DoubtRecord { pseudonym, name, person: PersonView::of(identity, now) })
        };
        let mut doubts = Vec::new();
        for document in documents.of(DOUBT, Timestamp(i64::MIN), Timestamp(i64::MAX)).await? {
            let Ok(stored) = serde_json::from_str::<StoredDoubt>(&document.body) else { continue };
            let imported =
                document.id.strip_prefix(DOUBT).and_then(|rest| shown(rest.trim_start_matches('/')));
            let known: Vec<DoubtRecord> = stored.known.iter().filter_map(|known| shown(known)).collect();
            if let Some(imported) = imported.filter(|_| !stored.decided && !known.is_empty()) {
                let StoredDoubt { why, from, .. } = stored;
                doubts.push(Doubt { imported, known, why, from, at: document.at });
            }
        }
        self.note(who, "resident.doubts", "", &format!("{} residents", doubts.len())).await?;
        Ok(doubts)
    }
}

fn doubt_id(pseudonym: &str) -> String {
    format!("{DOUBT}/{pseudonym}")
}

/// What is here of a visit of a file.
pub(super) enum Found {
    Nothing,
    Known(Box<Visit>),
    Erased,
    Expired,
}

/// Looks for a visit of a file, which must be one that has ended; `oldest` is when one must have ended at the earliest.
pub(super) async fn find(
    cabin: &linli_store::Cabin,
    documents: &Documents,
    visit: &Visit,
    oldest: Timestamp,
) -> Result<Found, ServiceError> {
    let is_id = (1..=64).contains(&visit.id.len())
        && visit.id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let Some((ended, _)) = visit.ended.filter(|_| is_id) else {
        return Err(ServiceError::Wrong("the file has a visit without an id, or an open one".to_owned()));
    };
    if let Some(known) = cabin.visit(&visit.id).await? {
        return Ok(Found::Known(Box::new(known)));
    }
    if ErasedVisit::find(documents, &visit.id).await?.is_some() {
        return Ok(Found::Erased);
    }
    Ok(if ended < oldest { Found::Expired } else { Found::Nothing })
}

/// When a visit must have ended at the earliest to be taken: what is older would be erased at once. A clock that may be
/// wrong refuses nothing.
pub(super) fn oldest(now: Stamp, retention: Duration) -> Timestamp {
    let retention = i64::try_from(retention.as_millis()).unwrap_or(i64::MAX);
    match now.clock {
        ClockQuality::Synchronised => Timestamp(now.at.0.saturating_sub(retention)),
        _ => Timestamp(i64::MIN),
    }
}

/// The versions of one measurement that are not here, counted.
pub(super) fn count_fresh<'v>(
    report: &mut ImportReport,
    stored: &[Version],
    given: &'v [Version],
) -> &'v [Version] {
    let Some(fresh) = later(stored, given) else {
        report.conflicts.extend(given.first().map(|first| first.id.clone()));
        return &[];
    };
    match stored.is_empty() {
        true => report.measurements += u64::from(!fresh.is_empty()),
        false => report.versions += fresh.len() as u64,
    }
    fresh
}

/// The versions of a measurement that follow those that are stored; `None` if the two do not agree.
fn later<'v>(stored: &[Version], given: &'v [Version]) -> Option<&'v [Version]> {
    let is_numbered = given.iter().zip(1..).all(|(version, number)| version.version == number);
    let agree = stored.iter().zip(given).all(|(stored, given)| stored == given);
    (is_numbered && agree).then(|| given.get(stored.len()..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clock_that_is_right_finds_a_visit_too_old() {
        let day = Duration::from_secs(86_400);
        let stamp = |clock| Stamp { at: Timestamp(1_795_428_000_000), clock };
        assert_eq!(oldest(stamp(ClockQuality::Synchronised), day), Timestamp(1_795_341_600_000));
        assert_eq!(oldest(stamp(ClockQuality::FreeRunning), day), Timestamp(i64::MIN));
        assert_eq!(oldest(stamp(ClockQuality::Unset), day), Timestamp(i64::MIN));
    }
}
