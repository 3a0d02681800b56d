//! Arrival of a measurement: it is bound to a visit, made durable and published.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use linli_domain::visit::{
    Arrival, Candidate, Context, Span, Status, Unassigned, Version, Visit, amend, amended, decide, named,
    payload,
};
use linli_domain::vital::{self, Implausible, Measurement, Patient, Reading};
use linli_domain::{Civil, Id, Layout, Timestamp};
use linli_drivers::{NotTaken, VitalMeasurement};
use linli_store::{Change, Entry};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::service::{CabinService, DAY_MS};
use linli_config::settings::cabin::CabinSettings;
use linli_domain::audit::hex;

// === impl CabinService ===

impl CabinService {
    pub(super) async fn receive(
        &mut self,
        VitalMeasurement { layout, measurements, reply }: VitalMeasurement,
    ) {
        let outcome = self.accept(&layout, measurements).await;
        // A sender that waits for the answer logs it, once for all that follow.
        if let (Err(reason), None) = (&outcome, &reply) {
            let reason = reason.advice();
            tracing::warn!(device = %layout.device, reason, "measurement not taken");
        }
        if let Some(reply) = reply {
            let _ = reply.send(outcome);
        }
    }

    /// Makes what was measured durable, all of it or nothing. `Ok` may have a remark for the sender, `Err` the
    /// reason of the refusal.
    async fn accept(
        &mut self,
        layout: &Arc<Layout>,
        measurements: Vec<Measurement>,
    ) -> Result<Option<String>, NotTaken> {
        let (mut checked, mut impossible) = (Vec::with_capacity(measurements.len()), Vec::new());
        for mut measurement in measurements {
            // What the device told: the check adds remarks that depend on when it comes.
            let identity = measurement.key.as_deref().map(|key| Identity::of(layout, key, &measurement));
            impossible.extend(vital::sift(&mut measurement));
            checked.push((identity, measurement));
        }
        self.note_impossible(layout, &impossible, &checked)?;
        let (now, settings) = (Instant::now(), self.settings());
        let (mut entry, mut kept, mut amended) = (Entry::default(), Vec::new(), Vec::new());
        for (identity, mut measurement) in checked {
            if let Some(identity) = identity {
                match self.seen(&identity).await? {
                    Seen::Never => {}
                    Seen::Same => {
                        self.deps.health.repeated.fetch_add(1, Ordering::Relaxed);
                        continue;
                    }
                    Seen::KeyOnly => {
                        tracing::warn!(device = %layout.device, "{REUSED}");
                        measurement.key_reused = true;
                    }
                }
                // A sender may put an identity into it: only the hash is stored.
                measurement.key = Some(identity.key.clone());
                entry.marks.extend([identity.content, identity.key]);
            }
            if let Some((version, pseudonym)) =
                self.amended_version(layout, &measurement, &amended, now, &settings).await?
            {
                entry.changes.push(Change::Version(Box::new(version.clone())));
                entry.records.push(payload::record(&version, pseudonym.as_deref(), &settings.limits));
                amended.push((version, pseudonym));
                measurement.readings.retain(|reading| !measurement.amends.contains(&reading.quantity));
                if measurement.readings.is_empty() && measurement.attachments.is_empty() {
                    continue;
                }
            }
            let documents = std::mem::take(&mut measurement.attachments);
            let (mut version, pseudonym) = self.first_version(layout, measurement, now, &settings).await?;
            let sealed = self.sealed_documents(&mut version, documents, pseudonym.as_deref(), &settings)?;
            entry.changes.extend(sealed);
            entry.changes.push(Change::Version(Box::new(version.clone())));
            entry.records.push(payload::record(&version, pseudonym.as_deref(), &settings.limits));
            kept.push((version, pseudonym));
        }
        if kept.is_empty() && amended.is_empty() {
            return Ok(None);
        }
        if let Err(error) = self.deps.store.cabin().keep(entry).await {
            self.deps.health.failed.fetch_add(1, Ordering::Relaxed);
            return Err(NotTaken::NotStored(format!("{error}; send it again later")));
        }
        for (version, pseudonym) in &amended {
            self.deps.health.accepted.fetch_add(1, Ordering::Relaxed);
            self.publish(version, pseudonym.as_deref(), &settings);
        }
        for (version, pseudonym) in &kept {
            self.kept(layout, version, pseudonym.as_deref(), now, &settings).await;
        }
        Ok(remark(kept.iter().map(|(version, _)| version), &impossible))
    }

    /// The first version of a measurement, bound to its visit, and the pseudonym of the resident.
    async fn first_version(
        &self,
        layout: &Layout,
        measurement: Measurement,
        now: Instant,
        settings: &CabinSettings,
    ) -> Result<(Version, Option<String>), NotTaken> {
        let bound = self.visit_of(layout, &measurement, now, settings).await;
        let context = self.context_of(bound.as_ref().ok(), &measurement, settings).await;
        let (visit, pseudonym) = bound.clone().map_or((None, None), |v| (Some(v.id), v.pseudonym));
        let version = Version {
            id: self.name("m").map_err(|error| NotTaken::NotStored(error.to_string()))?,
            version: 1,
            status: Status::Final,
            visit,
            unassigned: bound.err(),
            device: layout.device.clone(),
            room: layout.room.clone(),
            measurement,
            context,
            at: self.deps.clock.now().at,
            by: "device".to_owned(),
            why: None,
        };
        Ok((version, pseudonym))
    }

    /// Publishes a version that is durable now.
    async fn kept(
        &mut self,
        layout: &Arc<Layout>,
        version: &Version,
        pseudonym: Option<&str>,
        now: Instant,
        settings: &CabinSettings,
    ) {
        self.deps.health.accepted.fetch_add(1, Ordering::Relaxed);
        self.publish(version, pseudonym, settings);
        match &version.visit {
            Some(visit) => {
                self.rooms.touch(visit, now);
                let held = self.rooms.open(visit).cloned();
                self.critical.look(version, held.as_ref(), &settings.critical, now);
            }
            None => drop(self.deps.health.unassigned.fetch_add(1, Ordering::Relaxed)),
        }
        // The values of a stream are already live.
        if version.measurement.key.is_some() {
            let _ = self.deps.samples.send(payload::batch(layout, &version.measurement)).await;
        }
    }

    /// Whether this was received before.
    async fn seen(&self, identity: &Identity) -> Result<Seen, NotTaken> {
        let cabin = self.deps.store.cabin();
        let seen = async |key: &str| {
            cabin
                .has_seen(key)
                .await
                .map_err(|error| NotTaken::NotStored(format!("{error}; send it again later")))
        };
        Ok(if seen(&identity.content).await? {
            Seen::Same
        } else if seen(&identity.key).await? {
            Seen::KeyOnly
        } else {
            Seen::Never
        })
    }

    /// Finds the visit that a measurement belongs to.
    async fn visit_of(
        &self,
        layout: &Layout,
        measurement: &Measurement,
        now: Instant,
        settings: &CabinSettings,
    ) -> Result<Visit, Unassigned> {
        let (visits, spans) = self.rooms.spans(now);
        let mut candidates = Vec::with_capacity(visits.len());
        for (visit, span) in visits.iter().zip(spans) {
            let Patient { birth, sex, .. } = &measurement.patient;
            let is_described = measurement.patient.is_named() || birth.is_some() || sex.is_some();
            let is_meant = is_described && span.ended.is_none();
            candidates.push(self.candidate(visit, span, is_meant, settings).await);
        }
        decide(&arrival(layout, measurement, settings), &candidates).map(|position| visits[position].clone())
    }

    /// A visit, and what is known of its resident if that is asked for.
    async fn candidate<'v>(
        &self,
        visit: &'v Visit,
        span: Span,
        with_resident: bool,
        settings: &CabinSettings,
    ) -> Candidate<'v> {
        let resident = match with_resident {
            true => self.resident(visit, settings).await,
            false => None,
        };
        let born = resident.as_ref().and_then(super::Identity::born);
        let (name, numbers) = resident.map_or((None, [None, None]), |resident| {
            (Some(resident.name), [resident.id_number, resident.card])
        });
        let codes = [Some(visit.id.clone()), visit.code.clone()].into_iter().flatten().collect();
        let known_as = std::iter::once(visit.pseudonym.clone()).chain(numbers).flatten().collect();
        Candidate { room: &visit.room, span, codes, known_as, name, born }
    }

    /// The next version of the measurement that this one corrects or withdraws, and the pseudonym of the resident.
    /// `None` if it corrects nothing, or it is not clear what: then it is one of its own. `pending` are versions that
    /// are made durable with it.
    async fn amended_version(
        &self,
        layout: &Layout,
        report: &Measurement,
        pending: &[(Version, Option<String>)],
        now: Instant,
        settings: &CabinSettings,
    ) -> Result<Option<(Version, Option<String>)>, NotTaken> {
        if report.amends.is_empty() {
            return Ok(None);
        }
        let not_stored =
            |error: linli_store::ReadError| NotTaken::NotStored(format!("{error}; send it again later"));
        let cabin = self.deps.store.cabin();
        let visits = self.amendable(layout, report, now, settings).await.map_err(not_stored)?;
        let mut stored = Vec::new();
        for visit in &visits {
            stored.extend(cabin.measured_during(&visit.id).await.map_err(not_stored)?);
        }
        let newest = |mut stored: Vec<Version>| {
            stored.retain(|version| version.device == layout.device);
            for version in &mut stored {
                if let Some((newer, _)) = pending.iter().rev().find(|(newer, _)| newer.id == version.id) {
                    *version = newer.clone();
                }
            }
            stored
        };
        let mut stored = newest(stored);
        // What is nobody's yet has no resident to compare: what the device measured at exactly that time is meant.
        if report.taken.device.is_some() && amended(report, &stored).is_none() {
            let nobodys = newest(cabin.unassigned().await.map_err(not_stored)?);
            stored.extend(nobodys);
        }
        let Some(old) = amended(report, &stored) else { return Ok(None) };
        let mut version = amend(old, report);
        // A correction that does not fit what it leaves as it was takes away both.
        vital::sift(&mut version.measurement);
        version.version += 1;
        version.at = self.deps.clock.now().at;
        version.by = "device".to_owned();
        version.why = Some("OBX-11".to_owned());
        let visit = visits.into_iter().find(|visit| Some(&visit.id) == version.visit.as_ref());
        Ok(Some((version, visit.and_then(|visit| visit.pseudonym))))
    }

    /// The visits in which an earlier result may be that is corrected: the one to which a new result would belong,
    /// and those of the day of measuring, open or ended, of the resident whom the message names.
    async fn amendable(
        &self,
        layout: &Layout,
        report: &Measurement,
        now: Instant,
        settings: &CabinSettings,
    ) -> Result<Vec<Visit>, linli_store::ReadError> {
        let mut visits: Vec<Visit> = self.visit_of(layout, report, now, settings).await.into_iter().collect();
        let (Some(at), true) = (report.taken.device, report.patient.is_named()) else { return Ok(visits) };
        let from = Timestamp(at.0.saturating_sub(DAY_MS));
        let mut of_day = self.deps.store.cabin().visits(from, Timestamp(at.0.saturating_add(1000))).await?;
        of_day.retain(|visit| visit.progress.outreach.is_none());
        let mut candidates = Vec::with_capacity(of_day.len());
        for visit in &of_day {
            let span = Span { opened: Duration::ZERO, ended: None };
            let is_here = layout.room.as_ref() == Some(&visit.room);
            candidates.push(self.candidate(visit, span, is_here, settings).await);
        }
        for position in named(&arrival(layout, report, settings), &candidates) {
            if !visits.iter().any(|visit| visit.id == of_day[position].id) {
                visits.push(of_day[position].clone());
            }
        }
        Ok(visits)
    }

    /// Age and sex, on which reference ranges depend: of the visit's resident, else as the message says.
    async fn context_of(
        &self,
        visit: Option<&Visit>,
        measurement: &Measurement,
        settings: &CabinSettings,
    ) -> Context {
        let resident = match visit {
            Some(visit) => self.resident(visit, settings).await,
            None => None,
        };
        let Patient { birth, sex, .. } = measurement.patient;
        let (known, known_sex) = resident.map_or((None, None), |resident| resident.birth_and_sex());
        Context { sex: known_sex.or(sex), ..aged(known.or(birth), measurement) }
    }

    /// The context of a measurement that a person assigns to a visit, or takes from one.
    pub(super) async fn context_in(&self, visit: Option<&Visit>, of: &Version) -> Context {
        let settings = self.settings();
        let resident = match visit {
            Some(visit) => self.resident(visit, &settings).await.map(|resident| resident.birth_and_sex()),
            None => None,
        };
        let known = Context { age_months: None, sex: None, ..of.context };
        match resident.filter(|(birth, sex)| birth.is_some() || sex.is_some()) {
            Some((birth, sex)) => {
                let Context { age_months, .. } = aged(birth, &of.measurement);
                Context { age_months, sex, ..known }
            }
            // What the message said of nobody yet may be said of this resident, what was another's not.
            None if visit.is_some() && of.visit.is_none() => of.context,
            None => known,
        }
    }

    /// Counts and logs what no living person has; an error if nothing else is in the message.
    fn note_impossible(
        &mut self,
        layout: &Layout,
        impossible: &[Implausible],
        checked: &[(Option<Identity>, Measurement)],
    ) -> Result<(), NotTaken> {
        let Some(first) = impossible.first() else {
            self.said_impossible.remove(&layout.device);
            return Ok(());
        };
        self.deps.health.implausible.fetch_add(impossible.len() as u64, Ordering::Relaxed);
        let is_left = |(_, measurement): &(Option<Identity>, Measurement)| {
            let has_value = measurement.readings.iter().any(|reading| reading.value.is_ok());
            has_value || !measurement.attachments.is_empty()
        };
        if !checked.iter().any(is_left) {
            return Err(NotTaken::Wrong(first.to_string()));
        }
        if self.said_impossible.insert(layout.device.clone()) {
            tracing::warn!(
                device = %layout.device, why = %first.advice(),
                "a value is impossible and kept as none, those beside it are stored; further ones are counted"
            );
        }
        Ok(())
    }

    /// The identity of a visit's resident, if there is one and its key is known.
    pub(super) async fn resident(&self, visit: &Visit, settings: &CabinSettings) -> Option<super::Identity> {
        let (keys, pseudonym) = (settings.keys.as_ref()?, visit.pseudonym.as_deref()?);
        let resident = self.deps.store.cabin().resident(pseudonym).await.ok().flatten()?;
        self.deps.residents.unseal(keys, &resident).ok()
    }

    /// Publishes a version to the screens: everything to workers, to others without visit and pseudonym.
    pub(super) fn publish(&self, version: &Version, pseudonym: Option<&str>, settings: &CabinSettings) {
        let mut public = payload::public(version, &settings.limits);
        let open = Value::Object(public.clone());
        public.insert("visit".to_owned(), json!(version.visit));
        public.insert("pseudonym".to_owned(), json!(pseudonym));
        self.deps.events.publish_partly("measurement", &open, &Value::Object(public));
    }
}

/// The age at a measurement of somebody born on that day.
fn aged(birth: Option<(i64, u8, u8)>, measurement: &Measurement) -> Context {
    let age_months = birth.and_then(|birth| vital::months_between(birth, Civil::of(measurement.when())));
    Context { age_months, ..Context::default() }
}

/// A measurement as the table of belonging takes it.
fn arrival<'m>(layout: &'m Layout, measurement: &'m Measurement, settings: &CabinSettings) -> Arrival<'m> {
    let forms = |id: &String| {
        let hashed = settings.keys.as_ref().map(|keys| super::identity::pseudonyms_of_number(keys, id));
        std::iter::once(id.clone()).chain(hashed.into_iter().flatten()).collect()
    };
    let identities = measurement.patient.ids.iter().map(forms).collect();
    let room = layout.room.as_ref();
    let is_room = |place: &String, id: &Id| place.eq_ignore_ascii_case(id.as_str());
    let places = &measurement.patient.places;
    let is_here = places.iter().any(|place| room.is_some_and(|room| is_room(place, room)));
    let is_elsewhere =
        !is_here && places.iter().any(|place| settings.rooms.iter().any(|room| is_room(place, room)));
    Arrival { measurement, room, is_elsewhere, identities }
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
        // Up to 0.1 one identifier was known; a message that came then and is sent again is found.
        let patient = match (patient.ids.as_slice(), patient.names.as_slice()) {
            ([], []) => Value::Null,
            ([id], []) => json!(id),
            (ids, names) => json!([ids, names]),
        };
        // The site was not read then.
        let readings: Vec<Reading> = readings.iter().map(|r| Reading { site: None, ..r.clone() }).collect();
        // A message that says no time of measuring: sent again it is the same, made anew it is another reading.
        let content = match (taken.device, measurement.sent) {
            (None, Some(sent)) => json!([readings, null, user, patient, sent]),
            (device, _) => json!([readings, device, user, patient]),
        };
        let mut content = content.to_string();
        for document in &measurement.attachments {
            content += &format!("\n{}", hex(digest(&SHA256, &document.data).as_ref()));
        }
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

/// Whether a measurement was received before.
enum Seen {
    /// Neither its key nor it.
    Never,
    /// Its key, with other content.
    KeyOnly,
    /// It: key, content and patient are the same.
    Same,
}

/// What is said to the sender of measurements that were stored; `None` if there is nothing to say.
fn remark<'v>(stored: impl Iterator<Item = &'v Version>, impossible: &[Implausible]) -> Option<String> {
    let mut parts: Vec<String> =
        impossible.iter().map(|why| format!("{why}; no value is kept of it")).collect();
    for version in stored {
        let reused = version.measurement.key_reused.then(|| REUSED.to_owned());
        let nobodys = version.unassigned.map(|why| format!("it belongs to no visit yet: {}", why.english()));
        for part in reused.into_iter().chain(nobodys) {
            if !parts.contains(&part) {
                parts.push(part);
            }
        }
    }
    (!parts.is_empty()).then(|| format!("stored; {}", parts.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::super::service::{Deps, Health};
    use super::*;
    use crate::golden_site::{NOW, Site};
    use linli_domain::vital::{Limits, Patient, Quantity, Taken};
    use linli_domain::{ClockQuality, DeviceClass, Id, Timestamp};
    use std::time::Duration;
    use tokio::sync::{mpsc, oneshot, watch};

    async fn service(site: &Site) -> CabinService {
        let deps = Deps {
            store: site.store.clone(),
            samples: mpsc::channel(64).0,
            live: Arc::default(),
            events: linli_services::events::Events::default(),
            clock: site.clock.clone(),
            health: Arc::new(Health::default()),
            residents: site.residents(),
        };
        let settings = CabinSettings {
            keys: None,
            visit_timeout: Duration::from_secs(3600),
            retention: Duration::from_secs(7 * 86_400),
            limits: Limits { hypertension: (140.0, 90.0), fever: 37.3, altitude: 0, source: None },
            rooms: Vec::new(),
            ..CabinSettings::default()
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
            sent: None,
            amends: Vec::new(),
            attachments: Vec::new(),
            attached: Vec::new(),
            user: None,
            patient: Patient::default(),
        }
    }

    async fn told(service: &mut CabinService, measurement: Measurement) -> Result<Option<String>, NotTaken> {
        let (reply, answer) = oneshot::channel();
        service
            .receive(VitalMeasurement {
                layout: layout(),
                measurements: vec![measurement],
                reply: Some(reply),
            })
            .await;
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
