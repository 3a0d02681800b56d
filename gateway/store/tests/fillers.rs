//! What fills a store: one filler for each kind of document and lane.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use linli_domain::command::State;
use linli_domain::rollup::{Minute, Rollup};
use linli_domain::visit::{Context, Ending, Status, Version, Visit};
use linli_domain::vital::{Measurement, Quantity, Reading, Taken};
use linli_domain::{ClockQuality, DeviceClass, Id, Lane, Message, Record, Timestamp, Topic};
use linli_store::{
    Audit, Begun, Change, Document, Entry, JournaledCommand, Kind, NotDurable, Notification, Opening,
    Resident, Settings, Store,
};
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use crate::support::{self, NOW, clock, command, event, layout, numbered, visit};

pub const CAP_BYTES: usize = 4 << 20;
pub const CAP: u64 = CAP_BYTES as u64;

/// A kind of document, or a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filler {
    Urgent,
    Data,
    History,
    Measurement,
    Visit,
    Seen,
    Audit,
    AlarmStep,
    Notification,
    OpenCommand,
    ExpiredCommand,
    Mode,
    Canteen,
    Kiosk,
    Node,
    Account,
    DeadLetter,
    AlarmState,
    AuditOfAlarms,
    Ledger,
    Undecodable,
    Refusal,
}

impl Filler {
    pub const ALL: [Self; 22] = [
        Self::Urgent,
        Self::Data,
        Self::History,
        Self::Measurement,
        Self::Visit,
        Self::Seen,
        Self::Audit,
        Self::AlarmStep,
        Self::Notification,
        Self::OpenCommand,
        Self::ExpiredCommand,
        Self::Mode,
        Self::Canteen,
        Self::Kiosk,
        Self::Node,
        Self::Account,
        Self::DeadLetter,
        Self::AlarmState,
        Self::AuditOfAlarms,
        Self::Ledger,
        Self::Undecodable,
        Self::Refusal,
    ];

    /// The kind that is refused.
    pub fn kind(self) -> Option<Kind> {
        match self {
            Self::Measurement => Some(Kind::Measurement),
            Self::Visit => Some(Kind::Visit),
            Self::Audit => Some(Kind::Audit),
            Self::OpenCommand | Self::ExpiredCommand => Some(Kind::Command),
            Self::Mode | Self::Refusal => Some(Kind::Mode),
            Self::Canteen => Some(Kind::Canteen),
            Self::Kiosk => Some(Kind::Kiosk),
            Self::Node => Some(Kind::Node),
            Self::Account => Some(Kind::Account),
            _ => None,
        }
    }

    /// About how many bytes one document has.
    pub fn size(self) -> usize {
        match self {
            Self::Measurement => 900,
            Self::Seen => 950,
            Self::OpenCommand | Self::ExpiredCommand => 4000,
            _ => 6000,
        }
    }

    /// Offers one document to the store in that file.
    pub async fn offer(self, (store, path): (&Store, &Path), number: u32) -> Result<(), NotDurable> {
        match self {
            Self::Measurement | Self::Visit | Self::Seen | Self::Audit => {
                store.cabin().keep(self.of_the_cabin(number)).await.map(drop)
            }
            Self::AlarmStep | Self::Notification | Self::AlarmState | Self::AuditOfAlarms => {
                store.alarms().keep(self.of_alarms(number)).await
            }
            Self::Mode | Self::Refusal | Self::Canteen | Self::Kiosk | Self::Node | Self::Account => {
                store.documents().keep(self.of_services(number)).await
            }
            Self::OpenCommand => began(store, &long_command("open", number, NOW)).await,
            Self::ExpiredCommand => {
                let command = long_command("done", number, Timestamp(NOW.0 - 1));
                began(store, &command).await?;
                store.journal().advance(&command.id, &State::Done, NOW).await
            }
            _ => self.offer_to_lanes((store, path), number).await,
        }
    }

    /// What the cabin stores.
    fn of_the_cabin(self, number: u32) -> Entry {
        match self {
            Self::Measurement => measured(number),
            Self::Visit => visited(number),
            Self::Seen => {
                let once = Some(format!("{number}-{}", noise(number, 900)));
                Entry { once, ..Entry::default() }
            }
            Self::Audit => {
                let audit = audit(("nurse", "identity.reveal", "v"), noise(number, 5900));
                Entry { audit: vec![audit], ..Entry::default() }
            }
            other => unreachable!("{other:?} is not the cabin's"),
        }
    }

    /// What the alarms store.
    fn of_alarms(self, number: u32) -> Entry {
        let text = |bytes: usize| noise(number, bytes);
        match self {
            Self::AlarmStep => entry(vec![Change::AlarmStep { at: NOW, body: text(5900) }]),
            Self::Notification => {
                let notification = Notification {
                    id: 0,
                    hook: Id::new("duty").unwrap(),
                    key: number.to_string(),
                    body: text(5900),
                    after: NOW,
                };
                entry(vec![Change::Notify(notification)])
            }
            // There are as many as rules; each replaces the one before.
            Self::AlarmState => {
                let id = Id::new(&format!("alarm-{}", number % 20)).unwrap();
                entry(vec![Change::Alarm { id, body: text(1500) }])
            }
            Self::AuditOfAlarms => {
                let audit = audit(("zhao", "alarm.acknowledge", "fridge-warm"), text(5900));
                let step = Change::AlarmStep { at: NOW, body: format!("{{\"number\":{number}}}") };
                Entry { audit: vec![audit], ..entry(vec![step]) }
            }
            other => unreachable!("{other:?} is not of the alarms"),
        }
    }

    /// What the other services store: documents.
    fn of_services(self, number: u32) -> Entry {
        let body = noise(number, 5800);
        match self {
            Self::Mode => document("mode-line", number, body),
            Self::Refusal => {
                let entry = document("mode-line", 2_000_000 + number, body);
                Entry { is_dispensable: true, ..entry }
            }
            Self::Canteen => document("cycle", number, body),
            Self::Kiosk => document("kiosk-day", number, body),
            Self::Node => document("node-line", number, body),
            Self::Account => document("user-line", number, body),
            other => unreachable!("{other:?} is no document of a service"),
        }
    }

    /// Offers a record to its lane, or what becomes of records.
    async fn offer_to_lanes(self, (store, path): (&Store, &Path), number: u32) -> Result<(), NotDurable> {
        let text = |bytes: usize| noise(number, bytes);
        match self {
            Self::Urgent => store.accept_durably(long_event(number, 5800)).await.map(drop),
            Self::Data => {
                let device = layout("meter-1", DeviceClass::Telemetry, 500);
                store.accept_durably(numbered(&device, number.wrapping_mul(2_654_435_761))).await.map(drop)
            }
            Self::History => {
                let layout = layout("meter-2", DeviceClass::Telemetry, 150);
                let at = f64::from(number) + 0.1;
                let rollup = Rollup { count: 60, min: at, max: at * 3.3, sum: at * 60.7, last: at * 1.1 };
                let minute = Timestamp(NOW.0 - i64::from(number) * 60_000);
                store.history().add(vec![Minute { layout, minute, points: vec![Some(rollup); 150] }]).await;
                store.accept_durably(event(number)).await.map(drop)
            }
            Self::DeadLetter => {
                let seq = store.accept_durably(long_event(number, 5000)).await?;
                store.outbox().dead_letter(seq, format!("refused: {}", text(900))).await;
                store.accept_durably(event(number)).await.map(drop)
            }
            // Each loss for a reason of its own, so that none is folded into another.
            Self::Ledger => {
                let seq = store.accept_durably(event(number)).await?;
                store.outbox().dead_letter(seq, text(5900)).await;
                store.accept_durably(event(number)).await.map(drop)
            }
            Self::Undecodable => {
                let device = layout("meter-3", DeviceClass::Telemetry, 500);
                store.accept_durably(numbered(&device, number.wrapping_mul(2_654_435_761))).await?;
                spoil(path).await;
                support::waiting(&store.outbox(), Lane::Data).await;
                store.accept_durably(event(number)).await.map(drop)
            }
            other => unreachable!("{other:?} is not of the lanes"),
        }
    }
}

/// Overwrites every row of the data lane with bytes that are no record.
async fn spoil(path: &Path) {
    let file = SqliteConnectOptions::new().filename(path).busy_timeout(Duration::from_secs(60));
    let mut connection = SqliteConnection::connect_with(&file).await.unwrap();
    sqlx::query("UPDATE telemetry SET body = zeroblob(octet_length(body))")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

/// A store of 4 MiB.
pub async fn small(path: &Path) -> (Store, Opening) {
    let commit_interval = Duration::from_millis(1);
    let settings = Settings { max_bytes: CAP, commit_interval, ..support::settings(path) };
    Store::open(settings, clock()).await.unwrap()
}

/// A visit that is open when the store fills.
pub async fn prepare(store: &Store) {
    store.cabin().keep(entry(vec![Change::Visit(visit("open-before", None))])).await.unwrap();
    store.cabin().keep(entry(vec![Change::Version(Box::new(version("before", 1, "")))])).await.unwrap();
}

/// What a full store must take: an alarm with its acknowledgement, an entry of the mode switch, the end of a
/// visit, the withdrawal of a measurement, an event.
pub async fn urgent_things(store: &Store, number: u32) -> Result<(), (&'static str, NotDurable)> {
    let said = |what: &'static str| move |error| (what, error);
    let body = format!("{{\"state\":\"unacknowledged\",\"number\":{number}}}");
    let raised = Entry {
        changes: vec![
            Change::Alarm { id: Id::new("fridge-warm").unwrap(), body: body.clone() },
            Change::AlarmStep { at: NOW, body: body.clone() },
            Change::Notify(Notification {
                id: 0,
                hook: Id::new("duty").unwrap(),
                key: format!("k{number}"),
                body: body.clone(),
                after: NOW,
            }),
        ],
        records: vec![event(number)],
        ..Entry::default()
    };
    store.alarms().keep(raised).await.map_err(said("an alarm"))?;
    let acknowledged = Entry {
        changes: vec![
            Change::Alarm { id: Id::new("fridge-warm").unwrap(), body: body.clone() },
            Change::AlarmStep { at: NOW, body },
        ],
        audit: vec![audit(("zhao", "alarm.acknowledge", "fridge-warm"), String::new())],
        records: vec![event(number)],
        ..Entry::default()
    };
    store.alarms().keep(acknowledged).await.map_err(said("an acknowledgement"))?;
    let stopped =
        Entry { records: vec![event(number)], ..document("mode-line", 1_000_000 + number, "{}".into()) };
    store.documents().keep(stopped).await.map_err(said("an entry of the mode switch"))?;
    let ended = Visit { ended: Some((NOW, Ending::Completed)), ..visit("open-before", None) };
    store.cabin().keep(entry(vec![Change::Visit(ended)])).await.map_err(said("the end of a visit"))?;
    let withdrawn = Version { status: Status::EnteredInError, ..version("before", 2 + number, "") };
    let withdrawn = entry(vec![Change::Version(Box::new(withdrawn))]);
    store.cabin().keep(withdrawn).await.map_err(said("a correction"))?;
    store.accept_durably(event(number)).await.map(drop).map_err(said("an event"))
}

/// Erases what [`Filler::Measurement`] stored with that number.
pub async fn erase_measurement(store: &Store, number: u32) -> Result<bool, NotDurable> {
    store.cabin().keep(entry(vec![Change::EraseMeasurement(format!("m-{number:016x}"))])).await
}

fn measured(number: u32) -> Entry {
    Entry {
        once: Some(format!("{number:032x}")),
        changes: vec![Change::Version(Box::new(version(
            &format!("m-{number:016x}"),
            1,
            &noise(number, 199),
        )))],
        records: vec![long_event(number, 400)],
        ..Entry::default()
    }
}

fn visited(number: u32) -> Entry {
    let pseudonym = format!("P{number}");
    let sealed = noise(number, 5000).into_bytes();
    let resident = Resident { pseudonym: pseudonym.clone(), key: "k1".to_owned(), sealed, at: NOW };
    let visit = Visit { pseudonym: Some(pseudonym), ..visit(&format!("v-{number:016x}"), None) };
    entry(vec![Change::Resident(resident), Change::Visit(visit)])
}

async fn began(store: &Store, command: &JournaledCommand) -> Result<(), NotDurable> {
    let begun = store.journal().begin(command.clone()).await?;
    assert_eq!(begun, Begun::Fresh);
    Ok(())
}

fn long_command(name: &str, number: u32, expires: Timestamp) -> JournaledCommand {
    JournaledCommand {
        expires,
        response_topic: Some(noise(number, 3500)),
        ..command(&format!("{name}-{number}"))
    }
}

/// Who did what, and about what.
fn audit((who, what, about): (&str, &str, &str), detail: String) -> Audit {
    Audit { at: NOW, who: who.to_owned(), what: what.to_owned(), about: about.to_owned(), detail }
}

fn document(kind: &str, number: u32, body: String) -> Entry {
    let id = format!("{kind}/{number:012}");
    entry(vec![Change::Document(Document { id, kind: kind.to_owned(), at: NOW, body })])
}

fn entry(changes: Vec<Change>) -> Entry {
    Entry { changes, ..Entry::default() }
}

fn version(id: &str, version: u32, key: &str) -> Version {
    let taken = Taken { at: NOW, clock: ClockQuality::Synchronised, device: None };
    let readings = vec![Reading::of(Quantity::OxygenSaturation, 97.0)];
    let key = Some(key.to_owned()).filter(|key| !key.is_empty());
    Version {
        id: id.to_owned(),
        version,
        status: Status::Final,
        visit: None,
        unassigned: None,
        device: Id::new("monitor").unwrap(),
        room: None,
        measurement: Measurement { key, ..Measurement::of(taken, readings) },
        context: Context::default(),
        at: NOW,
        by: "device".to_owned(),
        why: None,
    }
}

fn long_event(number: u32, bytes: usize) -> Record {
    let mut body = serde_json::Map::new();
    body.insert("number".to_owned(), number.into());
    body.insert("text".to_owned(), noise(number, bytes).into());
    Record::Message(Message { topic: Topic::AlarmEvent, class: DeviceClass::FoodSafety, at: NOW, body })
}

/// Text that differs with the number.
fn noise(number: u32, bytes: usize) -> String {
    let seed = Arc::<str>::from(format!("{:08x}", number.wrapping_mul(2_654_435_761)));
    seed.chars().cycle().take(bytes).collect()
}
