//! What people may ask and see. Whoever looks is in the audit before the answer is given.

use std::sync::Arc;

use linli_domain::Timestamp;
use linli_domain::visit::{Context, Status, Version, Visit};
use linli_domain::vital::{self, Quantity};
use linli_drivers::Clock;
use linli_store::{Audit, Entry};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::{Identity, payload};
use crate::error::ServiceError;
use linli_config::settings::cabin::CabinSettings;

/// The door to the cabin.
#[derive(Clone)]
pub struct AuditedReader {
    /// Where everything is kept.
    pub store: linli_store::Cabin,
    /// The configuration.
    pub settings: watch::Receiver<Arc<CabinSettings>>,
    /// Labels.
    pub clock: Arc<dyn Clock>,
}

/// A visit as it is shown.
#[derive(Debug, Serialize)]
pub struct VisitView {
    /// The visit.
    #[serde(flatten)]
    pub visit: Visit,
    /// The name as it may stand on a screen: 张**.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who it is; only when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// The newest version of what was measured, oldest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measurements: Option<Vec<Version>>,
    /// All of it together: what counts, what it is called, the score.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<Value>,
}

/// Which measurements are wanted.
#[derive(Debug, Clone, Default)]
pub struct MeasurementFilter {
    /// Those of one visit.
    pub visit: Option<String>,
    /// Told at or after this.
    pub from: Option<Timestamp>,
    /// Told before this.
    pub to: Option<Timestamp>,
}

// === impl AuditedReader ===

impl AuditedReader {
    /// Visits opened in that time, or all that are open.
    pub async fn visits(
        &self,
        who: &str,
        open: bool,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<VisitView>, ServiceError> {
        let visits = if open { self.store.open_visits().await? } else { self.store.visits(from, to).await? };
        self.note(who, "visit.list", "", &format!("{} visits", visits.len())).await?;
        let mut shown = Vec::with_capacity(visits.len());
        for visit in visits {
            let name = self.identity(&visit).await.map(|identity| identity.masked());
            shown.push(VisitView { visit, name, identity: None, measurements: None, summary: None });
        }
        Ok(shown)
    }

    /// One visit with everything measured during it; who it is only if `reveal`.
    pub async fn visit(&self, who: &str, id: &str, reveal: bool) -> Result<VisitView, ServiceError> {
        let visit = self.store.visit(id).await?;
        let visit = visit.ok_or_else(|| ServiceError::Unknown(format!("there is no visit {id}")))?;
        self.note(who, if reveal { "identity.reveal" } else { "visit.show" }, id, "").await?;
        let identity = self.identity(&visit).await;
        if reveal && visit.pseudonym.is_some() && identity.is_none() {
            return Err(ServiceError::Conflict(
                "the identity cannot be opened: its key is neither identity_key nor in previous_identity_keys".to_owned(),
            ));
        }
        let measurements = self.store.measured_during(id).await?;
        let summary = summary(&measurements, &self.settings.borrow());
        Ok(VisitView {
            name: identity.as_ref().map(Identity::masked),
            identity: identity.filter(|_| reveal),
            visit,
            measurements: Some(measurements),
            summary: Some(summary),
        })
    }

    /// What waits for a person to say whose it is.
    pub async fn unassigned(&self, who: &str) -> Result<Vec<Version>, ServiceError> {
        let waiting = self.store.unassigned().await?;
        self.note(who, "measurement.list", "", &format!("{} unassigned", waiting.len())).await?;
        Ok(waiting)
    }

    /// All versions of a measurement.
    pub async fn versions(&self, who: &str, id: &str) -> Result<Vec<Version>, ServiceError> {
        let versions = self.store.versions(id).await?;
        if versions.is_empty() {
            return Err(ServiceError::Unknown(format!("there is no measurement {id}")));
        }
        self.note(who, "measurement.show", id, "").await?;
        Ok(versions)
    }

    /// For an export: the newest version of each measurement, with its visit.
    pub async fn measured(
        &self,
        who: &str,
        what: &str,
        filter: &MeasurementFilter,
    ) -> Result<Vec<(Option<Visit>, Version)>, ServiceError> {
        let versions = match &filter.visit {
            Some(visit) if self.store.visit(visit).await?.is_none() => {
                return Err(ServiceError::Unknown(format!("there is no visit {visit}")));
            }
            Some(visit) => self.store.measured_during(visit).await?,
            None => {
                let (from, to) = (filter.from.unwrap_or_default(), filter.to.unwrap_or(Timestamp(i64::MAX)));
                self.store.measured(from, to).await?
            }
        };
        let about = filter.visit.clone().unwrap_or_default();
        self.note(who, what, &about, &format!("{} measurements", versions.len())).await?;
        let mut measured = Vec::with_capacity(versions.len());
        for version in versions {
            let visit = match &version.visit {
                Some(id) => self.store.visit(id).await?,
                None => None,
            };
            measured.push((visit, version));
        }
        Ok(measured)
    }

    /// The pseudonym of somebody who wants to be erased, or to know what is kept.
    pub async fn pseudonym(&self, who: &str, identity: Identity) -> Result<String, ServiceError> {
        let settings = Arc::clone(&self.settings.borrow());
        let keys = settings.keys.as_ref().ok_or_else(|| {
            ServiceError::Conflict(
                "[cabin] identity_key and pseudonym_key are not set: nobody is known here".to_owned(),
            )
        })?;
        let pseudonym = super::identity::pseudonym(
            keys,
            &identity.checked().map_err(|why| ServiceError::Wrong(why.to_owned()))?,
        );
        self.note(who, "identity.find", &pseudonym, "").await?;
        Ok(pseudonym)
    }

    /// The audit, newest first.
    pub async fn audit(&self, who: &str, limit: u32) -> Result<Vec<Audit>, ServiceError> {
        self.note(who, "audit.show", "", "").await?;
        Ok(self.store.audit(limit).await?)
    }

    async fn note(&self, who: &str, what: &str, about: &str, detail: &str) -> Result<(), ServiceError> {
        let own = |text: &str| text.to_owned();
        let at = self.clock.now().at;
        let audit = Audit { at, who: own(who), what: own(what), about: own(about), detail: own(detail) };
        self.store.keep(Entry { audit: vec![audit], ..Entry::default() }).await?;
        Ok(())
    }

    async fn identity(&self, visit: &Visit) -> Option<Identity> {
        let settings = Arc::clone(&self.settings.borrow());
        let (keys, pseudonym) = (settings.keys.as_ref()?, visit.pseudonym.as_deref()?);
        let resident = self.store.resident(pseudonym).await.ok().flatten()?;
        super::identity::unseal(keys, pseudonym, &resident.key, &resident.sealed).ok()
    }
}

/// A visit's measurements together: the latest of each quantity, blood pressure as the mean of
/// the last two.
fn summary(measurements: &[Version], settings: &CabinSettings) -> Value {
    let counting: Vec<&Version> =
        measurements.iter().filter(|v| v.status != Status::EnteredInError).collect();
    let taken: Vec<&vital::Measurement> = counting.iter().map(|version| &version.measurement).collect();
    let mut values: Vec<(Quantity, f64)> = Vec::new();
    for reading in taken.iter().flat_map(|measurement| &measurement.readings) {
        let Ok(value) = reading.value else { continue };
        values.retain(|(quantity, _)| *quantity != reading.quantity);
        values.push((reading.quantity, value));
    }
    let pressure = vital::settle(&taken);
    if let Some((systolic, diastolic, _)) = pressure {
        values.retain(|(quantity, _)| !matches!(quantity, Quantity::Systolic | Quantity::Diastolic));
        values.extend([(Quantity::Systolic, systolic), (Quantity::Diastolic, diastolic)]);
    }
    let context = counting.iter().fold(Context::default(), |so_far, version| Context {
        glucose_time: version.context.glucose_time.or(so_far.glucose_time),
        on_oxygen: version.context.on_oxygen.or(so_far.on_oxygen),
        is_alert: version.context.is_alert.or(so_far.is_alert),
    });
    let told: Vec<Value> = values
        .iter()
        .map(|(quantity, value)| json!({"quantity": quantity.as_str(), "unit": quantity.unit(), "value": value}))
        .collect();
    json!({
        "values": told,
        "blood_pressure_of": pressure.map(|(.., count)| count),
        "assessment": payload::assessment(&values, context, &settings.limits),
        "news2": payload::news2(&values, context).score,
    })
}
