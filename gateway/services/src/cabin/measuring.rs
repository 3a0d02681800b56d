//! Arrival of a measurement: it is bound to a visit, made durable and published.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use linli_domain::Layout;
use linli_domain::visit::{Context, Status, Unassigned, Version, Visit, bind};
use linli_domain::vital::{self, Measurement};
use linli_drivers::{NotTaken, VitalMeasurement};
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
        // A sender that waits for the answer logs it, once for all that follow.
        if let (Err(reason), None) = (&outcome, &reply) {
            tracing::warn!(device = %layout.device, %reason, "measurement not taken");
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
    ) -> Result<Option<String>, NotTaken> {
        // What the device told: the check adds remarks that depend on when it comes.
        let identity = measurement.key.as_deref().map(|key| Identity::of(layout, key, &measurement));
        if let Err(why) = vital::check(&mut measurement) {
            self.deps.health.implausible.fetch_add(1, Ordering::Relaxed);
            return Err(NotTaken::Wrong(why.to_string()));
        }
        if let Some(identity) = &identity {
            measurement.key_reused = self.is_key_reused(layout, identity).await?;
        }
        let is_reused = measurement.key_reused;
        let (now, settings) = (Instant::now(), self.settings());
        let bound = self.visit_of(layout, &measurement, now, &settings);
        let (visit, pseudonym) = bound.clone().map_or((None, None), |v| (Some(v.id), v.pseudonym));
        let at = self.deps.clock.now().at;
        let version = Version {
            id: name("m").map_err(|error| NotTaken::NotStored(error.to_string()))?,
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
            once: identity.as_ref().map(|identity| identity.content.clone()),
            marks: identity.map(|identity| identity.key).into_iter().collect(),
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
                return Err(NotTaken::NotStored(format!("{error}; send it again later")));
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
        let unassigned = version.unassigned.map(words);
        let reused = is_reused.then_some(REUSED);
        Ok(match (unassigned, reused) {
            (None, None) => None,
            (Some(why), None) => Some(format!("stored; it belongs to no visit yet: {why}")),
            (None, Some(reused)) => Some(format!("stored; {reused}")),
            (Some(why), Some(reused)) => Some(format!("stored; {reused}; it belongs to no visit yet: {why}")),
        })
    }

    /// Whether the key was used before, and not for the same content.
    async fn is_key_reused(&self, layout: &Layout, identity: &Identity) -> Result<bool, NotTaken> {
        let cabin = self.deps.store.cabin();
        let seen = async |key: &str| {
            cabin
                .has_seen(key)
                .await
                .map_err(|error| NotTaken::NotStored(format!("{error}; send it again later")))
        };
        let is_reused = seen(&identity.key).await? && !seen(&identity.content).await?;
        if is_reused {
            tracing::warn!(device = %layout.device, "{REUSED}");
        }
        Ok(is_reused)
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

/// Identifies a measurement when it is sent again; nothing can be read back from it. One with the same key
/// and other content is another measurement.
struct Identity {
    /// Hash of device and key. Up to 0.1 this was all.
    key: String,
    /// Hash of device, key and content.
    content: String,
}

// === impl Identity ===

impl Identity {
    fn of(layout: &Layout, key: &str, measurement: &Measurement) -> Self {
        let Measurement { taken, readings, user, patient, .. } = measurement;
        let content = json!([readings, taken.device, user, patient]);
        Self {
            key: fingerprint(&format!("{}\n{key}", layout.device)),
            content: fingerprint(&format!("{}\n{key}\n{content}", layout.device)),
        }
    }
}

fn fingerprint(text: &str) -> String {
    hex(&digest(&SHA256, text.as_bytes()).as_ref()[..16])
}

/// What is said of a key that was used before with other content.
const REUSED: &str = "its id was used before with other content; both are kept";

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

#[cfg(test)]
mod tests {
    use super::super::service::{Deps, Health};
    use super::*;
    use crate::golden::site::{NOW, Site};
    use linli_domain::vital::{Limits, Quantity, Reading, Taken};
    use linli_domain::{ClockQuality, DeviceClass, Id, Timestamp};
    use std::time::Duration;
    use tokio::sync::{mpsc, oneshot, watch};

    async fn service(site: &Site) -> CabinService {
        let deps = Deps {
            store: site.store.clone(),
            samples: mpsc::channel(64).0,
            events: crate::events::Events::default(),
            clock: site.clock.clone(),
            health: Arc::new(Health::default()),
        };
        let settings = CabinSettings {
            keys: None,
            visit_timeout: Duration::from_secs(3600),
            retention: Duration::from_secs(7 * 86_400),
            limits: Limits { hypertension: (140.0, 90.0), fever: 37.3 },
            rooms: Vec::new(),
        };
        CabinService::resume(deps, watch::Sender::new(Arc::new(settings)).subscribe()).await.unwrap()
    }

    fn layout() -> Arc<Layout> {
        Arc::new(Layout {
            device: Id::new("monitor-1").unwrap(),
            name: "监护仪".to_owned(),
            room: None,
            class: DeviceClass::Vital,
            profile: "hl7/oru-r01".to_owned(),
            points: Vec::new(),
        })
    }

    fn systolic(key: &str, value: f64) -> Measurement {
        let taken =
            Taken { at: NOW, clock: ClockQuality::Synchronised, device: Some(Timestamp(NOW.0 - 1000)) };
        Measurement {
            taken,
            readings: vec![Reading::of(Quantity::Systolic, value), Reading::of(Quantity::Diastolic, 88.0)],
            key: Some(key.to_owned()),
            key_reused: false,
            user: None,
            patient: None,
        }
    }

    async fn told(service: &mut CabinService, measurement: Measurement) -> Result<Option<String>, NotTaken> {
        let (reply, answer) = oneshot::channel();
        service.receive(VitalMeasurement { layout: layout(), measurement, reply: Some(reply) }).await;
        answer.await.unwrap()
    }

    #[tokio::test]
    async fn the_same_key_with_other_content_is_kept_and_marked_and_with_the_same_it_is_not_kept_twice() {
        let site = Site::open().await;
        let mut service = service(&site).await;
        for (value, note) in [(138.0, false), (201.0, true), (138.0, false), (201.0, false)] {
            let answer = told(&mut service, systolic("CABIN/SITE/C1/0", value)).await.unwrap();
            let is_marked = answer.is_some_and(|answer| answer.contains("used before"));
            assert_eq!(is_marked, note, "{value}");
        }
        // Told again later, the clock of the device is far away: a remark, and still the same measurement.
        let later = Timestamp(NOW.0 + 3_600_000);
        site.clock.set(later, ClockQuality::Synchronised);
        let mut again = systolic("CABIN/SITE/C1/0", 138.0);
        again.taken.at = later;
        told(&mut service, again).await.unwrap();
        let kept = site.store.cabin().unassigned().await.unwrap();
        let kept: Vec<(Option<f64>, bool)> = kept
            .iter()
            .map(|v| (v.measurement.value(Quantity::Systolic), v.measurement.key_reused))
            .collect();
        assert_eq!(kept.len(), 2, "{kept:?}");
        assert!(kept.contains(&(Some(138.0), false)) && kept.contains(&(Some(201.0), true)), "{kept:?}");
    }

    #[tokio::test]
    async fn a_key_that_version_0_1_has_seen_loses_nothing() {
        let site = Site::open().await;
        let mut service = service(&site).await;
        let once = Some(fingerprint("monitor-1\nCABIN/SITE/C1/0"));
        site.store.cabin().keep(Entry { once, ..Entry::default() }).await.unwrap();
        told(&mut service, systolic("CABIN/SITE/C1/0", 150.0)).await.unwrap();
        let kept = site.store.cabin().unassigned().await.unwrap();
        assert!(kept.len() == 1 && kept[0].measurement.key_reused, "{kept:?}");
    }

    #[tokio::test]
    async fn a_store_that_is_full_refuses_with_words() {
        let site = Site::open_of(4 << 20).await;
        let mut service = service(&site).await;
        let mut answer = Ok(None);
        for number in 0.. {
            answer = told(&mut service, systolic(&format!("{number:0199}"), 138.0)).await;
            if answer.is_err() {
                break;
            }
        }
        let Err(NotTaken::NotStored(words)) = answer else { panic!("{answer:?}") };
        assert!(words.contains("measurement") && words.contains("max_bytes"), "{words}");
    }
}
