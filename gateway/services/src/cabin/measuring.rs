//! Arrival of a measurement: it is bound to a visit, made durable and published.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use linli_domain::Layout;
use linli_domain::visit::{Context, Status, Unassigned, Version, Visit, bind};
use linli_domain::vital::{self, Measurement};
use linli_drivers::VitalMeasurement;
use linli_store::{Change, Entry};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::payload;
use super::service::{CabinService, name};
use linli_config::settings::cabin::CabinSettings;
use linli_domain::audit::hex;

// === impl CabinService ===

impl CabinService {
    pub(super) async fn receive(
        &mut self,
        VitalMeasurement { layout, measurement, reply }: VitalMeasurement,
    ) {
        let outcome = self.accept(&layout, measurement).await;
        if let Err(reason) = &outcome {
            tracing::warn!(device = %layout.device, reason, "measurement not taken");
        }
        if let Some(reply) = reply {
            let _ = reply.send(outcome);
        }
    }

    /// Makes a measurement durable. `Ok` may have a remark for the sender, `Err` the reason of the refusal.
    async fn accept(
        &mut self,
        layout: &Arc<Layout>,
        mut measurement: Measurement,
    ) -> Result<Option<String>, String> {
        if let Err(why) = vital::check(&mut measurement) {
            self.deps.health.implausible.fetch_add(1, Ordering::Relaxed);
            return Err(why.to_string());
        }
        let (now, settings) = (Instant::now(), self.settings());
        let bound = self.visit_of(layout, &measurement, now, &settings);
        let (visit, pseudonym) = bound.clone().map_or((None, None), |v| (Some(v.id), v.pseudonym));
        let at = self.deps.clock.now().at;
        let version = Version {
            id: name("m").map_err(|error| error.to_string())?,
            version: 1,
            status: Status::Final,
            visit: visit.clone(),
            unassigned: bound.as_ref().err().copied(),
            device: layout.device.clone(),
            room: layout.room.clone(),
            measurement,
            context: Context::default(),
            at,
            by: "device".to_owned(),
            why: None,
        };
        let entry = Entry {
            once: version.measurement.key.as_ref().map(|key| fingerprint(layout, key)),
            changes: vec![Change::Version(Box::new(version.clone()))],
            audit: Vec::new(),
            records: vec![payload::record(&version, pseudonym.as_deref(), &settings.limits)],
        };
        match self.deps.store.cabin().keep(entry).await {
            Ok(true) => self.deps.health.accepted.fetch_add(1, Ordering::Relaxed),
            Ok(false) => {
                self.deps.health.repeated.fetch_add(1, Ordering::Relaxed);
                return Ok(None);
            }
            Err(error) => {
                self.deps.health.failed.fetch_add(1, Ordering::Relaxed);
                return Err(format!("it could not be stored ({error}); send it again"));
            }
        };
        self.tell(&version, pseudonym.as_deref(), &settings);
        match &visit {
            Some(visit) => self.rooms.touch(visit, now),
            None => drop(self.deps.health.unassigned.fetch_add(1, Ordering::Relaxed)),
        }
        // The values of a stream are already live.
        if version.measurement.key.is_some() {
            let _ = self.deps.samples.send(payload::batch(layout, &version.measurement)).await;
        }
        Ok(version.unassigned.map(|why| format!("stored; it belongs to no visit yet: {}", words(why))))
    }

    /// Finds the visit that a measurement belongs to.
    fn visit_of(
        &self,
        layout: &Layout,
        measurement: &Measurement,
        now: Instant,
        settings: &CabinSettings,
    ) -> Result<Visit, Unassigned> {
        let room = layout.room.as_ref().ok_or(Unassigned::NoRoom)?;
        if let Some(patient) = &measurement.patient {
            let hashed =
                settings.keys.as_ref().map(|keys| super::identity::pseudonym_of_number(keys, patient));
            let is_named = |visit: &&Visit| {
                [Some(&visit.id), visit.code.as_ref(), visit.pseudonym.as_ref()].contains(&Some(patient))
                    || (hashed.is_some() && visit.pseudonym == hashed)
            };
            return self.rooms.all_open().find(is_named).cloned().ok_or(Unassigned::OtherPatient);
        }
        let (visits, spans) = self.rooms.spans(room, now);
        bind(measurement, &spans).map(|position| visits[position].clone())
    }

    /// Publishes a version to the screens: everything to workers, to others without visit and pseudonym.
    pub(super) fn tell(&self, version: &Version, pseudonym: Option<&str>, settings: &CabinSettings) {
        let mut public = payload::public(version, &settings.limits);
        let open = Value::Object(public.clone());
        public.insert("visit".to_owned(), json!(version.visit));
        public.insert("pseudonym".to_owned(), json!(pseudonym));
        self.deps.events.tell_partly("measurement", &open, &Value::Object(public));
    }
}

/// Returns a hash that identifies a measurement when it is sent again. The key cannot be read from it.
fn fingerprint(layout: &Layout, key: &str) -> String {
    let hashed = digest(&SHA256, format!("{}\n{key}", layout.device).as_bytes());
    hex(&hashed.as_ref()[..16])
}

/// Text for the sender of a message.
const fn words(why: Unassigned) -> &'static str {
    match why {
        Unassigned::NoRoom => "the device stands in no room",
        Unassigned::NoVisit => "no visit was open",
        Unassigned::BegunBefore => "it was begun before the visit was",
        Unassigned::TwoVisits => "two visits lie too close together",
        Unassigned::TimeUnclear => "it comes from memory, or the clock is wrong",
        Unassigned::OtherPatient => "the patient it names has no open visit here",
    }
}
