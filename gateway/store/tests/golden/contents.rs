//! What the golden database holds: one of every kind, written through the store's own interface
//! and read through it again.

use std::path::Path;
use std::sync::Arc;

use linli_domain::command::State;
use linli_domain::loss::{Loss, LossReason};
use linli_domain::rollup::{Minute, Rollup};
use linli_domain::visit::{Context, Ending, OpenedBy, Status, Unassigned, Version, Visit};
use linli_domain::vital::{
    Caveat, Comparator, GlucoseTime, Measurement, NoReading, Patient, Quantity, Reading, Site, Taken,
};
use linli_domain::{
    Batch, ClockQuality, DeviceClass, Id, Lane, Layout, Message, PointSpec, Quality, Reason, Record, Sample,
    Timestamp, Topic, Value, ValueType,
};
use linli_store::{Audit, Change, Document, Entry, JournaledCommand, Notification, Resident, Row, Store};
use serde_json::{Value as Json, json};

use super::EPOCH;
use super::database;
use crate::support::{NOW, waiting};

/// Everything the golden database holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Contents {
    /// Records of the outbox; the last one is raised to the urgent lane.
    pub records: Vec<Record>,
    /// A record that becomes a dead letter.
    pub dead: Record,
    /// The answer stored together with the state of a command.
    pub answer: Record,
    /// What is delivered with an entry.
    pub report: Record,
    pub commands: Vec<(JournaledCommand, State)>,
    pub minutes: Vec<Minute>,
    pub residents: Vec<Resident>,
    pub visits: Vec<Visit>,
    pub versions: Vec<Version>,
    pub audit: Vec<Audit>,
    pub alarms: Vec<(String, String)>,
    pub steps: Vec<(Timestamp, String)>,
    pub notifications: Vec<Notification>,
    pub pages: Vec<Document>,
}

/// Why the alarm's row is flagged.
const UNDECODABLE: &str = "state \"unheard of\" is not known";

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

fn layout(device: &str, class: DeviceClass) -> Arc<Layout> {
    let kinds = [ValueType::Float, ValueType::Bool, ValueType::Integer, ValueType::Text];
    let point = |(nth, kind): (usize, ValueType)| PointSpec {
        name: id(&format!("p{nth}")),
        unit: ["Cel", "", "W.h", ""][nth].to_owned(),
        kind,
        writable: nth == 1,
    };
    Arc::new(Layout {
        device: id(device),
        name: "冰箱 \"1\"".to_owned(),
        room: (class == DeviceClass::FoodSafety).then(|| id("kitchen")),
        class,
        profile: "xy/md02".to_owned(),
        points: kinds.into_iter().enumerate().map(point).collect(),
    })
}

/// Values of every kind, floats of every form.
pub fn values() -> Vec<Option<Value>> {
    let mut all = vec![None, Some(Value::Bool(false)), Some(Value::Bool(true))];
    all.extend([0, 1, -1, 63, -64, 300, i64::MIN, i64::MAX].map(|i| Some(Value::Integer(i))));
    all.extend([1 << 63, u64::MAX].map(|u| Some(Value::Unsigned(u))));
    all.extend(numbers().into_iter().map(|f| Some(Value::Float(f))));
    all.extend(["", "on", "温度 °C"].map(|text| Some(Value::Text(text.into()))));
    all
}

/// Decimals of every exponent, singles, doubles.
pub fn numbers() -> Vec<f64> {
    vec![
        0.0,
        4.2,
        -20.5,
        65.8,
        230.25,
        1013.125,
        0.000_1,
        0.000_25,
        0.000_001,
        1e15,
        123.456,
        f64::from(123.456_f32),
        f64::from(f32::MIN_POSITIVE),
        std::f64::consts::PI,
        f64::MAX,
        f64::MIN_POSITIVE,
    ]
}

fn samples() -> Vec<Sample> {
    let clocks = [ClockQuality::Synchronised, ClockQuality::FreeRunning, ClockQuality::Unset];
    let at = |nth: usize| Timestamp(NOW.0 + [0, 0, 250, -1000][nth % 4]);
    let sample = |(nth, value): (usize, Option<Value>)| Sample {
        point: u16::try_from(nth % 4).unwrap(),
        at: at(nth),
        clock: clocks[nth / 12 % 3],
        quality: Quality::Good,
        value,
    };
    let mut all: Vec<Sample> = values().into_iter().enumerate().map(sample).collect();
    for (nth, reason) in Reason::ALL.into_iter().enumerate() {
        for quality in [Quality::Uncertain(reason), Quality::Bad(reason)] {
            all.push(Sample { quality, ..sample((nth, None)) });
        }
    }
    all
}

fn message(topic: Topic, class: DeviceClass, body: Json) -> Record {
    let Json::Object(body) = body else { panic!("a body is an object") };
    Record::Message(Message { topic, class, at: NOW, body })
}

fn answer(response_topic: Option<&str>, correlation: Option<&[u8]>) -> Record {
    let topic = Topic::CommandResult {
        device: id("fan-1"),
        response_topic: response_topic.map(str::to_owned),
        correlation: correlation.map(<[u8]>::to_vec),
    };
    message(topic, DeviceClass::Actuator, json!({"id": "c-done", "state": "done"}))
}

fn records() -> Vec<Record> {
    let mut all = Vec::new();
    for class in DeviceClass::ALL {
        let layout = layout(&format!("{}-1", class.as_str()), class);
        all.push(Record::Samples(Batch { layout, samples: samples() }));
    }
    let body = json!({"text": "Ω \"quoted\" \u{7}", "none": null, "list": [1, -2, 4.25, 1e300, true], "o": {"k": 1}});
    all.extend([
        message(Topic::DeviceEvent, DeviceClass::Telemetry, body.clone()),
        message(Topic::Vital { device: id("oximeter") }, DeviceClass::Vital, body.clone()),
        message(Topic::AlarmEvent, DeviceClass::FoodSafety, body.clone()),
        message(Topic::HaccpEvent, DeviceClass::FoodSafety, body.clone()),
        message(Topic::ModeEvent, DeviceClass::Actuator, body.clone()),
        message(Topic::OrderEvent, DeviceClass::Kiosk, body),
        answer(None, None),
    ]);
    let raised = Sample { point: 2, ..samples()[0].clone() };
    all.push(Record::Samples(Batch {
        layout: layout("air-1", DeviceClass::Telemetry),
        samples: vec![raised],
    }));
    all
}

fn commands() -> Vec<(JournaledCommand, State)> {
    let reason = || "读回 differs".to_owned();
    let states = [
        ("c-accepted", State::Accepted, Value::Bool(true)),
        ("c-sent", State::Sent, Value::Float(21.5)),
        ("c-done", State::Done, Value::Integer(-3)),
        ("c-failed", State::Failed { reason: reason() }, Value::Unsigned(u64::MAX)),
        ("c-unknown", State::Unknown { reason: reason() }, Value::Text("auto".into())),
    ];
    let command = |(nth, (id, state, value)): (i64, (&str, State, Value))| {
        let command = JournaledCommand {
            id: id.to_owned(),
            device: "fan-1".to_owned(),
            point: "run".to_owned(),
            value,
            expires: Timestamp(NOW.0 + 30_000),
            at: Timestamp(NOW.0 + nth),
            response_topic: (nth == 2).then(|| "reply/to".to_owned()),
            correlation: (nth == 2).then(|| vec![0, 255, 7]),
        };
        (command, state)
    };
    (0..).zip(states).map(command).collect()
}

fn minutes() -> Vec<Minute> {
    let rollup = Rollup::of(4.25).merged(Rollup::of(-3.0));
    let many = Rollup { min: -0.5, max: f64::from(0.1_f32), sum: 1e9, count: u32::MAX, last: 0.1 };
    let minute = |layout: Arc<Layout>, nth: i64, points| Minute {
        layout,
        minute: Timestamp(NOW.minute().0 + nth * 60_000),
        points,
    };
    vec![
        minute(
            layout("food_safety-1", DeviceClass::FoodSafety),
            0,
            vec![Some(rollup), None, Some(many), None],
        ),
        minute(
            layout("telemetry-1", DeviceClass::Telemetry),
            1,
            vec![None, Some(Rollup::of(1.0)), None, None],
        ),
    ]
}

fn visits() -> Vec<Visit> {
    let visit = |nth: i64, opened_by, ended: Option<Ending>| Visit {
        id: format!("visit-{nth}"),
        room: id("cabin"),
        pseudonym: (nth == 0).then(|| "PSEUDO".to_owned()),
        code: (nth == 1).then(|| "4711".to_owned()),
        consent: (nth == 0).then(|| "signed".to_owned()),
        opened_by,
        opened: Timestamp(NOW.0 + nth),
        ended: ended.map(|ending| (Timestamp(NOW.0 + 100 + nth), ending)),
        progress: linli_domain::visit::Progress::default(),
    };
    vec![
        visit(0, OpenedBy::Card, None),
        visit(1, OpenedBy::Code, Some(Ending::Completed)),
        visit(2, OpenedBy::Worker, Some(Ending::Abandoned)),
        visit(3, OpenedBy::Worker, Some(Ending::TimedOut)),
        visit(4, OpenedBy::Worker, Some(Ending::Superseded)),
    ]
}

/// Readings of every quantity, with every caveat and every reason for having no value.
fn readings() -> Vec<Reading> {
    use Caveat as C;
    let caveats = [
        vec![C::BodyMovement, C::CuffLoose, C::IrregularPulse, C::PulseOutOfRange, C::ImproperPosition],
        vec![C::PoorSignal, C::LowPerfusion, C::Preliminary, C::Questionable, C::Demonstration],
        vec![C::FromStorage, C::Unusual, C::Inconsistent, C::ClockSkew, C::Corrected, C::ControlSolution],
    ];
    let none = [
        NoReading::NotANumber,
        NoReading::PositiveInfinity,
        NoReading::NegativeInfinity,
        NoReading::NotPerformed,
        NoReading::Error,
    ];
    let mut all: Vec<Reading> = (0..)
        .zip(Quantity::ALL.into_iter().take(QUANTITIES_OF_0_1))
        .map(|(nth, quantity)| Reading::of(quantity, 97.5 + f64::from(nth)))
        .collect();
    all.extend(none.map(|why| Reading::none(Quantity::OxygenSaturation, why)));
    for (reading, caveats) in all.iter_mut().zip(caveats) {
        reading.caveats = caveats;
    }
    all
}

/// Quantities that 0.1 had: those that came later have lines of their own.
const QUANTITIES_OF_0_1: usize = 11;

/// Readings of the kinds that came after 0.1.
fn newer_readings() -> Vec<Reading> {
    use Caveat as C;
    let none = Reading::none(Quantity::Glucose, NoReading::Error);
    let strip =
        vec![C::StripError, C::SampleTooSmall, C::DeviceFault, C::TemperatureOutOfRange, C::Interrupted];
    let ear = Reading::of(Quantity::Temperature, 37.1);
    vec![
        Reading { caveats: strip, ..none },
        Reading { comparator: Some(Comparator::Above), ..Reading::of(Quantity::Glucose, 33.3) },
        Reading { upper: Some(12.0), ..Reading::of(Quantity::RespirationRate, 10.0) },
        Reading { site: Some(Site::Ear), caveats: vec![C::TimeUnclear], ..ear },
    ]
}

fn versions() -> Vec<Version> {
    let version = |name: &str, number, status, unassigned: Option<Unassigned>| Version {
        id: name.to_owned(),
        version: number,
        status,
        visit: unassigned.is_none().then(|| "visit-0".to_owned()),
        unassigned,
        device: id("oximeter"),
        room: (number == 1).then(|| id("cabin")),
        measurement: Measurement {
            taken: Taken {
                at: Timestamp(NOW.0 + 5),
                clock: ClockQuality::FreeRunning,
                device: (number == 2).then_some(Timestamp(NOW.0 - 5)),
            },
            readings: if number == 1 { readings() } else { vec![Reading::of(Quantity::PulseRate, 61.0)] },
            key: (number == 1).then(|| "serial-7".to_owned()),
            key_reused: false,
            sent: None,
            amends: Vec::new(),
            attachments: Vec::new(),
            attached: Vec::new(),
            user: (number == 2).then_some(2),
            patient: Patient::default(),
        },
        context: Context {
            glucose_time: [
                None,
                Some(GlucoseTime::Fasting),
                Some(GlucoseTime::AfterMeal),
                Some(GlucoseTime::Random),
            ][usize::try_from(number).unwrap() % 4],
            on_oxygen: (number == 3).then_some(true),
            is_alert: (number == 3).then_some(false),
            ..Context::default()
        },
        at: Timestamp(NOW.0 + 9),
        by: "nurse".to_owned(),
        why: (number == 2).then(|| "other cuff".to_owned()),
    };
    let mut all = vec![
        version("m-0", 1, Status::Final, None),
        version("m-0", 2, Status::Amended, None),
        version("m-0", 3, Status::Corrected, None),
        version("m-0", 4, Status::EnteredInError, None),
    ];
    all.extend(
        Unassigned::ALL
            .iter()
            .enumerate()
            .map(|(nth, why)| version(&format!("m-{:x}", nth + 1), 1, Status::Final, Some(*why))),
    );
    let mut newer = version("m-b", 1, Status::Final, Some(Unassigned::Test));
    newer.measurement.readings = newer_readings();
    all.push(newer);
    let mut waist = version("m-c", 1, Status::Final, Some(Unassigned::Test));
    waist.measurement.readings = vec![Reading::of(Quantity::WaistCircumference, 86.0)];
    all.push(waist);
    all
}

/// A loss for every reason, with and without what may be unknown.
pub fn losses() -> Vec<Loss> {
    let loss = |reason, class: Option<DeviceClass>, detail: &str| Loss {
        reason,
        class,
        of_epoch: EPOCH.to_owned(),
        range: class.map(|_| (3, 9)),
        messages: class.map(|_| 7),
        between: class.map(|_| (NOW, Timestamp(NOW.0 + 6))),
        detail: detail.to_owned(),
    };
    vec![
        loss(LossReason::SizeCap, Some(DeviceClass::Telemetry), ""),
        loss(LossReason::AgeCap, Some(DeviceClass::Kiosk), ""),
        loss(LossReason::DiskFull, Some(DeviceClass::Actuator), ""),
        loss(LossReason::IntakeFull, Some(DeviceClass::FoodSafety), "the queue was full"),
        loss(LossReason::Damaged, None, "set aside as linli.db.corrupt-1: malformed"),
        loss(LossReason::DeadLetter, Some(DeviceClass::Vital), "too large"),
    ]
}

// === impl Contents ===

impl Contents {
    /// One of every kind.
    pub fn expected() -> Self {
        let audit = |what: &str, detail: &str| Audit {
            at: NOW,
            who: "nurse".to_owned(),
            what: what.to_owned(),
            about: "visit-0".to_owned(),
            detail: detail.to_owned(),
        };
        let page = |id: &str, kind: &str| Document {
            id: id.to_owned(),
            kind: kind.to_owned(),
            at: NOW,
            body: json!({"body": id, "签": 1}).to_string(),
        };
        Self {
            records: records(),
            dead: message(Topic::AlarmEvent, DeviceClass::Kiosk, json!({"too": "large"})),
            answer: answer(Some("reply/to"), Some(&[0, 255, 7])),
            report: message(Topic::AlarmEvent, DeviceClass::FoodSafety, json!({"state": "raised"})),
            commands: commands(),
            minutes: minutes(),
            residents: vec![Resident {
                pseudonym: "PSEUDO".to_owned(),
                key: "k1".to_owned(),
                sealed: vec![0, 1, 254, 255],
                at: NOW,
            }],
            visits: visits(),
            versions: versions(),
            audit: vec![audit("visit.open", ""), audit("identity.reveal", "at the cabin's screen")],
            alarms: vec![("fridge-warm".to_owned(), json!({"state": "raised"}).to_string())],
            steps: vec![(NOW, json!({"alarm": "fridge-warm", "to": "raised"}).to_string())],
            notifications: vec![Notification {
                id: 2,
                hook: id("pager"),
                key: "key-2".to_owned(),
                body: json!({"text": "warm"}).to_string(),
                after: Timestamp(NOW.0 + 1),
            }],
            pages: vec![page("account-1", "account"), page("haccp-2026-11-24", "haccp")],
        }
    }

    /// The entries that make the contents, those included that erase something again.
    pub fn entries(&self) -> Vec<Entry> {
        let entry = |changes: Vec<Change>| Entry { changes, ..Entry::default() };
        let mut kept: Vec<Change> = self.residents.iter().cloned().map(Change::Resident).collect();
        kept.extend(self.visits.iter().cloned().map(Change::Visit));
        kept.extend(self.versions.iter().cloned().map(|version| Change::Version(Box::new(version))));
        let alarm =
            |(id, body): &(String, String)| Change::Alarm { id: Id::new(id).unwrap(), body: body.clone() };
        kept.extend(self.alarms.iter().map(alarm));
        kept.extend(self.steps.iter().map(|(at, body)| Change::AlarmStep { at: *at, body: body.clone() }));
        kept.extend(self.pages.iter().cloned().map(Change::Document));
        let gone = |id: &str| (id.to_owned(), "gone".to_owned());
        let erased = Visit { id: "erased".to_owned(), ..self.visits[1].clone() };
        let unbound = |id: &str| Version { id: id.to_owned(), ..self.versions[4].clone() };
        let first = Notification { id: 0, key: "key-1".to_owned(), ..self.notifications[0].clone() };
        vec![
            entry(vec![
                Change::Resident(Resident { pseudonym: "ERASED".to_owned(), ..self.residents[0].clone() }),
                Change::Visit(erased),
                Change::Version(Box::new(unbound("erased"))),
                alarm(&gone("erased")),
                Change::Notify(first),
            ]),
            entry(vec![
                Change::EraseVisit("erased".to_owned()),
                Change::EraseMeasurement("erased".to_owned()),
                Change::EraseResident("ERASED".to_owned()),
                Change::EraseUnsent {
                    measurements: vec!["erased".to_owned()],
                    samples: vec![(id("erased"), NOW, NOW)],
                },
                Change::EraseTrend { device: id("erased"), from: NOW, to: NOW },
                Change::ForgetAlarm(id("erased")),
                Change::Notified(1),
                Change::ForgetAudit(NOW),
                Change::ForgetDocuments {
                    kind: "gone".to_owned(),
                    from: "gone/1".to_owned(),
                    to: "gone/2".to_owned(),
                },
            ]),
            entry(self.notifications.iter().cloned().map(Change::Notify).collect()),
            Entry {
                once: Some("sender/42".to_owned()),
                marks: Vec::new(),
                changes: kept,
                audit: self.audit.clone(),
                records: vec![self.report.clone()],
                is_dispensable: false,
            },
        ]
    }

    /// Writes everything; each step waits until it is durable, so the numbers are always the same.
    pub async fn write(&self, store: &Store) {
        let (raised, records) = self.records.split_last().unwrap();
        for record in records {
            store.accept_durably(record.clone()).await.unwrap();
        }
        store.accept_in(Lane::Urgent, raised.clone()).unwrap();
        let seq = store.accept_durably(self.dead.clone()).await.unwrap();
        store.outbox().dead_letter(seq, "too large for the broker".to_owned()).await;
        let seq = store.accept_once("once/1".to_owned(), self.report.clone()).await.unwrap().unwrap();
        store.outbox().acknowledge(vec![seq]).await;
        let journal = store.journal();
        for (command, state) in &self.commands {
            journal.begin(command.clone()).await.unwrap();
            match state {
                State::Accepted => {}
                State::Done => {
                    journal.advance_with(&command.id, state, NOW, self.answer.clone()).await.unwrap();
                }
                state => journal.advance(&command.id, state, NOW).await.unwrap(),
            }
        }
        store.history().add(self.minutes.clone()).await;
        for entry in self.entries() {
            assert_eq!(store.cabin().keep(entry).await, Ok(true));
        }
        store.alarms().undecodable(&self.alarms[0].0, UNDECODABLE);
    }

    /// Reads everything: through the store, and from the file what the store only writes.
    pub async fn read(store: &Store, path: &Path, has_undecodable: bool) -> Self {
        let mut rows: Vec<Row> = Vec::new();
        for lane in [Lane::Urgent, Lane::Data] {
            rows.extend(waiting(&store.outbox(), lane).await);
        }
        rows.sort_by_key(|row| row.seq);
        let expected = Self::expected();
        let count = expected.records.len();
        let raised = rows.iter().filter(|row| row.lane != row.record.lane()).map(|row| row.seq);
        assert_eq!(raised.collect::<Vec<_>>(), [count as u64]);
        let rest: Vec<Record> = rows.iter().skip(count).map(|row| row.record.clone()).collect();
        let [ledger, answer, report] = <[Record; 3]>::try_from(rest).unwrap();
        assert!(matches!(&ledger, Record::Message(message) if message.topic == Topic::LedgerEvent));
        let (dead, journaled) = (database::dead_letter(path).await, database::commands(path).await);
        let open = store.journal().unfinished().await.unwrap();
        let unfinished: Vec<_> = journaled.iter().filter(|(_, state)| !state.is_final()).cloned().collect();
        assert_eq!(open, unfinished);
        let cabin = store.cabin();
        let mut versions = Vec::new();
        for name in (0..13).map(|nth| format!("m-{nth:x}")) {
            versions.extend(cabin.versions(&name).await.unwrap());
        }
        let mut audit = cabin.audit(10).await.unwrap();
        audit.reverse();
        let alarms = store.alarms();
        let steps = alarms.journal(10).await.unwrap();
        let asked = &expected.notifications[0];
        let (notification, waiting) =
            alarms.next_notification(&asked.hook, asked.after).await.unwrap().unwrap();
        assert_eq!(waiting, 1);
        assert_eq!(store.status().borrow().undecodable, u64::from(has_undecodable));
        let book = store.documents();
        let (from, to) = (NOW, Timestamp(NOW.0 + 1));
        assert_eq!(book.alarm_steps(from, to).await.unwrap(), steps);
        let mut pages = Vec::new();
        for page in &expected.pages {
            let of_kind = book.of(&page.kind, from, to).await.unwrap();
            assert_eq!(book.get(&page.id).await.unwrap().as_ref(), of_kind.first());
            pages.extend(of_kind);
        }
        Self {
            records: rows.into_iter().take(count).map(|row| row.record).collect(),
            dead,
            answer,
            report,
            commands: journaled,
            minutes: read_minutes(store, expected.minutes).await,
            residents: cabin.resident("PSEUDO").await.unwrap().into_iter().collect(),
            visits: cabin.visits(NOW, Timestamp(NOW.0 + 10)).await.unwrap(),
            versions,
            audit,
            alarms: alarms.all().await.unwrap(),
            steps: steps.into_iter().map(|step| (NOW, step)).collect(),
            notifications: vec![notification],
            pages,
        }
    }
}

/// The same minutes with the roll-ups that the store has for them.
async fn read_minutes(store: &Store, mut minutes: Vec<Minute>) -> Vec<Minute> {
    let history = store.history();
    for minute in &mut minutes {
        let layout = Arc::clone(&minute.layout);
        for (slot, point) in minute.points.iter_mut().zip(&layout.points) {
            let read = history.read(&layout.device, &point.name, NOW.minute(), Timestamp(i64::MAX));
            *slot = read.await.unwrap().first().map(|(at, rollup)| {
                assert_eq!(*at, minute.minute);
                *rollup
            });
        }
    }
    minutes
}
