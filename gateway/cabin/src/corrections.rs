//! Corrections and erasures by people. A correction is a new version; an erasure is final.

use linli_domain::visit::{Context, Outline, Status, Version, Visit, payload};
use linli_domain::vital;
use linli_store::{Change, Entry};
use tokio::time::Instant;

use super::erased::ErasedVisit;
use super::request::Outcome;
use super::service::{CabinService, short};
use linli_domain::{Id, Timestamp};
use linli_services::ServiceError;
use linli_services::live::Erased;
use serde_json::json;

// === impl CabinService ===

impl CabinService {
    pub(super) async fn correct(
        &mut self,
        who: &str,
        newest: Version,
        readings: Option<Vec<vital::Reading>>,
        context: Option<Context>,
        why: &str,
    ) -> Result<Outcome, ServiceError> {
        if readings.is_none() && context.is_none() {
            return Err(ServiceError::Wrong("give readings, context or both".to_owned()));
        }
        let status = if readings.is_some() { Status::Corrected } else { Status::Amended };
        // Age and sex stay unless they are given.
        let context = context.map_or(newest.context, |given| Context {
            age_months: given.age_months.or(newest.context.age_months),
            sex: given.sex.or(newest.context.sex),
            ..given
        });
        let mut corrected = Version { status, context, ..newest };
        if let Some(readings) = readings {
            corrected.measurement.readings = readings;
            vital::check(&mut corrected.measurement).map_err(|why| ServiceError::Wrong(why.to_string()))?;
        }
        self.next(who, "measurement.correct", corrected, why).await
    }

    /// Makes the next version durable and publishes it.
    pub(super) async fn next(
        &mut self,
        who: &str,
        what: &str,
        version: Version,
        why: &str,
    ) -> Result<Outcome, ServiceError> {
        let why = short("why", why)?;
        let at = self.deps.clock.now().at;
        let version = Version {
            version: version.version + 1,
            at,
            by: who.to_owned(),
            why: Some(why.clone()),
            ..version
        };
        let settings = self.settings();
        let visit = match &version.visit {
            Some(visit) => self.deps.store.cabin().visit(visit).await?,
            None => None,
        };
        let pseudonym = visit.as_ref().and_then(|visit| visit.pseudonym.clone());
        let entry = Entry {
            changes: vec![Change::Version(Box::new(version.clone()))],
            audit: vec![self.audit(who, what, &version.id, &why)],
            records: vec![payload::record(&version, pseudonym.as_deref(), &settings.limits)],
            ..Entry::default()
        };
        self.deps.store.cabin().keep(entry).await?;
        self.publish(&version, pseudonym.as_deref(), &settings);
        self.critical.look(&version, visit.as_ref(), &settings.critical, Instant::now());
        Ok(Outcome::Version(Box::new(version)))
    }

    pub(super) async fn erase(
        &mut self,
        who: &str,
        visits: Vec<Visit>,
        pseudonym: Option<String>,
        why: &str,
    ) -> Result<Outcome, ServiceError> {
        let (why, at) = (short("why", why)?, self.deps.clock.now().at);
        // Whatever becomes of the rest, nobody can be named any more. Records that were joined to this one go with it.
        let joined = match &pseudonym {
            Some(pseudonym) => self.joined_to(pseudonym).await?,
            None => Vec::new(),
        };
        if pseudonym.is_some() {
            // What was this resident's and is another's now must be sealed for that one before.
            self.seal_everything().await?;
        }
        self.destroy_keys(pseudonym.iter().chain(&joined).cloned().collect()).await?;
        let (mut entry, mut erased, mut unsent) = (Entry::default(), Vec::new(), Vec::new());
        for visit in &visits {
            // Its values need not be opened, and cannot any more.
            let measured = self.deps.store.cabin().outlines(&visit.id).await?;
            erased.extend(self.values_of(visit, &measured, at));
            unsent.extend(measured.iter().map(|version| version.id.clone()));
            entry.records.extend(measured.iter().map(|version| payload::erased(version, at)));
            entry.changes.push(Change::EraseVisit(visit.id.clone()));
            entry.changes.push(ErasedVisit::mark(visit, pseudonym.is_some(), at));
        }
        let about = pseudonym.clone().or_else(|| visits.first().map(|v| v.id.clone())).unwrap_or_default();
        entry.changes.extend(pseudonym.into_iter().chain(joined).map(Change::EraseResident));
        if !visits.is_empty() {
            let span = |gone: &Erased| (gone.device.clone(), gone.from, gone.to);
            let samples = erased.iter().map(span).collect();
            entry.changes.push(Change::EraseUnsent { measurements: unsent, samples });
        }
        entry.audit.push(self.audit(who, "erase", &about, &why));
        let measurements = entry.records.len();
        entry.changes.extend(self.forget_values(erased));
        self.deps.store.cabin().keep(entry).await?;
        for visit in &visits {
            self.rooms.forget(&visit.id);
            self.critical.forget(&visit.id);
            self.deps.events.publish_workers("visit", &json!({"id": visit.id, "erased": true}));
        }
        Ok(Outcome::Erased { visits: visits.len(), measurements })
    }

    /// Takes values from the live values; the changes that take them from the trends. In this order nothing that is
    /// still gathered comes into the trends afterwards.
    pub(super) fn forget_values(&self, erased: Vec<Erased>) -> Vec<Change> {
        let trend = |Erased { device, from, to }| Change::EraseTrend { device, from, to };
        let changes = erased.iter().cloned().map(trend).collect();
        self.deps.live.erase(erased);
        changes
    }

    /// The values that the devices of a visit's room showed during it, and those of its measurements.
    pub(super) fn values_of(&self, visit: &Visit, measured: &[Outline], now: Timestamp) -> Vec<Erased> {
        let until = visit.ended.map_or(now, |(ended, _)| ended);
        let of = |device: Id, from: Timestamp, to: Timestamp| {
            let end = Timestamp(to.minute().0.saturating_add(59_999));
            Erased { device, from: from.minute(), to: end }
        };
        let here = self.deps.live.vital_devices(&visit.room);
        let shown = here.into_iter().map(|device| of(device, visit.opened, until));
        let taken = measured.iter().map(|version| of(version.device.clone(), version.at, version.at));
        shown.chain(taken).collect()
    }

    pub(super) async fn newest(&self, id: &str) -> Result<Version, ServiceError> {
        let newest = self.deps.store.cabin().versions(id).await?.pop();
        newest.ok_or_else(|| ServiceError::Unknown(format!("there is no measurement {id}")))
    }
}
