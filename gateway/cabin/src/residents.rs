//! The register of residents: who is known, joining two records of one person, taking them apart again.
//!
//! A record that was joined to another stays, sealed, with the pseudonym of the one that it was joined to; each of its
//! visits keeps the pseudonym that it had (`merged_from`), so that the records can be taken apart again.

use linli_config::settings::key::Keys;
use linli_domain::visit::Visit;
use linli_services::ServiceError;
use linli_store::{Change, Entry, Resident};
use tokio::task::spawn_blocking;

use super::Identity;
use super::identity;
use super::request::Outcome;
use super::resident_keys::{OF_RESIDENT, ResidentKeys};
use super::service::{CabinService, NO_CONSENT, short};

/// Most residents that are looked through.
pub const MOST: u32 = 50_000;

const NO_KEYS: &str = "nobody can be named: [cabin] identity_key and pseudonym_key are not set in gateway.toml \
                       (未设置密钥，不能登记姓名)";

const UNKNOWN: &str = "nobody is registered under this pseudonym (没有这位居民)";

/// Every resident whose identity can be opened, the latest first.
pub async fn all(
    store: &linli_store::Cabin,
    residents: &ResidentKeys,
    keys: Keys,
) -> Result<Vec<(Resident, Identity)>, ServiceError> {
    let (stored, residents) = (store.residents(MOST).await?, residents.clone());
    let open = move || {
        let opened = |stored: Resident| {
            let identity = residents.unseal(&keys, &stored).ok()?;
            Some((stored, identity))
        };
        stored.into_iter().filter_map(opened).collect()
    };
    spawn_blocking(open).await.map_err(|error| ServiceError::NotNow(error.to_string()))
}

// === impl CabinService ===

impl CabinService {
    pub(super) fn keys_to_name(&self) -> Result<Keys, ServiceError> {
        self.settings().keys.clone().ok_or_else(|| ServiceError::Conflict(NO_KEYS.to_owned()))
    }

    async fn everybody(&self) -> Result<Vec<(Resident, Identity)>, ServiceError> {
        all(&self.deps.store.cabin(), &self.deps.residents, self.keys_to_name()?).await
    }

    /// Who an identity is: the pseudonym of the record that stays, the record to be stored, and the pseudonym of the
    /// record that was joined, if it is one. One of the numbers finds somebody who is registered.
    pub(super) async fn named(
        &self,
        keys: &Keys,
        pseudonym: Option<String>,
        identity: Identity,
    ) -> Result<(String, Resident, Option<String>), ServiceError> {
        let wrong = |why: &str| ServiceError::Wrong(why.to_owned());
        let identity = identity.checked_fields().map_err(wrong)?;
        let everybody = self.everybody().await?;
        let is_it = |(stored, known): &&(Resident, Identity)| match &pseudonym {
            Some(pseudonym) => stored.pseudonym == *pseudonym,
            None => {
                let numbers = [&identity.id_number, &identity.card, &identity.health_code];
                numbers.into_iter().flatten().any(|number| known.has(number))
            }
        };
        // The strongest number decides: two people may have used one card.
        let by_number = |(_, known): &&(Resident, Identity)| {
            identity.id_number.as_ref().is_some_and(|number| known.has(number))
        };
        let found = everybody.iter().find(|row| pseudonym.is_none() && by_number(row));
        let found = found.or_else(|| {
            let is_same = |known: &Identity| match (&known.id_number, &identity.id_number) {
                (Some(one), Some(other)) => one == other,
                _ => true,
            };
            everybody.iter().find(|row| is_it(row) && (pseudonym.is_some() || is_same(&row.1)))
        });
        let own = match (found, &pseudonym) {
            (Some((stored, _)), _) => stored.pseudonym.clone(),
            (None, Some(_)) => return Err(ServiceError::Unknown(UNKNOWN.to_owned())),
            (None, None) if identity.has_number() => identity::pseudonym(keys, &identity),
            (None, None) => {
                identity::random_pseudonym().map_err(|error| ServiceError::NotNow(error.to_string()))?
            }
        };
        let identity = match found {
            Some((_, known)) => identity.over(known.clone()),
            None => identity,
        };
        let stays = identity.merged_into.clone();
        let sealed = self.sealed(keys.clone(), own.clone(), identity).await?;
        let at = self.deps.clock.now().at;
        let stored = Resident { pseudonym: own.clone(), key: OF_RESIDENT.to_owned(), sealed, at };
        Ok(match stays {
            Some(stays) => (stays, stored, Some(own)),
            None => (own, stored, None),
        })
    }

    /// The pseudonym of a registered resident, or of the record to which that one was joined, and then its own.
    pub(super) async fn registered(&self, pseudonym: &str) -> Result<(String, Option<String>), ServiceError> {
        let identity = self.identity_of(pseudonym).await?;
        Ok(match identity.merged_into {
            Some(stays) => (stays, Some(pseudonym.to_owned())),
            None => (pseudonym.to_owned(), None),
        })
    }

    async fn identity_of(&self, pseudonym: &str) -> Result<Identity, ServiceError> {
        let keys = self.keys_to_name()?;
        let stored = self.deps.store.cabin().resident(pseudonym).await?;
        let stored = stored.ok_or_else(|| ServiceError::Unknown(UNKNOWN.to_owned()))?;
        self.deps
            .residents
            .unseal(&keys, &stored)
            .map_err(|error| ServiceError::Conflict(format!("{error:#}")))
    }

    /// The version of the consent text that a resident agreed to last.
    pub(super) async fn consent_of(&self, pseudonym: &str) -> Result<Option<String>, ServiceError> {
        let visits = self.deps.store.cabin().visits_of(pseudonym).await?;
        let consent = visits.into_iter().rev().find_map(|visit| visit.consent);
        consent.map(Some).ok_or_else(|| ServiceError::Wrong(NO_CONSENT.to_owned()))
    }

    /// Registers a resident, or changes what the register says.
    pub(super) async fn register(
        &mut self,
        who: &str,
        pseudonym: Option<String>,
        identity: Identity,
        consent: Option<String>,
    ) -> Result<Outcome, ServiceError> {
        let keys = self.keys_to_name()?;
        let consent = consent.map(|consent| short("consent", &consent)).transpose()?;
        if pseudonym.is_none() && consent.is_none() {
            return Err(ServiceError::Wrong(NO_CONSENT.to_owned()));
        }
        let what = if pseudonym.is_some() { "resident.change" } else { "resident.register" };
        let (stays, stored, _) = self.named(&keys, pseudonym, identity).await?;
        let audit = vec![self.audit(who, what, &stored.pseudonym, consent.as_deref().unwrap_or_default())];
        let entry = Entry { changes: vec![Change::Resident(stored)], audit, ..Entry::default() };
        self.deps.store.cabin().keep(entry).await?;
        Ok(Outcome::Resident { pseudonym: stays, visits: 0 })
    }

    /// Joins the record `from` to the record `into`.
    pub(super) async fn merge(
        &mut self,
        who: &str,
        from: &str,
        into: &str,
        why: &str,
    ) -> Result<Outcome, ServiceError> {
        let why = short("why", why)?;
        let (joined, stays) = (self.identity_of(from).await?, self.identity_of(into).await?);
        if from == into || joined.merged_into.is_some() || stays.merged_into.is_some() {
            return Err(ServiceError::Conflict(
                "one of the two was joined already, or they are the same; nothing changed \
                 (其中一份已合并过，或是同一份档案)"
                    .to_owned(),
            ));
        }
        if let (Some(one), Some(other)) = (&joined.id_number, &stays.id_number)
            && one != other
        {
            return Err(ServiceError::Conflict(
                "they have different identity numbers: they are two people (身份证号不同，是两个人)"
                    .to_owned(),
            ));
        }
        let moved = self.deps.store.cabin().visits_of(from).await?;
        let moved: Vec<Visit> = moved.into_iter().map(|visit| taken_over(visit, into)).collect();
        let joined = Identity { merged_into: Some(into.to_owned()), ..joined };
        let changes = vec![self.to_store(from, joined).await?];
        self.rewrite(who, "resident.merge", (from, into), changes, moved, &why).await
    }

    /// Takes a record apart again that was joined to another.
    pub(super) async fn unmerge(
        &mut self,
        who: &str,
        from: &str,
        why: &str,
    ) -> Result<Outcome, ServiceError> {
        let why = short("why", why)?;
        let joined = self.identity_of(from).await?;
        let Some(into) = joined.merged_into.clone() else {
            return Err(ServiceError::Conflict(
                "this record was not joined to another (这份档案没有合并过)".to_owned(),
            ));
        };
        let visits = self.deps.store.cabin().visits_of(&into).await?;
        let own = |visit: &Visit| visit.progress.merged_from.as_deref() == Some(from);
        let back = |mut visit: Visit| {
            visit.pseudonym = visit.progress.merged_from.take();
            visit
        };
        let moved: Vec<Visit> = visits.into_iter().filter(own).map(back).collect();
        let changes = vec![self.to_store(from, Identity { merged_into: None, ..joined }).await?];
        self.rewrite(who, "resident.unmerge", (&into, from), changes, moved, &why).await
    }

    async fn to_store(&self, pseudonym: &str, identity: Identity) -> Result<Change, ServiceError> {
        let sealed = self.sealed(self.keys_to_name()?, pseudonym.to_owned(), identity).await?;
        let (pseudonym, key) = (pseudonym.to_owned(), OF_RESIDENT.to_owned());
        Ok(Change::Resident(Resident { pseudonym, key, sealed, at: self.deps.clock.now().at }))
    }

    /// Makes changed records and visits durable together.
    async fn rewrite(
        &mut self,
        who: &str,
        what: &str,
        (from, to): (&str, &str),
        mut changes: Vec<Change>,
        visits: Vec<Visit>,
        why: &str,
    ) -> Result<Outcome, ServiceError> {
        changes.extend(visits.iter().cloned().map(Change::Visit));
        let audit = vec![self.audit(who, what, from, &format!("{to}: {} visits: {why}", visits.len()))];
        self.deps.store.cabin().keep(Entry { changes, audit, ..Entry::default() }).await?;
        // What was measured during them is sealed for somebody else now.
        self.seal_from_the_beginning();
        let count = visits.len();
        for visit in visits.into_iter().filter(|visit| visit.ended.is_none()) {
            self.is_now(visit);
        }
        Ok(Outcome::Resident { pseudonym: to.to_owned(), visits: count })
    }

    /// The records that were joined to that of a resident.
    pub(super) async fn joined_to(&self, pseudonym: &str) -> Result<Vec<String>, ServiceError> {
        if self.settings().keys.is_none() {
            return Ok(Vec::new());
        }
        let is_joined = |identity: &Identity| identity.merged_into.as_deref() == Some(pseudonym);
        let everybody = self.everybody().await?;
        Ok(everybody
            .into_iter()
            .filter(|(_, identity)| is_joined(identity))
            .map(|(r, _)| r.pseudonym)
            .collect())
    }
}

/// A visit as one of the record that stays; the first pseudonym that it had is kept.
fn taken_over(mut visit: Visit, into: &str) -> Visit {
    let own = visit.pseudonym.replace(into.to_owned());
    if visit.progress.merged_from.is_none() {
        visit.progress.merged_from = own;
    }
    visit
}
