//! The task: owns the engine, makes every step durable before it is told.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use linli_domain::alarm::{self, Engine, Flood, Kept, Priority, Rule, Source, Tick, Transition};
use linli_domain::{Batch, Id, Layout, Timestamp};
use linli_drivers::Clock;
use linli_store::{Audit, Change, Entry, Notification};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior};

use super::payload::{self, Shown};
use crate::cabin::{hex, random};
use crate::events::Events;
use crate::notify::Webhook;

/// Delays run out with this precision.
const LOOK: Duration = Duration::from_millis(250);

/// Steps that wait while the disk takes nothing. They are told all the same.
const UNSAVED: usize = 1000;

/// Longest reason.
const LONGEST: usize = 200;

/// Counters.
#[derive(Debug, Default)]
pub struct Health {
    /// Standing alarms: low, medium, high.
    pub standing: [AtomicU64; 3],
    /// Unacknowledged ones.
    pub unacknowledged: AtomicU64,
    /// Shelved, suppressed, out of service.
    pub silent: AtomicU64,
    /// Announcements.
    pub announced: AtomicU64,
    /// 1 while there are more than a person can take in.
    pub flood: AtomicU64,
    /// Alarms that come and go.
    pub chattering: AtomicU64,
    /// Batches that could not be looked at: too many at once.
    pub dropped: AtomicU64,
}

/// What is asked.
#[derive(Debug)]
pub enum Action {
    /// Every alarm, or only those that stand.
    List {
        /// Also those that are normal.
        all: bool,
    },
    /// Something done to one.
    Do {
        /// The alarm.
        alarm: String,
        /// What.
        action: alarm::Action,
        /// Why.
        why: Option<String>,
    },
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// There is no such alarm.
    #[error("{0}")]
    Unknown(String),
    /// It makes no sense.
    #[error("{0}")]
    Wrong(String),
    /// It does not fit the alarm's state.
    #[error("{0}")]
    Conflict(String),
    /// It could not be made durable.
    #[error("{0}")]
    NotNow(String),
}

/// A request on its way.
#[derive(Debug)]
pub struct Asked {
    /// The account.
    pub who: String,
    /// What.
    pub action: Action,
    /// Who waits.
    pub reply: oneshot::Sender<Result<Vec<Shown>, Refusal>>,
}

/// What the task is made of.
pub struct Parts {
    /// Where steps become durable.
    pub store: linli_store::Alarms,
    /// Screens.
    pub events: Events,
    /// Labels.
    pub clock: Arc<dyn Clock>,
    /// Counters.
    pub health: Arc<Health>,
    /// The rules, replaced on reload.
    pub rules: watch::Receiver<Arc<Vec<Rule>>>,
    /// Who outside is told.
    pub hooks: watch::Receiver<Arc<Vec<Webhook>>>,
}

/// The task.
pub struct Desk {
    parts: Parts,
    engine: Engine,
    began: Instant,
    notes: BTreeMap<Id, Noted>,
    /// Per device, the layout and its points' numbers in the engine.
    numbers: BTreeMap<Id, (Arc<Layout>, Vec<Option<usize>>)>,
    unsaved: VecDeque<Entry>,
}

/// What is kept of an alarm beside the engine's part.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Noted {
    kept: Kept,
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// Receivers that were told once more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    escalated: Vec<Id>,
}

// === impl Desk ===

impl Desk {
    /// Goes on where every alarm was when the process ended.
    pub async fn resume(mut parts: Parts) -> anyhow::Result<Self> {
        let at = parts.clock.now().at;
        let mut notes = BTreeMap::new();
        for (id, body) in parts.store.all().await? {
            let (Ok(id), Ok(noted)) = (Id::new(&id), serde_json::from_str::<Noted>(&body)) else { continue };
            notes.insert(id, aged(noted, at));
        }
        let rules = Arc::clone(&parts.rules.borrow_and_update());
        let engine = Engine::new(rules.to_vec(), |id| notes.get(id).map(|noted: &Noted| noted.kept), Tick(0));
        let (began, numbers, unsaved) = (Instant::now(), BTreeMap::new(), VecDeque::new());
        Ok(Self { parts, engine, began, notes, numbers, unsaved })
    }

    /// Runs until nothing is read any more.
    pub async fn run(mut self, mut batches: mpsc::Receiver<Batch>, mut asked: mpsc::Receiver<Asked>) {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut rules_open = true;
        loop {
            tokio::select! {
                batch = batches.recv() => match batch {
                    Some(batch) => self.see(&batch).await,
                    None => return,
                },
                Some(Asked { who, action, reply }) = asked.recv() => {
                    let _ = reply.send(self.carry_out(&who, action).await);
                }
                changed = self.parts.rules.changed(), if rules_open => {
                    rules_open = changed.is_ok();
                    self.change_rules();
                }
                _ = look.tick() => {
                    let now = self.now();
                    let told = self.engine.tick(now);
                    self.tell(told, None, None).await;
                    self.escalate();
                    self.save().await;
                    self.count();
                }
            }
        }
    }

    fn now(&self) -> Tick {
        Tick(u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// New rules; alarms that stay keep where they are.
    fn change_rules(&mut self) {
        let (now, rules) = (self.now(), Arc::clone(&self.parts.rules.borrow_and_update()));
        let kept = |id: &Id| self.engine.kept(id, now).or_else(|| self.notes.get(id).map(|noted| noted.kept));
        self.engine = Engine::new(rules.to_vec(), kept, now);
        self.numbers.clear();
    }

    async fn see(&mut self, batch: &Batch) {
        let now = self.now();
        for sample in &batch.samples {
            let Some(number) = self.number(&batch.layout, usize::from(sample.point)) else { continue };
            let good = sample.value.as_ref().filter(|_| sample.quality.is_good());
            let value = good.and_then(|value| match value {
                linli_domain::Value::Bool(is_on) => Some(f64::from(u8::from(*is_on))),
                other => other.as_f64(),
            });
            let told = self.engine.sample(now, number, value);
            if !told.is_empty() {
                self.tell(told, None, None).await;
            }
        }
    }

    fn number(&mut self, layout: &Arc<Layout>, point: usize) -> Option<usize> {
        let is_known = self.numbers.get(&layout.device).is_some_and(|(known, _)| Arc::ptr_eq(known, layout));
        if !is_known {
            let number = |point: &linli_domain::PointSpec| {
                self.engine.source(&Source { device: layout.device.clone(), point: point.name.clone() })
            };
            let numbers = layout.points.iter().map(number).collect();
            self.numbers.insert(layout.device.clone(), (Arc::clone(layout), numbers));
        }
        self.numbers.get(&layout.device)?.1.get(point).copied().flatten()
    }

    async fn carry_out(&mut self, who: &str, action: Action) -> Result<Vec<Shown>, Refusal> {
        let (alarm, action, why) = match action {
            Action::List { all } => return Ok(self.shown(|view| all || view.state != alarm::State::Normal)),
            Action::Do { alarm, action, why } => (alarm, action, why),
        };
        let id = Id::new(&alarm).map_err(|_| Refusal::Unknown(format!("there is no alarm {alarm:?}")))?;
        let why = why.map(|why| why.trim().to_owned()).filter(|why| !why.is_empty());
        if why.as_ref().is_some_and(|why| why.chars().count() > LONGEST || why.chars().any(char::is_control))
        {
            return Err(Refusal::Wrong(format!("why must be at most {LONGEST} characters in one line")));
        }
        if why.is_none() && matches!(action, alarm::Action::Shelve(_) | alarm::Action::TakeOut) {
            return Err(Refusal::Wrong("why is missing: whoever silences an alarm says why".to_owned()));
        }
        let told = self.engine.act(self.now(), &id, action).map_err(|refused| match refused {
            alarm::Refused::Unknown(_) => Refusal::Unknown(refused.to_string()),
            alarm::Refused::TooLong(_) => Refusal::Wrong(refused.to_string()),
            _ => Refusal::Conflict(refused.to_string()),
        })?;
        self.tell(told, Some(who), why.as_deref()).await;
        if !self.unsaved.is_empty() {
            return Err(Refusal::NotNow(
                "done, but not on the disk yet: the store takes nothing just now".to_owned(),
            ));
        }
        Ok(self.shown(|view| view.rule.id == id))
    }

    fn shown(&self, wanted: impl Fn(&alarm::View<'_>) -> bool) -> Vec<Shown> {
        let now = self.now();
        let show = |view: alarm::View<'_>| {
            let noted = self.notes.get(&view.rule.id);
            Shown {
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
        let mut shown: Vec<Shown> = self.engine.alarms().filter(wanted).map(show).collect();
        shown.sort_by_key(|shown| {
            (!shown.state.is_unacknowledged(), std::cmp::Reverse(shown.priority), shown.since)
        });
        shown
    }

    /// Makes steps durable with where the alarms are now; then tells them.
    async fn tell(&mut self, told: Vec<Transition>, by: Option<&str>, why: Option<&str>) {
        if told.is_empty() {
            return;
        }
        let (now, at) = (self.now(), self.parts.clock.now().at);
        let mut entry = Entry::default();
        let mut bodies = Vec::with_capacity(told.len());
        for transition in &told {
            let rules = Arc::clone(&self.parts.rules.borrow());
            let Some(rule) = rules.iter().find(|rule| rule.id == transition.alarm) else { continue };
            let body = payload::step(rule, transition, at, by, why);
            tracing::info!(alarm = %rule.id, to = ?transition.to, event = ?transition.event, "alarm");
            let own = |text: Option<&str>| text.map(str::to_owned);
            let kept = self.engine.kept(&rule.id, now).unwrap_or_default();
            let noted = Noted { kept, at, by: own(by), why: own(why), escalated: Vec::new() };
            let written = serde_json::to_string(&noted).unwrap_or_default();
            entry.changes.push(Change::Alarm { id: rule.id.clone(), body: written });
            entry.changes.push(Change::AlarmStep { at, body: Value::Object(body.clone()).to_string() });
            entry.records.push(payload::record(body.clone(), at));
            if let Some(who) = by {
                let (what, detail) =
                    (format!("alarm.{:?}", transition.event).to_lowercase(), why.unwrap_or_default());
                let (who, about, detail) = (who.to_owned(), rule.id.to_string(), detail.to_owned());
                entry.audit.push(Audit { at, who, what, about, detail });
            }
            if transition.to == alarm::State::Unacknowledged && transition.from != transition.to {
                entry.changes.extend(self.notify(rule, &body, None));
            }
            self.notes.insert(rule.id.clone(), noted);
            bodies.push(Value::Object(body));
        }
        self.unsaved.push_back(entry);
        self.save().await;
        bodies.iter().for_each(|body| self.parts.events.tell("alarm", body));
    }

    /// What receivers are to be told: all that want this priority, or only one.
    fn notify(&self, rule: &Rule, body: &Map<String, Value>, only: Option<&Id>) -> Vec<Change> {
        let hooks = self.parts.hooks.borrow();
        let wants = |hook: &&Webhook| {
            hook.priorities.contains(&rule.priority) && only.is_none_or(|only| hook.id == *only)
        };
        let told = |hook: &Webhook| {
            let key = hex(&random::<16>().unwrap_or_default());
            let mut body = body.clone();
            body.insert("escalation".to_owned(), only.is_some().into());
            Change::Notify(Notification {
                id: 0,
                hook: hook.id.clone(),
                key,
                body: Value::Object(body).to_string(),
            })
        };
        hooks.iter().filter(wants).map(told).collect()
    }

    /// Tells once more what nobody has acknowledged for long.
    fn escalate(&mut self) {
        let hooks: Vec<(Id, Duration)> = {
            let hooks = self.parts.hooks.borrow();
            hooks.iter().filter_map(|hook| Some((hook.id.clone(), hook.escalate_after?))).collect()
        };
        if hooks.is_empty() {
            return;
        }
        let (now, at) = (self.now(), self.parts.clock.now().at);
        let mut late = Vec::new();
        for view in self.engine.alarms().filter(|view| view.state == alarm::State::Unacknowledged) {
            let done = self.notes.get(&view.rule.id).map(|noted| noted.escalated.clone()).unwrap_or_default();
            for (hook, after) in &hooks {
                if now.since(view.since) >= *after && !done.contains(hook) {
                    late.push((view.rule.clone(), hook.clone(), view.value));
                }
            }
        }
        for (rule, hook, value) in late {
            let state = alarm::State::Unacknowledged;
            let step = Transition {
                alarm: rule.id.clone(),
                from: state,
                to: state,
                event: alarm::Event::Raised,
                value,
                is_first_out: false,
            };
            let body = payload::step(&rule, &step, at, None, None);
            let mut changes = self.notify(&rule, &body, Some(&hook));
            let Some(noted) = self.notes.get_mut(&rule.id) else { continue };
            noted.escalated.push(hook);
            let written = serde_json::to_string(noted).unwrap_or_default();
            changes.push(Change::Alarm { id: rule.id, body: written });
            self.unsaved.push_back(Entry { changes, ..Entry::default() });
        }
    }

    /// Stores what waits, in order; what the disk does not take waits on.
    async fn save(&mut self) {
        while let Some(entry) = self.unsaved.front() {
            if let Err(error) = self.parts.store.keep(entry.clone()).await {
                if self.unsaved.len() > UNSAVED {
                    tracing::error!(%error, "steps of alarms could not be stored and are given up");
                    self.unsaved.pop_front();
                }
                return;
            }
            self.unsaved.pop_front();
        }
    }

    fn count(&mut self) {
        let now = self.now();
        let (mut unacknowledged, mut silent) = (0, 0);
        for view in self.engine.alarms() {
            unacknowledged += u64::from(view.state.is_unacknowledged());
            silent += u64::from(view.state.is_silent());
        }
        let health = &self.parts.health;
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

/// What was kept, as it is after the time in between: a shelf runs out while nobody runs.
fn aged(mut noted: Noted, now: Timestamp) -> Noted {
    if let Some(shelf) = &mut noted.kept.shelf {
        let passed = Duration::from_millis(now.0.saturating_sub(noted.at.0).max(0).cast_unsigned());
        shelf.span = shelf.span.saturating_sub(passed);
    }
    noted
}
