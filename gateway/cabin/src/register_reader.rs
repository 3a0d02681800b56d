//! Reads the register of residents for people: search, a resident's sheet, who is due. Every look is in the audit before
//! the answer is given.

use std::sync::Arc;

use linli_config::settings::cabin::CabinSettings;
use linli_config::settings::key::Keys;
use linli_domain::Timestamp;
use linli_domain::visit::{Version, Visit, follow_up};
use linli_domain::vital::Quantity;
use linli_services::ServiceError;
use serde::Serialize;

use super::Identity;
use super::audited_reader::AuditedReader;
use super::person_view::{FollowUpView, PersonView};
use super::residents;
use super::visit_view::{CabinView, Counts, QuantityView, RoomView, ValueView, values};

/// Most residents of an answer to a search.
const MOST_FOUND: usize = 20;

/// Visits that are looked through for the values before.
const MOST_BEFORE: usize = 20;

/// Visits of a sheet.
const MOST_VISITS: usize = 500;

/// Longest text of a search, characters.
const LONGEST: usize = 128;

/// A resident in a list.
#[derive(Debug, Serialize)]
pub struct ResidentView {
    /// Pseudonym of the resident.
    pub pseudonym: String,
    /// The masked name: 张**.
    pub name: String,
    /// Sex, age, end of the number.
    pub person: PersonView,
    /// Whether the text is one of the resident's numbers.
    pub exact: bool,
    /// When the latest visit began, Unix milliseconds UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_visit: Option<Timestamp>,
    /// When the conditions are to be followed up.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub follow_up: Vec<FollowUpView>,
}

/// Everything known of a resident.
#[derive(Debug, Serialize)]
pub struct SheetView {
    /// Pseudonym of the resident.
    pub pseudonym: String,
    /// The masked name.
    pub name: String,
    /// Sex, age, end of the number.
    pub person: PersonView,
    /// The identity; only in an answer to a request that reveals it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// Records that were joined to this one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub joined: Vec<String>,
    /// The visits with their values, the latest first.
    pub visits: Vec<SheetVisit>,
    /// When the conditions are to be followed up.
    pub follow_up: Vec<FollowUpView>,
}

/// A visit of a sheet.
#[derive(Debug, Serialize)]
pub struct SheetVisit {
    /// The visit.
    #[serde(flatten)]
    pub visit: Visit,
    /// Its values.
    pub values: Vec<ValueView>,
}

// === impl AuditedReader ===

impl AuditedReader {
    /// What a screen needs beside the visits. It names nobody.
    pub async fn cabin(&self) -> Result<CabinView, ServiceError> {
        let settings = Arc::clone(&self.settings.borrow());
        let open = self.store.open_visits().await?;
        let room = |room: &linli_domain::Id| RoomView {
            room: room.clone(),
            visit: open.iter().find(|visit| visit.room == *room).map(|visit| visit.id.clone()),
        };
        Ok(CabinView {
            rooms: settings.rooms.iter().map(room).collect(),
            names: settings.keys.is_some(),
            consent: settings.consent.clone(),
            pressure_readings: settings.guide.readings,
            pressure_rest_s: settings.guide.rest.as_secs(),
            quantities: QuantityView::all(),
        })
    }

    /// How many visits were opened in `[from, to)`. It names nobody.
    pub async fn counts(&self, from: Timestamp, to: Timestamp) -> Result<Counts, ServiceError> {
        let (mut all, mut paging) = (Vec::new(), linli_store::Paging::first(1000));
        loop {
            let page = self.store.visits_page(false, (from, to), &paging).await?;
            all.extend(page.items);
            match page.next {
                Some(next) => paging.after = Some(next),
                None => return Ok(Counts::of(&all)),
            }
        }
    }

    /// Residents whom a text finds: a scanned number, its last four digits, a name. Whoever has exactly this number is
    /// first.
    pub async fn search(&self, who: &str, text: &str) -> Result<Vec<ResidentView>, ServiceError> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > LONGEST {
            return Err(ServiceError::Wrong(format!(
                "text must be 1 to {LONGEST} characters (请输入 1 到 {LONGEST} 个字)"
            )));
        }
        let at = self.clock.now().at;
        let everybody = self.everybody().await?;
        let mut found: Vec<(bool, &String, &Identity)> = everybody
            .iter()
            .filter(|(_, identity)| {
                identity.merged_into.is_none() && (identity.has(text) || identity.matches(text))
            })
            .map(|(stored, identity)| (identity.has(text), &stored.pseudonym, identity))
            .collect();
        // A number of a record that was joined finds the one that stays.
        for (_, joined) in everybody.iter().filter(|(_, identity)| identity.has(text)) {
            let stays =
                everybody.iter().find(|(stored, _)| Some(&stored.pseudonym) == joined.merged_into.as_ref());
            if let Some((stored, identity)) = stays
                && !found.iter().any(|(_, pseudonym, _)| *pseudonym == &stored.pseudonym)
            {
                found.push((true, &stored.pseudonym, identity));
            }
        }
        found.sort_by_key(|(is_exact, ..)| !is_exact);
        found.truncate(MOST_FOUND);
        self.note(who, "resident.search", "", &format!("{} residents", found.len())).await?;
        let mut views = Vec::with_capacity(found.len());
        for (exact, pseudonym, identity) in found {
            views.push(ResidentView {
                last_visit: self.store.visits_of(pseudonym).await?.last().map(|visit| visit.opened),
                pseudonym: pseudonym.clone(),
                name: identity.masked(),
                person: PersonView::of(identity, at),
                exact,
                follow_up: Vec::new(),
            });
        }
        Ok(views)
    }

    /// Everything known of a resident; the identity only if `reveal`.
    pub async fn sheet(&self, who: &str, pseudonym: &str, reveal: bool) -> Result<SheetView, ServiceError> {
        let everybody = self.everybody().await?;
        let found = everybody.iter().find(|(stored, _)| stored.pseudonym == pseudonym);
        let Some((_, identity)) = found else {
            return Err(ServiceError::Unknown(
                "nobody is registered under this pseudonym (没有这位居民)".to_owned(),
            ));
        };
        self.note(who, if reveal { "identity.reveal" } else { "resident.show" }, pseudonym, "").await?;
        let (at, settings) = (self.clock.now().at, Arc::clone(&self.settings.borrow()));
        let mut visits = Vec::new();
        for visit in self.store.visits_of(pseudonym).await?.into_iter().rev().take(MOST_VISITS) {
            let measured = self.store.measured_during(&visit.id).await?;
            visits.push(SheetVisit { values: values(&visit, &measured, &settings), visit });
        }
        let is_joined = |identity: &Identity| identity.merged_into.as_deref() == Some(pseudonym);
        let joined = everybody.iter().filter(|(_, identity)| is_joined(identity));
        Ok(SheetView {
            pseudonym: pseudonym.to_owned(),
            name: identity.masked(),
            person: PersonView::of(identity, at),
            joined: joined.map(|(stored, _)| stored.pseudonym.clone()).collect(),
            follow_up: self.follow_ups(pseudonym, Some(identity), at).await?,
            identity: reveal.then(|| Identity { merged_into: None, ..identity.clone() }),
            visits,
        })
    }

    /// Residents with a condition, those whose visit is due first.
    pub async fn follow_up_list(&self, who: &str) -> Result<Vec<ResidentView>, ServiceError> {
        let at = self.clock.now().at;
        let mut due = Vec::new();
        for (stored, identity) in self.everybody().await? {
            let follow_up = self.follow_ups(&stored.pseudonym, Some(&identity), at).await?;
            if follow_up.is_empty() || identity.merged_into.is_some() {
                continue;
            }
            due.push(ResidentView {
                last_visit: self.store.visits_of(&stored.pseudonym).await?.last().map(|visit| visit.opened),
                name: identity.masked(),
                person: PersonView::of(&identity, at),
                pseudonym: stored.pseudonym,
                exact: false,
                follow_up,
            });
        }
        due.sort_by_key(|resident| resident.follow_up.iter().map(|one| one.due).min());
        self.note(who, "resident.follow_up", "", &format!("{} residents", due.len())).await?;
        Ok(due)
    }

    /// The latest value of each quantity at the visits before that one.
    pub(super) async fn previous(
        &self,
        pseudonym: &str,
        visit: &Visit,
        settings: &CabinSettings,
    ) -> Result<Vec<ValueView>, ServiceError> {
        let visits = self.store.visits_of(pseudonym).await?;
        let before = visits.iter().rev().filter(|other| other.id != visit.id && other.opened <= visit.opened);
        let mut found: Vec<ValueView> = Vec::new();
        for other in before.take(MOST_BEFORE) {
            let measured = self.store.measured_during(&other.id).await?;
            for value in values(other, &measured, settings) {
                if !found.iter().any(|known| known.quantity == value.quantity) {
                    found.push(value);
                }
            }
            if found.len() == Quantity::ALL.len() {
                break;
            }
        }
        Ok(found)
    }

    /// When the conditions of a resident are to be followed up.
    pub(super) async fn follow_ups(
        &self,
        pseudonym: &str,
        identity: Option<&Identity>,
        now: Timestamp,
    ) -> Result<Vec<FollowUpView>, ServiceError> {
        let conditions = identity.and_then(|identity| identity.conditions.clone()).unwrap_or_default();
        if conditions.is_empty() {
            return Ok(Vec::new());
        }
        let visits = self.store.visits_of(pseudonym).await?;
        let since = visits.first().map_or(now, |visit| visit.opened);
        let mut measured: Vec<Version> = Vec::new();
        for visit in &visits {
            measured.extend(self.store.measured_during(&visit.id).await?);
        }
        let view = |condition| FollowUpView::of(follow_up(condition, &measured, since), now);
        Ok(conditions.into_iter().map(view).collect())
    }

    pub(super) fn keys(&self) -> Result<Keys, ServiceError> {
        self.settings.borrow().keys.clone().ok_or_else(|| {
            ServiceError::Conflict(
                "[cabin] identity_key and pseudonym_key are not set: nobody is known here (未设置密钥，没有居民档案)"
                    .to_owned(),
            )
        })
    }

    pub(super) async fn everybody(&self) -> Result<Vec<(linli_store::Resident, Identity)>, ServiceError> {
        residents::all(&self.store, &self.residents, self.keys()?).await
    }
}
