//! The cabin service: owns the visits, receives measurements, executes requests.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use linli_domain::visit::{Ending, Progress, Status, Version, Visit};
use linli_domain::{Batch, Id, Timestamp};
use linli_drivers::{CabinEvent, Clock};
use linli_store::{Audit, Change, Entry, Store};
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, MissedTickBehavior};

use super::Identity;
use super::critical_watch::CriticalWatch;
use super::measurement_seal::{MeasurementSeal, SealPass};
use super::request::{Action, NewVisit, Outcome, Request};
use super::resident_keys::ResidentKeys;
use super::rooms::Rooms;
use linli_config::settings::cabin::CabinSettings;
use linli_config::settings::key::Keys;
use linli_domain::audit::hex;
use linli_services::ServiceError;
use linli_services::events::Events;
use linli_services::live::Live;
use linli_services::random::random;

/// Interval at which visits are checked for their timeout.
const TIMEOUT_CHECK: Duration = Duration::from_secs(5);

/// Account of the audit for what the gateway does by itself.
const ITSELF: &str = "linli";

/// Ended visits of this time are read at the start, in milliseconds.
pub(super) const DAY_MS: i64 = 24 * 3_600_000;

/// A code is not given to another resident for this time after its visit, in milliseconds: a message that names it may
/// come out of a device's memory.
const CODE_KEPT_MS: i64 = 7 * DAY_MS;

/// Longest reason or code in characters.
const LONGEST: usize = 200;

/// Counters.
#[derive(Debug, Default)]
pub struct Health {
    /// Measurements made durable.
    pub accepted: AtomicU64,
    /// Measurements that were sent again and ignored.
    pub repeated: AtomicU64,
    /// Impossible values: kept as none, or refused where a message has nothing else.
    pub implausible: AtomicU64,
    /// Measurements that the store refused.
    pub failed: AtomicU64,
    /// Measurements that a person must assign to a visit.
    pub unassigned: AtomicU64,
    /// Open visits.
    pub open_visits: AtomicU64,
    /// Versions that were stored in clear, or for somebody else, and are sealed now.
    pub sealed: AtomicU64,
}

/// What the service needs when it starts.
pub struct Deps {
    /// The database.
    pub store: Store,
    /// Receives the values for live values and trends.
    pub samples: mpsc::Sender<Batch>,
    /// The latest values, from which those of an erased visit are taken.
    pub live: Arc<Live>,
    /// Events for screens.
    pub events: Events,
    /// Clock of the time stamps.
    pub clock: Arc<dyn Clock>,
    /// Counters.
    pub health: Arc<Health>,
    /// The residents' keys.
    pub residents: ResidentKeys,
}

/// The service.
pub struct CabinService {
    pub(super) deps: Deps,
    settings: watch::Receiver<Arc<CabinSettings>>,
    pub(super) rooms: Rooms,
    pub(super) began: (Timestamp, Instant),
    /// Of each device that asked who is here: when its minute began, and its questions since.
    pub(super) questions: BTreeMap<Id, (Instant, u32)>,
    /// Devices of which an impossible value is logged.
    pub(super) said_impossible: BTreeSet<Id>,
    /// The latest number in an id.
    numbered: AtomicU64,
    /// Critical values that wait for an answer.
    pub(super) critical: CriticalWatch,
    /// Name of the centre's key with which every resident's key is sealed.
    pub(super) sealing: Option<String>,
    /// Where sealing what is stored in clear goes on; `None` when nothing is left to do.
    pub(super) pass: Option<SealPass>,
}

// === impl CabinService ===

impl CabinService {
    /// Resumes with the visits that were open when the process ended.
    pub async fn resume(deps: Deps, settings: watch::Receiver<Arc<CabinSettings>>) -> anyhow::Result<Self> {
        let seal = MeasurementSeal { residents: deps.residents.clone(), settings: settings.clone() };
        deps.store.seal_with(Arc::new(seal));
        let (cabin, at, now) = (deps.store.cabin(), deps.clock.now().at, Instant::now());
        let mut visits = cabin.open_visits().await?;
        let lately = cabin.visits(Timestamp(at.0.saturating_sub(DAY_MS)), Timestamp(i64::MAX)).await?;
        // What came from an outreach was nowhere near the devices here.
        let is_here = |visit: &Visit| visit.ended.is_some() && visit.progress.outreach.is_none();
        visits.extend(lately.into_iter().filter(is_here));
        let limits = settings.borrow().critical.clone();
        let critical = CriticalWatch::resumed(&cabin, &visits, &limits, now).await?;
        Ok(Self {
            deps,
            settings,
            critical,
            rooms: Rooms::resumed(visits, now, at),
            began: (at, now),
            questions: BTreeMap::new(),
            said_impossible: BTreeSet::new(),
            numbered: AtomicU64::new(0),
            sealing: None,
            pass: None,
        })
    }

    /// Returns a new id: time in milliseconds, a sequence number, 64 random bits. Sorted, ids of one millisecond are
    /// in the order in which they were given.
    pub(super) fn name(&self, prefix: &str) -> anyhow::Result<String> {
        let time = u64::try_from(self.deps.clock.now().at.0).unwrap_or_default() << 16;
        let next = |last: u64| time.max(last + 1);
        let last = self.numbered.load(Ordering::Relaxed);
        // Only this service numbers, one at a time.
        self.numbered.store(next(last), Ordering::Relaxed);
        Ok(format!("{prefix}-{:016x}{}", next(last), hex(&random::<8>()?)))
    }

    /// Runs until every sender of measurements is dropped.
    pub async fn run(
        mut self,
        mut measurements: mpsc::Receiver<CabinEvent>,
        mut requests: mpsc::Receiver<Request>,
    ) {
        let mut ticks = tokio::time::interval(TIMEOUT_CHECK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.count();
            tokio::select! {
                biased;
                measurement = measurements.recv() => match measurement {
                    Some(CabinEvent::Measured(measured)) => self.receive(measured).await,
                    Some(CabinEvent::Asked(question)) => self.asked(question).await,
                    Some(CabinEvent::Scanned(code)) => self.scanned(&code),
                    None => return,
                },
                Some(Request { caller, what, reply }) = requests.recv() => {
                    let _ = reply.send(self.carry_out(&caller.account, what).await);
                }
                _ = ticks.tick() => self.tick().await,
                // Last of all: whenever nothing else is to do.
                () = std::future::ready(()), if self.pass.is_some() => self.seal_step().await,
            }
        }
    }

    fn count(&self) {
        self.deps.health.open_visits.store(self.rooms.all_open().count() as u64, Ordering::Relaxed);
    }

    pub(super) fn settings(&self) -> Arc<CabinSettings> {
        Arc::clone(&self.settings.borrow())
    }

    pub(super) async fn carry_out(&mut self, who: &str, action: Action) -> Result<Outcome, ServiceError> {
        match action {
            Action::Open(new) => self.open(who, new).await,
            Action::End { visit, ending } => self.end(who, &visit, ending).await,
            Action::Assign { measurement, visit, why } => {
                let newest = self.newest(&measurement).await?;
                if newest.visit == visit {
                    return Err(ServiceError::Conflict("it is so already; nothing changed".to_owned()));
                }
                if newest.status == Status::EnteredInError {
                    return Err(ServiceError::Conflict(WITHDRAWN.to_owned()));
                }
                let mut to = None;
                if let Some(visit) = &visit {
                    to = Some(self.known(visit).await?);
                    if newest.measurement.is_test() {
                        return Err(ServiceError::Conflict(OF_NO_PERSON.to_owned()));
                    }
                }
                let context = self.context_in(to.as_ref(), &newest).await;
                // Taken back, it is nobody's for the reason that it had.
                let unassigned = if visit.is_none() { self.reason(&measurement).await? } else { None };
                let assigned =
                    Version { visit, unassigned, status: Status::Amended, context, ..newest.clone() };
                self.next(who, "measurement.assign", assigned, &why).await
            }
            Action::Correct { measurement, readings, context, why } => {
                let newest = self.newest(&measurement).await?;
                self.correct(who, newest, readings, context, &why).await
            }
            Action::Withdraw { measurement, why } => {
                let newest = self.newest(&measurement).await?;
                let withdrawn = Version { status: Status::EnteredInError, ..newest };
                self.next(who, "measurement.withdraw", withdrawn, &why).await
            }
            Action::Enter { visit, readings, context, at, why } => {
                let visit = self.known(&visit).await?;
                self.enter(who, visit, (readings, context), at, &why).await
            }
            Action::Guide { visit, begins } => self.guide(who, &visit, begins).await,
            Action::Answer { visit, measurement, quantity, read_back, decision } => {
                self.answer(who, &visit, (&measurement, quantity, &read_back), decision).await
            }
            Action::Register { pseudonym, identity, consent } => {
                self.register(who, pseudonym, *identity, consent).await
            }
            Action::Merge { from, into, why } => self.merge(who, &from, &into, &why).await,
            Action::Unmerge { from, why } => self.unmerge(who, &from, &why).await,
            Action::Import { header, items } => self.import(who, &header, items).await,
            Action::KeepApart { pseudonym, why } => self.keep_apart(who, &pseudonym, &why).await,
            Action::EraseVisit { visit, why } => {
                let visit = self.known(&visit).await?;
                self.erase(who, vec![visit], None, &why).await
            }
            Action::EraseResident { pseudonym, why } => {
                let visits = self.deps.store.cabin().visits_of(&pseudonym).await?;
                let is_known = self.deps.store.cabin().resident(&pseudonym).await?.is_some();
                if visits.is_empty() && !is_known {
                    return Err(ServiceError::Unknown("nobody is known under this pseudonym".to_owned()));
                }
                self.erase(who, visits, Some(pseudonym), &why).await
            }
        }
    }

    pub(super) async fn open(&mut self, who: &str, new: NewVisit) -> Result<Outcome, ServiceError> {
        let settings = self.settings();
        let room = match (new.room, settings.rooms.as_slice()) {
            (Some(room), rooms) if rooms.contains(&room) => room,
            (Some(room), _) => {
                return Err(ServiceError::Unknown(format!("no device in room {room} measures vital signs")));
            }
            (None, [only]) => only.clone(),
            (None, []) => {
                return Err(ServiceError::Conflict(
                    "no device of class \"vital\" stands in a room; give one a room in devices.toml"
                        .to_owned(),
                ));
            }
            (None, several) => {
                let names: Vec<&str> = several.iter().map(linli_domain::Id::as_str).collect();
                return Err(ServiceError::Wrong(format!("which room? one of {}", names.join(", "))));
            }
        };
        let code = new.code.map(|code| short("code", &code)).transpose()?;
        let mut consent = new.consent.map(|consent| short("consent", &consent)).transpose()?;
        let at = self.deps.clock.now().at;
        let mut changes = Vec::new();
        let (mut pseudonym, mut merged_from) = (None, None);
        if new.resident.is_some() && new.identity.is_some() {
            return Err(ServiceError::Wrong("give identity or resident, not both (二者只填一个)".to_owned()));
        }
        if let Some(resident) = new.resident {
            let (known_as, joined) = self.registered(&resident).await?;
            consent = match consent {
                Some(given) => Some(given),
                None => self.consent_of(&known_as).await?,
            };
            (pseudonym, merged_from) = (Some(known_as), joined);
        }
        if let Some(identity) = new.identity {
            let keys = self.keys_to_name()?;
            if consent.is_none() {
                return Err(ServiceError::Wrong(NO_CONSENT.to_owned()));
            }
            let (known_as, stored, joined) = self.named(&keys, None, identity).await?;
            changes.push(Change::Resident(stored));
            (pseudonym, merged_from) = (Some(known_as), joined);
        }
        if let Some(code) = &code {
            self.code_is_free(code, pseudonym.as_deref()).await?;
        }
        let id = self.name("v").map_err(|error| ServiceError::NotNow(error.to_string()))?;
        let opened_by = new.by;
        let progress = Progress { merged_from, ..Progress::default() };
        let visit =
            Visit { id, room, pseudonym, code, consent, opened_by, opened: at, ended: None, progress };
        let before = self.rooms.open_in(&visit.room).cloned();
        let superseded = before.map(|before| Visit { ended: Some((at, Ending::Superseded)), ..before });
        changes.extend(superseded.iter().cloned().map(Change::Visit));
        changes.push(Change::Visit(visit.clone()));
        let audit =
            vec![self.audit(who, "visit.open", &visit.id, visit.pseudonym.as_deref().unwrap_or_default())];
        self.deps.store.cabin().keep(Entry { changes, audit, ..Entry::default() }).await?;
        for changed in superseded.into_iter().chain([visit.clone()]) {
            self.is_now(changed);
        }
        Ok(Outcome::Visit(Box::new(visit)))
    }

    /// Seals an identity with its resident's key.
    pub(super) async fn sealed(
        &self,
        keys: Keys,
        pseudonym: String,
        identity: Identity,
    ) -> Result<Vec<u8>, ServiceError> {
        let residents = self.deps.residents.clone();
        let sealed = spawn_blocking(move || residents.seal(&keys, &pseudonym, &identity)).await;
        let failed = |error: anyhow::Error| ServiceError::NotNow(format!("{error:#}"));
        sealed.map_err(|error| failed(error.into()))?.map_err(failed)
    }

    /// Destroys the keys of residents, before anything else of them is erased.
    pub(super) async fn destroy_keys(&self, pseudonyms: Vec<String>) -> Result<(), ServiceError> {
        let residents = self.deps.residents.clone();
        let destroy = move || pseudonyms.iter().try_for_each(|pseudonym| residents.destroy(pseudonym));
        let failed = |error: std::io::Error| {
            ServiceError::NotNow(format!(
                "the key of the resident could not be destroyed ({error}); try again"
            ))
        };
        spawn_blocking(destroy).await.map_err(|error| failed(error.into()))?.map_err(failed)
    }

    /// Refuses a code that a stored visit of somebody else has, in any room: a message that names it may still
    /// come out of a device's memory. The code is free again when that visit is erased.
    async fn code_is_free(&self, code: &str, pseudonym: Option<&str>) -> Result<(), ServiceError> {
        let others = self.deps.store.cabin().visits_with_code(code).await?;
        let oldest = self.deps.clock.now().at.0.saturating_sub(CODE_KEPT_MS);
        let is_kept = |visit: &Visit| visit.ended.is_none_or(|(ended, _)| ended.0 >= oldest);
        let is_other = |visit: &&Visit| {
            is_kept(visit) && (visit.pseudonym.is_none() || visit.pseudonym.as_deref() != pseudonym)
        };
        let Some(other) = others.iter().find(is_other) else { return Ok(()) };
        let (id, room) = (&other.id, &other.room);
        Err(ServiceError::Conflict(format!(
            "code {code} belongs to visit {id} in room {room}; take another code, it is free again seven \
             days after that visit, or when it is erased (该代码已用于房间 {room} 的就诊 {id}，请换一个代码)"
        )))
    }

    /// Publishes a visit that is already durable, and updates the open visits.
    pub(super) fn is_now(&mut self, visit: Visit) {
        self.deps.events.publish_workers("visit", &json!(visit));
        self.rooms.put(visit, Instant::now());
    }

    pub(super) async fn end(&mut self, who: &str, id: &str, ending: Ending) -> Result<Outcome, ServiceError> {
        let Some(visit) = self.rooms.open(id).cloned() else {
            self.known(id).await?;
            return Err(ServiceError::Conflict(format!("visit {id} has ended already")));
        };
        let visit = Visit { ended: Some((self.deps.clock.now().at, ending)), ..visit };
        let audit = vec![self.audit(who, "visit.end", id, audited(ending))];
        let entry = Entry { changes: vec![Change::Visit(visit.clone())], audit, ..Entry::default() };
        self.deps.store.cabin().keep(entry).await?;
        self.is_now(visit.clone());
        Ok(Outcome::Visit(Box::new(visit)))
    }

    pub(super) fn audit(&self, who: &str, what: &str, about: &str, detail: &str) -> Audit {
        let own = |text: &str| text.to_owned();
        Audit {
            at: self.deps.clock.now().at,
            who: own(who),
            what: own(what),
            about: own(about),
            detail: own(detail),
        }
    }

    pub(super) async fn known(&self, visit: &str) -> Result<Visit, ServiceError> {
        let found = self.deps.store.cabin().visit(visit).await?;
        found.ok_or_else(|| ServiceError::Unknown(format!("there is no visit {visit}")))
    }

    async fn tick(&mut self) {
        let settings = self.settings();
        let timeout = settings.visit_timeout;
        self.tell_unanswered(&settings).await;
        for visit in self.rooms.idle(timeout, Instant::now()) {
            if let Err(error) = self.end(ITSELF, &visit.id, Ending::TimedOut).await {
                tracing::warn!(visit = visit.id, %error, "the visit could not be ended");
            }
        }
        if let Err(error) = self.housekeeping().await {
            tracing::warn!(%error, "what is old could not be erased");
        }
    }
}

/// Word for an ending in the audit log. It is stored.
const fn audited(ending: Ending) -> &'static str {
    match ending {
        Ending::Completed => "Completed",
        Ending::Abandoned => "Abandoned",
        Ending::TimedOut => "TimedOut",
        Ending::Superseded => "Superseded",
    }
}

/// Refusal of a name without consent.
pub(super) const NO_CONSENT: &str = "consent is missing: the version of the text the resident agreed to (PIPL art. 29) \
                                     (缺少居民同意的知情书版本)";

/// Refusal of a measurement that was withdrawn.
const WITHDRAWN: &str =
    "it was withdrawn; correct it if its values are right (该测量已作废；如数值无误请先更正)";

/// Refusal of a measurement that cannot be anybody's.
const OF_NO_PERSON: &str = "it is a test or a control solution and can belong to no visit; measure again \
                            (测试或质控液结果，不能归入就诊，请重新测量)";

/// Validates a text by a person: one line of 1 to 200 characters.
pub(super) fn short(what: &str, text: &str) -> Result<String, ServiceError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > LONGEST || text.chars().any(char::is_control) {
        return Err(ServiceError::Wrong(format!("{what} must be 1 to {LONGEST} characters in one line")));
    }
    Ok(text.to_owned())
}
