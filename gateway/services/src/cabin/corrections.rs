//! Corrections and erasures by people. A correction is a new version; an erasure is final.

use linli_domain::visit::{Context, Status, Version, Visit};
use linli_domain::vital;
use linli_store::{Change, Entry};

use super::payload;
use super::request::Outcome;
use super::service::{CabinService, short};
use crate::error::ServiceError;

// === impl CabinService ===

impl CabinService {
    pub(super) async fn correct(
        &self,
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
        let mut corrected = Version { status, context: context.unwrap_or(newest.context), ..newest };
        if let Some(readings) = readings {
            corrected.measurement.readings = readings;
            vital::check(&mut corrected.measurement).map_err(|why| ServiceError::Wrong(why.to_string()))?;
        }
        self.next(who, "measurement.correct", corrected, why).await
    }

    /// Makes the next version durable and publishes it.
    pub(super) async fn next(
        &self,
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
        let pseudonym = visit.and_then(|visit| visit.pseudonym);
        let entry = Entry {
            once: None,
            marks: Vec::new(),
            changes: vec![Change::Version(Box::new(version.clone()))],
            audit: vec![self.audit(who, what, &version.id, &why)],
            records: vec![payload::record(&version, pseudonym.as_deref(), &settings.limits)],
        };
        self.deps.store.cabin().keep(entry).await?;
        self.tell(&version, pseudonym.as_deref(), &settings);
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
        let mut entry = Entry::default();
        for visit in &visits {
            let measured = self.deps.store.cabin().measured_during(&visit.id).await?;
            entry.records.extend(measured.iter().map(|version| payload::erased(version, at)));
            entry.changes.push(Change::EraseVisit(visit.id.clone()));
        }
        let about = pseudonym.clone().or_else(|| visits.first().map(|v| v.id.clone())).unwrap_or_default();
        entry.changes.extend(pseudonym.map(Change::EraseResident));
        entry.audit.push(self.audit(who, "erase", &about, &why));
        let measurements = entry.records.len();
        self.deps.store.cabin().keep(entry).await?;
        visits.iter().for_each(|visit| self.rooms.forget(&visit.id));
        Ok(Outcome::Erased { visits: visits.len(), measurements })
    }

    pub(super) async fn newest(&self, id: &str) -> Result<Version, ServiceError> {
        let newest = self.deps.store.cabin().versions(id).await?.pop();
        newest.ok_or_else(|| ServiceError::Unknown(format!("there is no measurement {id}")))
    }
}
