//! The alarm service: owns the engine, stores every transition before it is published.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use linli_domain::alarm::{self, Engine, Flood, Priority, Rule, Source, Tick};
use linli_domain::{Batch, Id, Layout, Quality, Reason};
use linli_drivers::Clock;
use linli_mode::InForce;
use linli_store::Entry;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior};

use super::payload::AlarmView;
use super::siren::Sounding;
use super::stored::StoredAlarm;
use crate::error::ServiceError;
use crate::events::Events;
use linli_config::settings::siren::Siren;
use linli_config::settings::webhook::Webhook;

/// Interval at which delays are checked.
const LOOK: Duration = Duration::from_millis(250);

/// Interval at which counters that depend on time are renewed.
const COUNT: Duration = Duration::from_secs(5);

/// How long sirens sound in a test.
const TEST: Duration = Duration::from_secs(3);

/// The account of suppression by design.
const BY_DESIGN: &str = "by-design";

/// The reason while an alarm is suppressed until a plan enables it.
const ASLEEP: &str = "按设计：仅在预案启用时监测 watched only while a plan enables it";

/// The reason when suppression by design ends.
const OVER: &str = "按设计的静默已结束 the silence by design is over";

/// Longest reason a person may give, characters.
const LONGEST: usize = 200;

/// Counters.
#[derive(Debug, Default)]
pub struct Health {
    /// Active alarms by priority: low, medium, high.
    pub standing: [AtomicU64; 3],
    /// Unacknowledged alarms.
    pub unacknowledged: AtomicU64,
    /// Alarms that are shelved, suppressed or out of service.
    pub silent: AtomicU64,
    /// Number of announcements.
    pub announced: AtomicU64,
    /// 1 during an alarm flood (ISA-18.2).
    pub flood: AtomicU64,
    /// Chattering alarms: announced three times within a minute.
    pub chattering: AtomicU64,
    /// Batches dropped because the queue was full.
    pub dropped: Arc<AtomicU64>,
}

/// A request to the alarm service.
#[derive(Debug)]
pub enum Action {
    /// Every alarm, or only those that stand.
    List {
        /// Also those that are normal.
        all: bool,
    },
    /// A test notification to every receiver, and of every siren.
    Test,
    /// An operation on one alarm.
    Do {
        /// Id of the alarm.
        alarm: String,
        /// The operation.
        action: alarm::Action,
        /// Reason given by the person.
        why: Option<String>,
    },
}

/// A request in the queue of the service; the answer is the alarms it is about.
pub type Request = crate::client::Request<Action, Vec<AlarmView>>;

/// What the service needs when it starts.
pub struct Deps {
    /// The stored alarms and their journal.
    pub store: linli_store::Alarms,
    /// Events for screens.
    pub events: Events,
    /// Clock of time stamps.
    pub clock: Arc<dyn Clock>,
    /// Counters.
    pub health: Arc<Health>,
    /// The rules, replaced on reload.
    pub rules: watch::Receiver<Arc<Vec<Rule>>>,
    /// Alarms that are suppressed unless a plan's policy enables them.
    pub asleep: watch::Receiver<Arc<BTreeSet<Id>>>,
    /// Alarms that the present modes suppress or enable.
    pub in_force: watch::Receiver<Arc<InForce>>,
    /// Receivers of notifications.
    pub hooks: watch::Receiver<Arc<Vec<Webhook>>>,
    /// The sirens of the site.
    pub sirens: watch::Receiver<Arc<Vec<Siren>>>,
}

/// A device's layout and its points' numbers in the engine.
type Numbered = (Arc<Layout>, Arc<[Option<usize>]>);

/// The alarm service.
pub struct AlarmService {
    pub(super) deps: Deps,
    pub(super) engine: Engine,
    began: Instant,
    pub(super) notes: BTreeMap<Id, StoredAlarm>,
    numbers: BTreeMap<Id, Numbered>,
    pub(super) unsaved: VecDeque<Entry>,
    /// Which sirens are to sound now.
    sounding: watch::Sender<Sounding>,
    /// Until then every siren sounds: a test.
    test_until: Tick,
    /// When running delays were stored last.
    pub(super) waits_kept: Tick,
    /// When the counters are renewed next; at once after a transition.
    pub(super) count_at: Tick,
}

// === impl AlarmService ===

impl AlarmService {
    /// Continues every alarm from its stored state.
    pub async fn resume(mut deps: Deps) -> anyhow::Result<Self> {
        let at = deps.clock.now().at;
        let mut notes = BTreeMap::new();
        for (id, body) in deps.store.all().await? {
            let (Ok(known), Ok(noted)) = (Id::new(&id), serde_json::from_str::<StoredAlarm>(&body)) else {
                deps.store.undecodable(&id, "not the state of an alarm");
                continue;
            };
            notes.insert(known, noted.aged(at));
        }
        let rules = Arc::clone(&deps.rules.borrow_and_update());
        let engine =
            Engine::new(rules.to_vec(), |id| notes.get(id).map(|noted: &StoredAlarm| noted.kept), Tick(0));
        let (began, numbers, unsaved) = (Instant::now(), BTreeMap::new(), VecDeque::new());
        Ok(Self {
            deps,
            engine,
            began,
            notes,
            numbers,
            unsaved,
            sounding: watch::Sender::default(),
            test_until: Tick(0),
            waits_kept: Tick(0),
            count_at: Tick(0),
        })
    }

    /// Which sirens are to sound.
    pub fn sounding(&self) -> watch::Receiver<Sounding> {
        self.sounding.subscribe()
    }

    /// Runs until the queue of batches closes.
    pub async fn run(mut self, mut batches: mpsc::Receiver<Batch>, mut requests: mpsc::Receiver<Request>) {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut rules_open, mut mode_open) = (true, true);
        self.retire().await;
        self.follow_mode().await;
        loop {
            tokio::select! {
                batch = batches.recv() => match batch {
                    Some(batch) => self.see(&batch).await,
                    None => return,
                },
                Some(Request { caller, what, reply }) = requests.recv() => {
                    let _ = reply.send(self.carry_out(&caller.account, what).await);
                }
                changed = self.deps.rules.changed(), if rules_open => {
                    rules_open = changed.is_ok();
                    self.change_rules();
                    self.retire().await;
                    self.follow_mode().await;
                }
                changed = self.deps.in_force.changed(), if mode_open => {
                    mode_open = changed.is_ok();
                    self.follow_mode().await;
                }
                _ = look.tick() => {
                    let now = self.now();
                    let transitions = self.engine.tick(now);
                    self.publish(transitions, None, None).await;
                    self.escalate();
                    self.keep_waits();
                    self.save().await;
                    self.count();
                    self.sound();
                }
            }
        }
    }

    pub(super) fn now(&self) -> Tick {
        Tick(u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// Takes over new rules; alarms that remain keep their state.
    fn change_rules(&mut self) {
        let (now, rules) = (self.now(), Arc::clone(&self.deps.rules.borrow_and_update()));
        let kept = |id: &Id| self.engine.kept(id, now).or_else(|| self.notes.get(id).map(|noted| noted.kept));
        self.engine = Engine::new(rules.to_vec(), kept, now);
        self.numbers.clear();
        self.count_at = now;
    }

    /// Suppresses by design what the present modes suppress, and ends suppression elsewhere.
    async fn follow_mode(&mut self) {
        let (mode, asleep) = (
            Arc::clone(&self.deps.in_force.borrow_and_update()),
            Arc::clone(&self.deps.asleep.borrow_and_update()),
        );
        let mut silent = mode.silent.clone();
        let sleeping = asleep.iter().filter(|alarm| !mode.awake.contains_key(*alarm));
        silent.extend(sleeping.map(|alarm| (alarm.clone(), ASLEEP.to_owned())));
        let now = self.now();
        for step in self.engine.silence(now, silent.keys().cloned().collect()) {
            let reasons = silent.get(&step.alarm).or_else(|| mode.awake.get(&step.alarm));
            let why = reasons.cloned().unwrap_or_else(|| OVER.to_owned());
            self.publish(vec![step], Some(BY_DESIGN), Some(&why)).await;
        }
    }

    async fn see(&mut self, batch: &Batch) {
        let (now, numbers) = (self.now(), self.numbers(&batch.layout));
        for sample in &batch.samples {
            let Some(number) = numbers.get(usize::from(sample.point)).copied().flatten() else { continue };
            let value = sample.value.as_ref().and_then(|value| match value {
                linli_domain::Value::Bool(is_on) => Some(f64::from(u8::from(*is_on))),
                other => other.as_f64(),
            });
            let transitions = match (sample.quality, value) {
                (Quality::Good, value) => self.engine.sample(now, number, value),
                (Quality::Uncertain(Reason::Retained | Reason::Stale), Some(old)) => {
                    self.engine.doubtful(now, number, old)
                }
                _ => self.engine.sample(now, number, None),
            };
            if !transitions.is_empty() {
                self.publish(transitions, None, None).await;
            }
        }
    }

    /// The numbers of a device's points in the engine.
    fn numbers(&mut self, layout: &Arc<Layout>) -> Arc<[Option<usize>]> {
        if let Some((known, numbers)) = self.numbers.get(&layout.device)
            && Arc::ptr_eq(known, layout)
        {
            return Arc::clone(numbers);
        }
        let number = |point: &linli_domain::PointSpec| {
            self.engine.source(&Source { device: layout.device.clone(), point: point.name.clone() })
        };
        let numbers: Arc<[Option<usize>]> = layout.points.iter().map(number).collect();
        self.numbers.insert(layout.device.clone(), (Arc::clone(layout), Arc::clone(&numbers)));
        numbers
    }

    async fn carry_out(&mut self, who: &str, action: Action) -> Result<Vec<AlarmView>, ServiceError> {
        let (alarm, action, why) = match action {
            Action::List { all } => return Ok(self.shown(|view| all || view.state != alarm::State::Normal)),
            Action::Test => {
                self.test_until = self.now().after(TEST);
                self.sound();
                self.test(who).await;
                return Ok(Vec::new());
            }
            Action::Do { alarm, action, why } => (alarm, action, why),
        };
        let id =
            Id::new(&alarm).map_err(|_| ServiceError::Unknown(format!("there is no alarm {alarm:?}")))?;
        let why = why.map(|why| why.trim().to_owned()).filter(|why| !why.is_empty());
        if why.as_ref().is_some_and(|why| why.chars().count() > LONGEST || why.chars().any(char::is_control))
        {
            return Err(ServiceError::Wrong(format!("why must be at most {LONGEST} characters in one line")));
        }
        if why.is_none() && matches!(action, alarm::Action::Shelve(_) | alarm::Action::TakeOut) {
            return Err(ServiceError::Wrong("why is missing: whoever silences an alarm says why".to_owned()));
        }
        let transitions = self.engine.act(self.now(), &id, action).map_err(|refused| match refused {
            alarm::Refused::Unknown(_) => ServiceError::Unknown(refused.to_string()),
            alarm::Refused::TooLong(_) => ServiceError::Wrong(refused.to_string()),
            _ => ServiceError::Conflict(refused.to_string()),
        })?;
        self.publish(transitions, Some(who), why.as_deref()).await;
        if !self.unsaved.is_empty() {
            return Err(ServiceError::NotNow(
                "done, but not on the disk yet: the store takes nothing just now".to_owned(),
            ));
        }
        Ok(self.shown(|view| view.rule.id == id))
    }

    fn shown(&self, wanted: impl Fn(&alarm::View<'_>) -> bool) -> Vec<AlarmView> {
        let now = self.now();
        let show = |view: alarm::View<'_>| {
            let noted = self.notes.get(&view.rule.id);
            AlarmView {
                alarm: view.rule.id.clone(),
                text: view.rule.text.clone(),
                device: view.rule.source.device.clone(),
                point: view.rule.source.point.clone(),
                priority: view.rule.priority,
                state: view.state,
                active: view.is_active,
                since: noted.map(|noted| noted.at),
                value: view.value,
                limit: view.rule.condition.limit(),
                shelved_for: view.shelved_until.map(|until| until.since(now).as_secs()),
                by: noted.and_then(|noted| noted.by.clone()),
                why: noted.and_then(|noted| noted.why.clone()),
            }
        };
        let mut shown: Vec<AlarmView> = self.engine.alarms().filter(wanted).map(show).collect();
        shown.sort_by_key(|shown| {
            (!shown.state.is_unacknowledged(), std::cmp::Reverse(shown.priority), shown.since)
        });
        shown
    }

    /// Which sirens are to sound: those for whose alarms nobody has answered.
    fn sound(&self) {
        let (now, sirens) = (self.now(), Arc::clone(&self.deps.sirens.borrow()));
        let calls = |siren: &Siren| {
            self.engine.alarms().any(|view| {
                view.state == alarm::State::Unacknowledged
                    && siren.priorities.contains(&view.rule.priority)
                    && now.since(view.since) < siren.span
            })
        };
        let wanted: Vec<(Siren, bool)> =
            sirens.iter().map(|siren| (siren.clone(), now < self.test_until || calls(siren))).collect();
        self.sounding.send_if_modified(|sounding| {
            let is_changed = **sounding != wanted;
            if is_changed {
                *sounding = Arc::new(wanted);
            }
            is_changed
        });
    }

    fn count(&mut self) {
        let now = self.now();
        if now < self.count_at {
            return;
        }
        self.count_at = now.after(COUNT);
        let (mut unacknowledged, mut silent) = (0, 0);
        for view in self.engine.alarms() {
            unacknowledged += u64::from(view.state.is_unacknowledged());
            silent += u64::from(view.state.is_silent());
        }
        let health = &self.deps.health;
        for (slot, priority) in health.standing.iter().zip([Priority::Low, Priority::Medium, Priority::High])
        {
            slot.store(self.engine.standing(priority) as u64, Ordering::Relaxed);
        }
        health.unacknowledged.store(unacknowledged, Ordering::Relaxed);
        health.silent.store(silent, Ordering::Relaxed);
        let load = self.engine.load(now);
        health.announced.store(load.total, Ordering::Relaxed);
        health.flood.store(u64::from(load.flood == Flood::Flooding), Ordering::Relaxed);
        health.chattering.store(load.chattering(now) as u64, Ordering::Relaxed);
    }
}
