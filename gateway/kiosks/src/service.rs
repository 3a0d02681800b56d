//! The kiosk service: follows the state of every kiosk and accounts for the opening hours.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use linli_domain::kiosk::{Hours, Matter, Service};
use linli_domain::{Batch, Id, Timestamp};
use linli_drivers::Clock;
use linli_store::{Change, Document, Documents, Entry};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior};

use crate::note::{self, KioskNote, Notes};
use crate::state::State;
use linli_config::settings::kiosk::{KioskDevice, KioskSettings};
use linli_domain::timezone::Zone;
use linli_services::ServiceError;
use linli_services::events::Events;
use linli_services::stored::{body, decoded, keep_apart};

/// Interval at which time is accounted for; shorter states are not in the sums.
const LOOK: Duration = Duration::from_secs(1);

/// Interval at which the sums are stored.
const KEEP: Duration = Duration::from_secs(60);

/// Longest note, in characters.
const LONGEST_NOTE: usize = 200;

/// Longest time out of service: who plans longer takes the kiosk out of devices.toml.
const LONGEST_OUT_MS: i64 = 90 * 86_400_000;

/// Most days in one answer.
const MOST_DAYS: i64 = 400;

/// What the service needs when it starts.
pub struct Deps {
    /// The documents with the days.
    pub store: Documents,
    /// Events for screens.
    pub events: Events,
    /// Clock of time stamps.
    pub clock: Arc<dyn Clock>,
    /// The configuration of kiosks, replaced on reload.
    pub setup: watch::Receiver<Arc<KioskSettings>>,
    /// Time zone of the centre.
    pub zone: Zone,
}

/// A request to the kiosk service.
#[derive(Debug)]
pub enum Query {
    /// The present state of every kiosk.
    List,
    /// The matters offered at the kiosk with that id, and the part that each lacks there.
    Matters(String),
    /// The service states of the last days, this many, per kiosk and day.
    Days(u16),
    /// What people wrote about the kiosk with that id.
    Notes(String),
    /// Writes about a kiosk.
    Note {
        /// Id of the kiosk.
        kiosk: String,
        /// One line.
        text: String,
        /// Puts it out of service until then.
        out_until: Option<Timestamp>,
    },
    /// Puts the kiosk with that id back into service before its time.
    PutBack(String),
}

/// A request in the queue of the service; the answer is the JSON that the API returns.
pub type Request = linli_services::client::Request<Query, Value>;

/// The kiosk service.
pub struct KioskService {
    deps: Deps,
    states: BTreeMap<Id, (State, Service)>,
    today: Date,
    looked: Instant,
    kept: Instant,
}

// === impl KioskService ===

impl KioskService {
    /// Continues today from the stored sums.
    pub async fn resume(deps: Deps) -> anyhow::Result<Self> {
        let today = deps.zone.day(deps.clock.now().at);
        let (looked, kept) = (Instant::now(), Instant::now());
        let mut service = Self { deps, states: BTreeMap::new(), today, looked, kept };
        service.follow().await?;
        Ok(service)
    }

    /// Runs until the queue of batches closes.
    pub async fn run(mut self, mut batches: mpsc::Receiver<Batch>, mut requests: mpsc::Receiver<Request>) {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_open = true;
        loop {
            tokio::select! {
                batch = batches.recv() => match batch {
                    Some(batch) => {
                        if let Some((state, _)) = self.states.get_mut(&batch.layout.device) {
                            state.see(&batch);
                        }
                    }
                    None => break,
                },
                Some(Request { caller, what, reply }) = requests.recv() => {
                    let _ = reply.send(self.answer(&caller.account, what).await);
                }
                changed = self.deps.setup.changed(), if is_open => {
                    is_open = changed.is_ok();
                    if let Err(error) = self.follow().await {
                        tracing::error!(%error, "days of new kiosks cannot be read");
                    }
                }
                _ = look.tick() => self.look().await,
            }
        }
        self.keep().await;
    }

    async fn follow(&mut self) -> Result<(), linli_store::ReadError> {
        let setup = Arc::clone(&self.deps.setup.borrow_and_update());
        let mut before = std::mem::take(&mut self.states);
        for kiosk in &setup.kiosks {
            let known = match before.remove(&kiosk.device) {
                Some(known) => known,
                None => {
                    let kept = self.deps.store.get(&day_id(self.today, &kiosk.device)).await?;
                    let hours = kept.and_then(|document| day(&self.deps.store, &document));
                    let mut state = State::spent(hours.unwrap_or_default());
                    let written = self.deps.store.get(&note::id(&kiosk.device)).await?;
                    let notes = written.and_then(|document| notes(&self.deps.store, &document));
                    state.notes = notes.unwrap_or_default();
                    (state, Service::Offline)
                }
            };
            self.states.insert(kiosk.device.clone(), known);
        }
        Ok(())
    }

    /// Time passes: while the centre is open it is accounted for.
    async fn look(&mut self) {
        let (now, at) = (Instant::now(), self.deps.clock.now().at);
        let span = u64::try_from(now.saturating_duration_since(self.looked).as_millis()).unwrap_or(u64::MAX);
        self.looked = now;
        let today = self.deps.zone.day(at);
        if today != self.today {
            self.keep().await;
            self.today = today;
            self.recall().await;
        }
        let setup = Arc::clone(&self.deps.setup.borrow());
        let is_open = self.deps.zone.is_open(&setup.opening, at);
        for kiosk in &setup.kiosks {
            let Some((state, before)) = self.states.get_mut(&kiosk.device) else { continue };
            state.out_until = state.notes.out(at).and_then(|note| note.out_until);
            let service = state.service(kiosk.fresh);
            if is_open {
                state.hours.add(service, span);
            }
            if service != *before {
                tracing::info!(kiosk = %kiosk.device, ?service, "kiosk");
                *before = service;
                self.deps.events.publish("kiosk", &state.view(kiosk, &setup.matters));
            }
        }
        if now.saturating_duration_since(self.kept) >= KEEP {
            self.keep().await;
        }
    }

    /// Reads the sums of the day that begins; there are some only if the clock was set back.
    async fn recall(&mut self) {
        for (device, (state, _)) in &mut self.states {
            let document = self.deps.store.get(&day_id(self.today, device)).await.ok().flatten();
            let hours = document.and_then(|document| day(&self.deps.store, &document));
            state.hours = hours.unwrap_or_default();
        }
    }

    async fn keep(&mut self) {
        self.kept = Instant::now();
        let at = self.deps.zone.bounds(self.today).0;
        let page = |(device, (state, _)): (&Id, &(State, Service))| {
            Change::Document(day_page(self.today, device, at, &state.hours))
        };
        let pages = self.states.iter().map(|state| vec![page(state)]).collect();
        if let Err((_, error)) = keep_apart(&self.deps.store, pages).await {
            tracing::warn!(%error, "the day of the kiosks is not stored yet; tried again");
        }
    }

    async fn answer(&mut self, who: &str, query: Query) -> Result<Value, ServiceError> {
        let setup = Arc::clone(&self.deps.setup.borrow());
        match query {
            Query::List => {
                let view =
                    |kiosk: &KioskDevice| Some(self.states.get(&kiosk.device)?.0.view(kiosk, &setup.matters));
                Ok(setup.kiosks.iter().filter_map(view).collect())
            }
            Query::Matters(kiosk) => {
                let found = self.states.iter().find(|(id, _)| id.as_str() == kiosk);
                let (_, (state, _)) =
                    found.ok_or_else(|| ServiceError::Unknown(format!("there is no kiosk {kiosk:?}")))?;
                let row = |matter: &Matter| {
                    json!({
                        "id": matter.id, "name": matter.name, "department": matter.department,
                        "lacks": state.lacks(matter),
                    })
                };
                Ok(setup.matters.iter().map(row).collect())
            }
            Query::Days(days) => self.days(days).await,
            Query::Notes(kiosk) => Ok(json!(self.found(&kiosk)?.1.notes.notes)),
            Query::Note { kiosk, text, out_until } => {
                let at = self.deps.clock.now().at;
                let (device, state) = self.found(&kiosk)?;
                let mut notes = state.notes.clone();
                let (text, by) = (checked(&text, out_until, at)?, who.to_owned());
                notes.add(KioskNote { text, by, at, out_until, put_back: None });
                self.keep_notes(device, notes, at).await
            }
            Query::PutBack(kiosk) => {
                let at = self.deps.clock.now().at;
                let (device, state) = self.found(&kiosk)?;
                let mut notes = state.notes.clone();
                if !notes.put_back(who, at) {
                    let why = format!("没有人停用 {kiosk} nobody has put {kiosk} out of service");
                    return Err(ServiceError::Conflict(why));
                }
                self.keep_notes(device, notes, at).await
            }
        }
    }

    fn found(&self, kiosk: &str) -> Result<(Id, &State), ServiceError> {
        let found = self.states.iter().find(|(id, _)| id.as_str() == kiosk);
        let (id, (state, _)) =
            found.ok_or_else(|| ServiceError::Unknown(format!("there is no kiosk {kiosk:?}")))?;
        Ok((id.clone(), state))
    }

    /// Makes notes durable, then lets them count and tells the screens.
    async fn keep_notes(&mut self, device: Id, notes: Notes, at: Timestamp) -> Result<Value, ServiceError> {
        let changes = vec![Change::Document(notes.document(&device, at))];
        let entry = Entry { changes, ..Entry::default() };
        self.deps.store.keep(entry).await.map_err(ServiceError::from)?;
        let setup = Arc::clone(&self.deps.setup.borrow());
        let shown = json!(notes.notes);
        if let Some((state, _)) = self.states.get_mut(&device) {
            state.out_until = notes.out(at).and_then(|note| note.out_until);
            state.notes = notes;
            if let Some(kiosk) = setup.kiosks.iter().find(|kiosk| kiosk.device == device) {
                self.deps.events.publish("kiosk", &state.view(kiosk, &setup.matters));
            }
        }
        Ok(shown)
    }

    /// The stored days since `days` days ago, oldest first, as JSON rows.
    async fn days(&mut self, days: u16) -> Result<Value, ServiceError> {
        self.keep().await;
        let from = self.deps.clock.now().at.0 - i64::from(days).min(MOST_DAYS) * 86_400_000;
        let documents = self.deps.store.of("kiosk-day", Timestamp(from), Timestamp(i64::MAX)).await?;
        let row = |document: Document| {
            let mut parts = document.id.splitn(3, '/').skip(1);
            let hours = day(&self.deps.store, &document)?;
            Some(json!({
                "day": parts.next()?, "kiosk": parts.next()?, "availability": hours.availability(), "hours": hours,
            }))
        };
        Ok(documents.into_iter().filter_map(row).collect())
    }
}

/// A note's text without spaces around it.
fn checked(text: &str, out_until: Option<Timestamp>, now: Timestamp) -> Result<String, ServiceError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > LONGEST_NOTE || text.chars().any(char::is_control) {
        let why = format!(
            "备注写 1 至 {LONGEST_NOTE} 个字，一行 a note is one line of 1 to {LONGEST_NOTE} characters"
        );
        return Err(ServiceError::Wrong(why));
    }
    if out_until.is_some_and(|until| until <= now || until.0 > now.0.saturating_add(LONGEST_OUT_MS)) {
        let why = "停用到将来的一个时间，最多 90 天 out of service until a time ahead, 90 days at most";
        return Err(ServiceError::Wrong(why.to_owned()));
    }
    Ok(text.to_owned())
}

fn notes(store: &Documents, document: &Document) -> Option<Notes> {
    decoded(store, document, "not the notes of a kiosk")
}

fn day(store: &Documents, document: &Document) -> Option<Hours> {
    decoded(store, document, "not a day of a kiosk")
}

fn day_id(day: Date, device: &Id) -> String {
    format!("kiosk-day/{day}/{device}")
}

/// How a kiosk spent a day that began then, as it is kept.
pub(super) fn day_page(day: Date, device: &Id, began: Timestamp, hours: &Hours) -> Document {
    Document { id: day_id(day, device), kind: "kiosk-day".to_owned(), at: began, body: body(hours) }
}
