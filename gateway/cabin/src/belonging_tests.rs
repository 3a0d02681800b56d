//! To whom measurements belong: two cabins, residents with numbers, messages that name them rightly or wrongly.

use std::sync::Arc;
use std::time::Duration;

use linli_config::settings::cabin::CabinSettings;
use linli_config::settings::key::{Key, Keys};
use linli_domain::rollup::{Gatherer, Minute, Rollup};
use linli_domain::visit::{Ending, OpenedBy, Status, Unassigned, Version, Visit};
use linli_domain::vital::{
    Caveat, Comparator, Limits, Measurement, NoReading, Patient, Quantity, Reading, Sex, Taken,
};
use linli_domain::{
    Batch, ClockQuality, DeviceClass, Id, Layout, PointSpec, Quality, Sample, Timestamp, Value, ValueType,
};
use linli_drivers::{NotTaken, VitalMeasurement};
use tokio::sync::{mpsc, oneshot, watch};

use super::Identity;
use super::request::{Action, NewVisit, Outcome};
use super::service::{CabinService, Deps, Health};
use crate::golden_site::{NOW, Site};
use linli_services::ServiceError;
use linli_services::live::{ConfiguredDevice, Erased};

const NUMBER: &str = "11010519491231002X";
const OTHER: &str = "110105194912310046";

/// A centre with the cabins `cabin-1` and `cabin-2`.
struct Centre {
    site: Site,
    service: CabinService,
}

fn room(number: u8) -> Id {
    Id::new(&format!("cabin-{number}")).unwrap()
}

fn resident(number: &str, name: &str) -> Identity {
    Identity {
        name: name.to_owned(),
        id_number: Some(number.to_owned()),
        card: Some("C77".to_owned()),
        phone: None,
        ..Identity::default()
    }
}

/// A pulse rate that the monitor of a cabin sends.
fn pulse(key: &str, value: f64, patient: Patient) -> Measurement {
    Measurement {
        taken: Taken { at: NOW, clock: ClockQuality::Synchronised, device: None },
        readings: vec![Reading::of(Quantity::PulseRate, value)],
        key: Some(key.to_owned()),
        key_reused: false,
        sent: None,
        amends: Vec::new(),
        attachments: Vec::new(),
        attached: Vec::new(),
        user: None,
        patient,
    }
}

// === impl Centre ===

impl Centre {
    async fn build() -> Self {
        let site = Site::open().await;
        let key = |byte: &str| Key::parse(&byte.repeat(32)).unwrap();
        let settings = CabinSettings {
            keys: Some(Keys { identity: key("02"), previous: Vec::new(), pseudonym: key("09") }),
            visit_timeout: Duration::from_secs(3600),
            retention: Duration::from_secs(7 * 86_400),
            limits: Limits { hypertension: (140.0, 90.0), fever: 37.3, altitude: 0, source: None },
            rooms: vec![room(1), room(2)],
            ..CabinSettings::default()
        };
        let deps = Deps {
            store: site.store.clone(),
            samples: mpsc::channel(64).0,
            live: Arc::default(),
            events: linli_services::events::Events::default(),
            clock: site.clock.clone(),
            health: Arc::new(Health::default()),
            residents: site.residents(),
        };
        let settings = watch::Sender::new(Arc::new(settings)).subscribe();
        let service = CabinService::resume(deps, settings).await.unwrap();
        Self { site, service }
    }

    async fn open(&mut self, number: u8, code: &str, who: Option<Identity>) -> Result<Visit, ServiceError> {
        let new = NewVisit {
            room: Some(room(number)),
            by: OpenedBy::Worker,
            identity: who,
            code: Some(code.to_owned()),
            consent: Some("2026-1".to_owned()),
            resident: None,
        };
        match self.service.open("lin", new).await? {
            Outcome::Visit(visit) => Ok(*visit),
            other => panic!("{other:?}"),
        }
    }

    /// Sends measurements in one message from the monitor of a cabin.
    async fn send(&mut self, number: u8, measurements: Vec<Measurement>) -> Result<Option<String>, NotTaken> {
        let layout = Arc::new(Layout {
            device: Id::new(&format!("monitor-{number}")).unwrap(),
            name: "监护仪".to_owned(),
            room: Some(room(number)),
            class: DeviceClass::Vital,
            profile: "hl7/oru-r01".to_owned(),
            points: Vec::new(),
        });
        let (reply, answer) = oneshot::channel();
        self.service.receive(VitalMeasurement { layout, measurements, reply: Some(reply) }).await;
        answer.await.unwrap()
    }

    /// Why the pulse of a message that names these is nobody's; `None` if it belongs to the visit.
    async fn named(&mut self, number: u8, key: &str, ids: &[&str], names: &[&str]) -> Option<Unassigned> {
        let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let patient = Patient { ids: own(ids), names: own(names), ..Patient::default() };
        let before = self.nobodys().await.len();
        self.send(number, vec![pulse(key, 70.0, patient)]).await.unwrap();
        let nobodys = self.nobodys().await;
        nobodys.into_iter().skip(before).find_map(|version| version.unassigned)
    }

    async fn nobodys(&self) -> Vec<Version> {
        self.site.store.cabin().unassigned().await.unwrap()
    }

    async fn pulses(&self, visit: &Visit) -> Vec<f64> {
        let during = self.site.store.cabin().measured_during(&visit.id).await.unwrap();
        during.iter().filter_map(|version| version.measurement.value(Quantity::PulseRate)).collect()
    }
}

#[tokio::test]
async fn every_identity_of_the_message_must_be_the_residents() {
    let mut centre = Centre::build().await;
    let visit = centre.open(1, "17", Some(resident(NUMBER, "欧阳若水"))).await.unwrap();
    let pseudonym = visit.pseudonym.clone().unwrap();
    let own = ["17", &visit.id, NUMBER, "11010519491231002x", "c77", &pseudonym];
    for (nth, id) in own.iter().enumerate() {
        assert_eq!(centre.named(1, &format!("own-{nth}"), &[id], &[]).await, None, "{id}");
    }
    assert_eq!(centre.named(1, "all", &own, &["欧阳若水"]).await, None);
    for (nth, id) in [OTHER, "18", "C78", "v-0000000000000000"].iter().enumerate() {
        let alone = centre.named(1, &format!("alone-{nth}"), &[id], &[]).await;
        assert_eq!(alone, Some(Unassigned::OtherPatient), "{id}");
        let beside = centre.named(1, &format!("beside-{nth}"), &["17", id], &[]).await;
        assert_eq!(beside, Some(Unassigned::OtherPatient), "{id} beside the right one");
    }
    assert_eq!(centre.named(1, "name", &["17"], &["李四"]).await, Some(Unassigned::OtherPatient));
    assert_eq!(centre.pulses(&visit).await.len(), own.len() + 1);
}

#[tokio::test]
async fn a_message_that_names_two_residents_is_nobodys() {
    let mut centre = Centre::build().await;
    centre.open(1, "17", None).await.unwrap();
    centre.open(2, "18", None).await.unwrap();
    assert_eq!(centre.named(1, "a", &["17", "18"], &[]).await, Some(Unassigned::SeveralPatients));
    assert_eq!(centre.named(2, "b", &["18", "17"], &[]).await, Some(Unassigned::SeveralPatients));
}

#[tokio::test]
async fn a_device_measures_nobody_in_another_cabin() {
    let mut centre = Centre::build().await;
    let first = centre.open(1, "17", None).await.unwrap();
    assert_eq!(centre.named(2, "a", &["17"], &[]).await, Some(Unassigned::OtherRoom));
    assert!(centre.pulses(&first).await.is_empty());
}

#[tokio::test]
async fn a_code_is_given_to_one_visit_of_the_centre() {
    let mut centre = Centre::build().await;
    let first = centre.open(1, "a17", None).await.unwrap();
    for (number, code) in [(2, "a17"), (1, "a17"), (2, "A17")] {
        let ServiceError::Conflict(words) = centre.open(number, code, None).await.unwrap_err() else {
            panic!()
        };
        assert!(words.contains(&first.id) && words.contains("请换"), "{words}");
    }
    centre.service.end("lin", &first.id, Ending::Completed).await.unwrap();
    assert!(centre.open(2, "a17", None).await.is_err(), "a message may still come out of a memory");
    let known = Some(resident(NUMBER, "欧阳若水"));
    assert!(centre.open(2, "a17", known.clone()).await.is_err());
    let second = centre.open(2, "19", known.clone()).await.unwrap();
    centre.service.end("lin", &second.id, Ending::Completed).await.unwrap();
    centre.open(1, "19", known).await.unwrap();
    let visits = vec![first];
    centre.service.erase("lin", visits, None, "asked").await.unwrap();
    centre.open(2, "a17", None).await.unwrap();
}

#[tokio::test]
async fn what_was_measured_before_the_visit_is_nobodys_though_it_names_the_resident() {
    let mut centre = Centre::build().await;
    let visit = centre.open(1, "17", None).await.unwrap();
    for (key, ago) in [("a", 2_000), ("b", 240_000), ("c", 86_400_000)] {
        let mut old = pulse(key, 70.0, Patient::of_id("17"));
        old.taken.device = Some(Timestamp(NOW.0 - ago));
        let said = centre.send(1, vec![old]).await.unwrap().unwrap();
        assert!(said.contains("belongs to no visit"), "{said}");
    }
    assert!(centre.pulses(&visit).await.is_empty());
}

#[tokio::test]
async fn the_same_id_and_values_of_two_people_are_two_measurements() {
    let mut centre = Centre::build().await;
    let visit = centre.open(1, "17", None).await.unwrap();
    for (ids, names) in
        [(&["17"][..], &[][..]), (&["99"], &[]), (&["17"], &["李四"]), (&[], &["李四"]), (&["17"], &[])]
    {
        centre.named(1, "same", ids, names).await;
    }
    assert_eq!(centre.pulses(&visit).await.len(), 2, "17 and 17 with a name that nobody can compare");
    assert_eq!(centre.nobodys().await.len(), 2, "99, and a name alone");
}

#[tokio::test]
async fn a_message_is_stored_as_a_whole_or_not_at_all() {
    let mut centre = Centre::build().await;
    let visit = centre.open(1, "17", None).await.unwrap();
    let patient = || Patient::of_id("17");
    let message = |last| {
        vec![pulse("m/0", 70.0, patient()), pulse("m/1", 71.0, patient()), pulse("m/2", last, patient())]
    };
    centre.send(1, message(72.0)).await.unwrap();
    centre.send(1, message(72.0)).await.unwrap();
    assert_eq!(centre.pulses(&visit).await.len(), 3, "once");
    centre.send(1, message(73.0)).await.unwrap();
    assert_eq!(centre.pulses(&visit).await.len(), 4, "only what is new");
}

#[tokio::test]
async fn an_impossible_value_costs_none_beside_it_and_is_not_sent_for_ever() {
    let mut centre = Centre::build().await;
    let visit = centre.open(1, "17", None).await.unwrap();
    let patient = || Patient::of_id("17");
    let several = |last| {
        vec![pulse("m/0", 70.0, patient()), pulse("m/1", 71.0, patient()), pulse("m/2", last, patient())]
    };
    let said = centre.send(1, several(450.0)).await.unwrap().unwrap();
    assert!(said.starts_with("stored") && said.contains("450") && said.contains("no value"), "{said}");
    assert_eq!(centre.pulses(&visit).await, [70.0, 71.0]);
    let stored = centre.site.store.cabin().measured_during(&visit.id).await.unwrap();
    let kept: Vec<_> = stored.iter().map(|version| version.measurement.readings[0].value).collect();
    assert_eq!(kept, [Ok(70.0), Ok(71.0), Err(NoReading::Error)], "the message is stored as a whole");
    assert_eq!(centre.send(1, several(450.0)).await.unwrap(), None, "sent again it is the same");
    let counted = centre.service.deps.health.implausible.load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!(counted, 2);
    // Nothing else in it: sending it again is of no use, and nothing is stored.
    let alone = centre.send(1, vec![pulse("n/0", 450.0, patient())]).await;
    assert!(matches!(&alone, Err(NotTaken::Wrong(why)) if why.contains("450")), "{alone:?}");
    assert_eq!(centre.pulses(&visit).await.len(), 2);
}

#[tokio::test]
async fn a_stamp_that_cannot_be_is_in_no_visit_and_a_reading_made_anew_is_not_a_repetition() {
    let mut centre = Centre::build().await;
    let visit = centre.open(1, "17", None).await.unwrap();
    for (nth, device) in
        [0, NOW.0 + 40 * 3_600_000, NOW.0 + 3_600_000, NOW.0 - 3_600_000].into_iter().enumerate()
    {
        let mut stamped = pulse(&format!("t/{nth}"), 70.0, Patient::of_id("17"));
        stamped.taken.device = Some(Timestamp(device));
        let said = centre.send(1, vec![stamped]).await.unwrap().unwrap();
        assert!(said.contains("belongs to no visit"), "{device}: {said}");
    }
    let nobodys = centre.nobodys().await;
    assert_eq!(nobodys.len(), 4, "none is lost");
    assert!(nobodys.iter().all(|version| version.unassigned == Some(Unassigned::TimeUnclear)));
    assert!(nobodys.iter().all(|version| version.measurement.when() == NOW), "the time of arrival is shown");
    // The same id and value: a message made anew, and the same one again.
    for sent in [NOW.0, NOW.0 + 60_000, NOW.0] {
        let mut again = pulse("1", 70.0, Patient::of_id("17"));
        again.sent = Some(Timestamp(sent));
        centre.send(1, vec![again]).await.unwrap();
    }
    assert_eq!(centre.pulses(&visit).await.len(), 2);
}

#[tokio::test]
async fn ranges_are_those_of_the_residents_age_and_sex() {
    let mut centre = Centre::build().await;
    let visit = centre.open(1, "17", Some(resident(NUMBER, "欧阳若水"))).await.unwrap();
    let mut named = pulse("a", 70.0, Patient::of_id("17"));
    (named.patient.birth, named.patient.sex) = (Some((1900, 1, 1)), Some(Sex::Male));
    centre.send(1, vec![named]).await.unwrap();
    let stored = centre.site.store.cabin().measured_during(&visit.id).await.unwrap();
    let own = (stored[0].context.age_months, stored[0].context.sex);
    assert_eq!(own, (Some(76 * 12 + 10), Some(Sex::Female)), "of the identity card, not of the message");
    let mut child = pulse("b", 110.0, Patient::of_id("99"));
    (child.patient.birth, child.patient.sex) = (Some((2021, 5, 1)), Some(Sex::Male));
    centre.send(1, vec![child]).await.unwrap();
    let waiting = centre.nobodys().await.remove(0);
    assert_eq!((waiting.context.age_months, waiting.context.sex), (Some(5 * 12 + 6), Some(Sex::Male)));
    let shown = linli_domain::visit::payload::public(&waiting, &Limits::default());
    assert_eq!(shown["assessment"][0]["flag"], "normal", "of an adult it would be fast");
    assert!(shown.get("news2").is_none() && shown.get("age_months").is_none(), "{shown:?}");
    let assign = Action::Assign {
        measurement: waiting.id.clone(),
        visit: Some(visit.id.clone()),
        why: "hers".to_owned(),
    };
    centre.service.carry_out("lin", assign).await.unwrap();
    let assigned = centre.site.store.cabin().versions(&waiting.id).await.unwrap().pop().unwrap();
    assert_eq!(assigned.context.age_months, Some(76 * 12 + 10));
    let take = Action::Assign { measurement: waiting.id.clone(), visit: None, why: "not hers".to_owned() };
    centre.service.carry_out("lin", take).await.unwrap();
    let taken = centre.site.store.cabin().versions(&waiting.id).await.unwrap().pop().unwrap();
    assert_eq!((taken.context.age_months, taken.context.sex), (None, None));
}

#[tokio::test]
async fn what_may_be_of_several_people_waits_for_a_person() {
    let mut centre = Centre::build().await;
    centre.open(1, "17", None).await.unwrap();
    let unclear = Patient { is_unclear: true, ..Patient::of_id("17") };
    let both = vec![pulse("u/0", 70.0, unclear.clone()), pulse("u/1", 71.0, unclear)];
    centre.send(1, both).await.unwrap();
    let waiting = centre.nobodys().await;
    assert_eq!(waiting.len(), 2);
    assert!(waiting.iter().all(|version| version.unassigned == Some(Unassigned::PatientUnclear)));
}

#[tokio::test]
async fn what_has_one_time_stays_in_the_order_of_its_arrival() {
    let mut centre = Centre::build().await;
    let visit = centre.open(1, "17", None).await.unwrap();
    let all: Vec<f64> = (0..40).map(|nth| 60.0 + f64::from(nth)).collect();
    for (nth, some) in all.chunks(4).enumerate() {
        let each =
            some.iter().enumerate().map(|(at, v)| pulse(&format!("{nth}/{at}"), *v, Patient::of_id("17")));
        centre.send(1, each.collect()).await.unwrap();
    }
    assert_eq!(centre.pulses(&visit).await, all);
    let mut opened = vec![visit.id];
    for nth in 0..20 {
        opened.push(centre.open(2, &format!("x{nth}"), None).await.unwrap().id);
    }
    let listed = centre.site.store.cabin().visits(Timestamp(0), Timestamp(i64::MAX)).await.unwrap();
    assert_eq!(listed.into_iter().map(|visit| visit.id).collect::<Vec<_>>(), opened);
}

#[tokio::test]
async fn what_is_erased_is_gone_from_live_values_and_trends() {
    let mut centre = Centre::build().await;
    let layout = Arc::new(Layout {
        device: Id::new("monitor-1").unwrap(),
        name: "监护仪".to_owned(),
        room: Some(room(1)),
        class: DeviceClass::Vital,
        profile: "hl7/oru-r01".to_owned(),
        points: vec![PointSpec {
            name: Id::new("pulse_rate").unwrap(),
            unit: "/min".to_owned(),
            kind: ValueType::Float,
            writable: false,
        }],
    });
    let live = Arc::clone(&centre.service.deps.live);
    let (line, stale_after) = (Id::new("lab").unwrap(), Duration::from_secs(3600));
    live.configure(vec![ConfiguredDevice { layout: Arc::clone(&layout), line, stale_after }]);
    let shown = |at| {
        let value = Value::float(71.0);
        let sample =
            Sample { point: 0, at, clock: ClockQuality::Synchronised, quality: Quality::Good, value };
        live.update(
            &Batch { layout: Arc::clone(&layout), samples: vec![sample] },
            tokio::time::Instant::now(),
        );
    };
    let visit = centre.open(1, "17", None).await.unwrap();
    let minute = |at: Timestamp| Minute {
        layout: Arc::clone(&layout),
        minute: at.minute(),
        points: vec![Some(Rollup::of(71.0))],
    };
    let other = Timestamp(NOW.0 - 600_000);
    centre.site.store.history().add(vec![minute(NOW), minute(other)]).await;
    shown(NOW);
    centre.service.erase("lin", vec![visit], None, "asked").await.unwrap();
    let view = live.device("monitor-1", tokio::time::Instant::now()).unwrap();
    assert_eq!(view.points[0].value, None);
    let device = Id::new("monitor-1").unwrap();
    let point = Id::new("pulse_rate").unwrap();
    let trend =
        centre.site.store.history().read(&device, &point, Timestamp(0), Timestamp(i64::MAX)).await.unwrap();
    assert_eq!(trend.len(), 1, "what is not of the visit stays");
    // What was gathered and is not stored yet comes into no trend.
    let erased = live.take_erased();
    let mut gatherer = Gatherer::default();
    let value = Value::float(71.0);
    let sample =
        Sample { point: 0, at: NOW, clock: ClockQuality::Synchronised, quality: Quality::Good, value };
    gatherer.add(&Batch { layout: Arc::clone(&layout), samples: vec![sample] });
    for Erased { device, from, to } in erased {
        gatherer.forget(&device, from, to);
    }
    assert!(gatherer.take().is_empty());
}

#[tokio::test]
async fn an_identity_in_a_message_id_is_not_stored_in_clear() {
    let mut centre = Centre::build().await;
    centre.open(1, "17", None).await.unwrap();
    for patient in [Patient::of_id("17"), Patient::of_id(NUMBER)] {
        centre.send(1, vec![pulse(&format!("LAB/{NUMBER}/MSG-{NUMBER}-1/0"), 70.0, patient)]).await.unwrap();
    }
    let stored = centre.site.store.cabin().measured(Timestamp(0), Timestamp(i64::MAX)).await.unwrap();
    assert_eq!(stored.len(), 2);
    let dump = serde_json::to_string(&stored).unwrap() + &centre.site.dump().await;
    assert!(!dump.contains(NUMBER), "{dump}");
}

#[tokio::test]
async fn a_test_is_given_to_nobody_not_even_by_a_person() {
    let mut centre = Centre::build().await;
    let visit = centre.open(1, "17", None).await.unwrap();
    let mut test = pulse("t", 201.0, Patient::of_id("17"));
    test.readings[0].doubt(Caveat::ControlSolution);
    centre.send(1, vec![test]).await.unwrap();
    let waiting = centre.nobodys().await;
    assert_eq!(waiting[0].unassigned, Some(Unassigned::Test));
    let shown = linli_domain::visit::payload::public(&waiting[0], &Limits::default());
    assert_eq!(shown["assessment"], serde_json::json!([]), "no person has this value");
    assert_eq!(shown["news2"], serde_json::json!({"known": 0, "any_three": false}));
    let assign =
        Action::Assign { measurement: waiting[0].id.clone(), visit: Some(visit.id), why: "his".to_owned() };
    let Err(ServiceError::Conflict(words)) = centre.service.carry_out("lin", assign).await else { panic!() };
    assert!(words.contains("control solution") && words.contains("质控"), "{words}");
}

#[tokio::test]
async fn a_value_that_is_not_exact_is_never_shown_as_good() {
    let layout = Arc::new(Layout {
        device: Id::new("monitor-1").unwrap(),
        name: "监护仪".to_owned(),
        room: None,
        class: DeviceClass::Vital,
        profile: "hl7/oru-r01".to_owned(),
        points: vec![PointSpec {
            name: Id::new("pulse_rate").unwrap(),
            unit: "/min".to_owned(),
            kind: ValueType::Float,
            writable: false,
        }],
    });
    let quality = |change: fn(&mut Reading)| {
        let mut measurement = pulse("q", 70.0, Patient::default());
        change(&mut measurement.readings[0]);
        linli_domain::visit::payload::batch(&layout, &measurement).samples[0].quality
    };
    assert!(quality(|_| {}).is_good());
    assert!(!quality(|reading| reading.comparator = Some(Comparator::Above)).is_good());
    assert!(!quality(|reading| reading.upper = Some(72.0)).is_good());
    assert!(!quality(|reading| reading.doubt(Caveat::BodyMovement)).is_good());
}

#[tokio::test]
async fn what_was_withdrawn_is_not_assigned() {
    let mut centre = Centre::build().await;
    let visit = centre.open(1, "17", None).await.unwrap();
    centre.named(1, "w", &["99"], &[]).await;
    let measurement = centre.nobodys().await.remove(0).id;
    let withdraw = Action::Withdraw { measurement: measurement.clone(), why: "cuff".to_owned() };
    centre.service.carry_out("lin", withdraw).await.unwrap();
    let assign = Action::Assign { measurement, visit: Some(visit.id.clone()), why: "his".to_owned() };
    let Err(ServiceError::Conflict(words)) = centre.service.carry_out("lin", assign).await else { panic!() };
    assert!(words.contains("withdrawn") && words.contains("作废"), "{words}");
    assert!(centre.pulses(&visit).await.is_empty());
}

/// A pressure of a resident, measured by the device's clock so long ago; the status of its results as in OBX-11.
fn cuff(key: &str, values: [Option<f64>; 2], ago: i64, amends: bool, patient: Patient) -> Measurement {
    let of = |quantity, value: Option<f64>| match value {
        Some(value) => Reading::of(quantity, value),
        None => Reading::none(quantity, NoReading::NotPerformed),
    };
    let quantities = [Quantity::Systolic, Quantity::Diastolic];
    let mut measurement = pulse(key, 70.0, patient);
    measurement.readings = quantities.into_iter().zip(values).map(|(q, value)| of(q, value)).collect();
    measurement.taken.device = Some(Timestamp(NOW.0 - ago));
    measurement.amends = if amends { quantities.to_vec() } else { Vec::new() };
    measurement
}

#[tokio::test]
async fn a_correction_by_the_device_replaces_what_it_corrects_and_keeps_it() {
    let mut centre = Centre::build().await;
    let visit = centre.open(1, "17", Some(resident(NUMBER, "欧阳若水"))).await.unwrap();
    let (first, right) = ([Some(210.0), Some(95.0)], [Some(120.0), Some(80.0)]);
    let own = || Patient::of_id("17");
    centre.send(1, vec![cuff("a", first, 0, false, own())]).await.unwrap();
    // Of somebody else, of another time, of another quantity: nothing of it is corrected.
    for (key, ago, patient) in [("x", 0, Patient::of_id("99")), ("y", 100_000, own())] {
        centre.send(1, vec![cuff(key, right, ago, true, patient)]).await.unwrap();
    }
    let latest = |centre: &Centre| {
        let (cabin, id) = (centre.site.store.cabin(), visit.id.clone());
        async move { cabin.measured_during(&id).await.unwrap() }
    };
    let before = latest(&centre).await;
    assert_eq!((before.len(), before[0].measurement.value(Quantity::Systolic)), (1, Some(210.0)));
    // The visit has ended meanwhile; the message names its resident.
    centre.service.end("lin", &visit.id, Ending::Completed).await.unwrap();
    for _ in 0..2 {
        centre.send(1, vec![cuff("b", right, 0, true, Patient::of_id(NUMBER))]).await.unwrap();
    }
    let after = latest(&centre).await;
    assert_eq!(after.len(), 1);
    assert_eq!(
        (after[0].measurement.value(Quantity::Systolic), after[0].status, after[0].version, &*after[0].by),
        (Some(120.0), Status::Corrected, 2, "device")
    );
    let history = centre.site.store.cabin().versions(&after[0].id).await.unwrap();
    assert_eq!(history[0].measurement.value(Quantity::Systolic), Some(210.0), "kept");
    centre.send(1, vec![cuff("c", [None, None], 0, true, own())]).await.unwrap();
    let withdrawn = latest(&centre).await;
    assert_eq!((withdrawn.len(), withdrawn[0].status, withdrawn[0].version), (1, Status::EnteredInError, 3));
}

#[tokio::test]
async fn a_correction_that_may_mean_two_results_changes_neither() {
    let mut centre = Centre::build().await;
    let visit = centre.open(1, "17", None).await.unwrap();
    let own = || Patient::of_id("17");
    let (one, other) = ([Some(150.0), Some(95.0)], [Some(140.0), Some(88.0)]);
    centre
        .send(1, vec![cuff("a/0", one, 0, false, own()), cuff("a/1", other, 0, false, own())])
        .await
        .unwrap();
    centre.send(1, vec![cuff("b", [Some(130.0), Some(80.0)], 0, true, own())]).await.unwrap();
    let stored = centre.site.store.cabin().measured_during(&visit.id).await.unwrap();
    let values: Vec<_> = stored.iter().filter_map(|v| v.measurement.value(Quantity::Systolic)).collect();
    assert_eq!(values, [150.0, 140.0, 130.0]);
    assert!(stored.iter().all(|version| version.version == 1));
    // In one message each time is its own: two corrections of one result follow each other.
    let part = |key: &str, keep: usize, value: f64| {
        let mut measurement = cuff(key, [Some(value), Some(value)], 1000, true, own());
        measurement.readings = vec![measurement.readings[keep].clone()];
        measurement.amends = vec![measurement.readings[0].quantity];
        measurement
    };
    centre.send(1, vec![cuff("d", one, 1000, false, own())]).await.unwrap();
    let both = vec![part("e/0", 0, 133.0), part("e/1", 1, 77.0)];
    centre.send(1, both).await.unwrap();
    let stored = centre.site.store.cabin().measured_during(&visit.id).await.unwrap();
    let corrected = stored.iter().find(|version| version.version == 3).unwrap();
    let pair = [Quantity::Systolic, Quantity::Diastolic].map(|q| corrected.measurement.value(q));
    assert_eq!(pair, [Some(133.0), Some(77.0)]);
}

#[tokio::test]
async fn a_result_that_is_nobodys_yet_is_corrected_and_withdrawn() {
    let mut centre = Centre::build().await;
    let (first, right) = ([Some(210.0), Some(95.0)], [Some(120.0), Some(80.0)]);
    let stranger = || Patient::of_id("99");
    centre.send(1, vec![cuff("a", first, 0, false, stranger())]).await.unwrap();
    centre.send(2, vec![cuff("a", first, 0, false, stranger())]).await.unwrap();
    centre.send(1, vec![cuff("b", right, 0, true, stranger())]).await.unwrap();
    let of_first = |all: Vec<Version>| -> Vec<(Option<f64>, Status, u32)> {
        let own = all.into_iter().filter(|version| version.device.as_str() == "monitor-1");
        own.map(|v| (v.measurement.value(Quantity::Systolic), v.status, v.version)).collect()
    };
    assert_eq!(of_first(centre.nobodys().await), [(Some(120.0), Status::Corrected, 2)]);
    centre.send(1, vec![cuff("c", [None, None], 0, true, stranger())]).await.unwrap();
    assert_eq!(of_first(centre.nobodys().await), [(Some(120.0), Status::EnteredInError, 3)]);
    let other: Vec<Version> = centre.nobodys().await;
    let other = other.iter().find(|version| version.device.as_str() == "monitor-2").unwrap();
    assert_eq!((other.version, other.measurement.value(Quantity::Systolic)), (1, Some(210.0)));
}

#[tokio::test]
async fn a_place_or_a_birthday_without_a_number_of_somebody_else_makes_it_nobodys() {
    let mut centre = Centre::build().await;
    let visit = centre.open(1, "17", Some(resident(NUMBER, "欧阳若水"))).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1)).await;
    let own = || Patient::of_id("17");
    let placed = |place: &str| Patient { places: vec![place.to_owned()], ..own() };
    let born = |birth| Patient { birth: Some(birth), ..own() };
    let unnamed = Patient { birth: Some((1981, 11, 30)), ..Patient::default() };
    let wrong = [(placed("cabin-2"), Unassigned::OtherRoom), (unnamed, Unassigned::OtherPatient)];
    for (nth, (patient, why)) in wrong.into_iter().enumerate() {
        centre.send(1, vec![pulse(&format!("w{nth}"), 70.0, patient)]).await.unwrap();
        assert_eq!(centre.nobodys().await.last().unwrap().unassigned, Some(why));
    }
    for (nth, patient) in [placed("Cabin-1"), placed("ward 3"), born((1981, 11, 30))].into_iter().enumerate()
    {
        centre.send(1, vec![pulse(&format!("r{nth}"), 71.0, patient)]).await.unwrap();
    }
    assert_eq!(centre.pulses(&visit).await, [71.0, 71.0, 71.0]);
}
