//! All alarms of a centre.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;

use super::Tick;
use super::calm::Calm;
use super::load::Load;
use super::rule::{Condition, Priority, Rule, Source};
use super::state::{Event, State};
use super::tracker::{Alarm, Kept, Shelf};
use crate::Id;

/// Every alarm, what it saw last, and how busy people are with them.
#[derive(Debug)]
pub struct Engine {
    alarms: Vec<Alarm>,
    by_id: BTreeMap<Id, usize>,
    sources: BTreeMap<Source, usize>,
    /// Per source, what was seen of it.
    seen: Vec<Seen>,
    /// Per source, the alarms about it.
    about: Vec<Vec<Tied>>,
    /// Per alarm, its source.
    own: Vec<usize>,
    /// Nothing is due before.
    soonest: Tick,
    first_out: BTreeMap<Id, usize>,
    load: Load,
    /// Alarms that are silent for as long as a mode lasts.
    silent: BTreeSet<Id>,
}

/// What was seen of a source. Small, and side by side: every sample comes by here.
#[derive(Debug, Clone, Copy)]
struct Seen {
    /// Values that change nothing.
    calm: Calm,
    /// The latest good value; not a number before the first.
    good: f64,
    /// Whether nothing bad came after it.
    is_good: bool,
}

/// An alarm, the source it watches, and the other probe's. Found once: every sample comes by here.
#[derive(Debug, Clone, Copy)]
struct Tied {
    position: usize,
    own: usize,
    other: Option<usize>,
}

/// One step of one alarm: one journal record.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Transition {
    /// The alarm.
    pub alarm: Id,
    /// Where it was.
    pub from: State,
    /// Where it is.
    pub to: State,
    /// What moved it.
    pub event: Event,
    /// The latest value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// The first of its group to be raised.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_first_out: bool,
}

/// What a person does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Says that they know.
    Acknowledge,
    /// Opens the latch.
    Reset,
    /// Silences it.
    Shelve(Shelf),
    /// Takes that back.
    Unshelve,
    /// Takes it out of service.
    TakeOut,
    /// Puts it back.
    PutBack,
}

/// Why an action was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no such alarm.
    #[error("there is no alarm {0}")]
    Unknown(Id),
    /// It means nothing in the alarm's state.
    #[error("the alarm is {}: {action} means nothing there", state.as_str())]
    Meaningless {
        /// The alarm's state.
        state: State,
        /// What was asked.
        action: &'static str,
    },
    /// Its rule does not allow it.
    #[error("this alarm must not be shelved")]
    NotShelvable,
    /// Longer than its rule allows.
    #[error("this alarm may be shelved for {} s at most", .0.as_secs())]
    TooLong(Duration),
    /// The condition still holds.
    #[error("the condition still holds: the latch cannot be reset")]
    StillActive,
}

/// An alarm as people see it.
#[derive(Debug, Clone, PartialEq)]
pub struct View<'e> {
    /// Its rule.
    pub rule: &'e Rule,
    /// Where it is.
    pub state: State,
    /// Whether the condition holds.
    pub is_active: bool,
    /// For how long it has been there.
    pub since: Tick,
    /// The latest value.
    pub value: Option<f64>,
    /// How long it is still shelved.
    pub shelved_until: Option<Tick>,
    /// Whether the condition holds and the delay runs.
    pub is_waiting: bool,
}

// === impl Engine ===

impl Engine {
    /// Alarms for rules, each where it was when the process last ended.
    #[must_use]
    pub fn new(rules: Vec<Rule>, mut kept: impl FnMut(&Id) -> Option<Kept>, now: Tick) -> Self {
        let alarms: Vec<Alarm> = rules
            .into_iter()
            .map(|rule| (kept(&rule.id), rule))
            .map(|(kept, rule)| Alarm::new(rule, kept, now))
            .collect();
        let (mut sources, mut about, mut owns) = (BTreeMap::new(), Vec::<Vec<Tied>>::new(), Vec::new());
        for (position, alarm) in alarms.iter().enumerate() {
            let mut slot = |source: &Source| {
                let next = about.len();
                let slot = *sources.entry(source.clone()).or_insert(next);
                if slot == next {
                    about.push(Vec::new());
                }
                slot
            };
            let own = slot(&alarm.rule.source);
            let other = match &alarm.rule.condition {
                Condition::Deviation { from, .. } => Some(slot(from)),
                _ => None,
            };
            owns.push(own);
            for slot in std::iter::once(own).chain(other) {
                about[slot].push(Tied { position, own, other });
            }
        }
        let by_id =
            alarms.iter().enumerate().map(|(position, alarm)| (alarm.rule.id.clone(), position)).collect();
        let seen = vec![Seen { calm: Calm::NEVER, good: f64::NAN, is_good: false }; about.len()];
        let (first_out, load, silent) = (BTreeMap::new(), Load::default(), BTreeSet::new());
        Self { alarms, by_id, sources, seen, about, own: owns, soonest: Tick(0), first_out, load, silent }
    }

    /// The number of a point that alarms are about.
    #[must_use]
    pub fn source(&self, source: &Source) -> Option<usize> {
        self.sources.get(source).copied()
    }

    /// A sample of a point by its number: its value, or none that is good.
    pub fn sample(&mut self, now: Tick, source: usize, value: Option<f64>) -> Vec<Transition> {
        let Some(seen) = self.seen.get_mut(source) else { return Vec::new() };
        seen.is_good = value.is_some();
        if let Some(value) = value {
            seen.good = value;
            if seen.calm.admits(value) {
                return Vec::new();
            }
        }
        let tied = std::mem::take(&mut self.about[source]);
        let mut told = Vec::new();
        for Tied { position, own, other } in &tied {
            let other = other.and_then(|other| self.seen[other].value());
            let alarm = &mut self.alarms[*position];
            match self.seen[*own].value() {
                Some(own) if value.is_some() => alarm.good(now, own, other),
                _ => alarm.bad(),
            }
        }
        for Tied { position, .. } in &tied {
            told.extend(self.look(now, &[*position]));
        }
        self.about[source] = tied;
        self.calm(source);
        told
    }

    /// Finds out which values of a source change nothing.
    fn calm(&mut self, source: usize) {
        let calm = self.about[source].iter().map(|tied| self.alarms[tied.position].calm());
        self.seen[source].calm = calm.fold(Calm::ALWAYS, Calm::and);
    }

    /// Lets delays and shelves run out.
    pub fn tick(&mut self, now: Tick) -> Vec<Transition> {
        if now < self.soonest {
            return Vec::new();
        }
        let all: Vec<usize> = (0..self.alarms.len()).collect();
        self.soonest = Tick(u64::MAX);
        let told = self.look(now, &all);
        self.soonest = self.next_due().unwrap_or(Tick(u64::MAX));
        told
    }

    /// When [`Engine::tick`] has something to do next.
    #[must_use]
    pub fn next_due(&self) -> Option<Tick> {
        self.alarms.iter().filter_map(Alarm::next_due).min()
    }

    /// Remembers when an alarm must be looked at.
    fn expect(&mut self, position: usize) {
        let due = self.alarms[position].next_due().unwrap_or(Tick(u64::MAX));
        self.soonest = self.soonest.min(due);
    }

    fn look(&mut self, now: Tick, positions: &[usize]) -> Vec<Transition> {
        let mut told = Vec::new();
        for position in positions {
            if self.alarms[*position].next_due().is_some_and(|due| due <= now) {
                for event in self.alarms[*position].ripen(now) {
                    told.extend(self.step(now, *position, event));
                    told.extend(self.design(now, *position));
                }
                if !self.about[self.own[*position]].is_empty() {
                    self.calm(self.own[*position]);
                }
            }
            self.expect(*position);
        }
        told
    }

    /// Silences, or lets speak, what the design ties to this alarm.
    fn design(&mut self, now: Tick, cause: usize) -> Vec<Transition> {
        let (id, is_active) = (self.alarms[cause].rule.id.clone(), self.alarms[cause].is_active);
        let event = if is_active { Event::Suppress } else { Event::Unsuppress };
        let tied: Vec<usize> = (0..self.alarms.len())
            .filter(|position| self.alarms[*position].rule.suppressed_by.as_ref() == Some(&id))
            .filter(|position| is_active || !self.silent.contains(&self.alarms[*position].rule.id))
            .collect();
        tied.into_iter().filter_map(|position| self.step(now, position, event)).collect()
    }

    /// From now on these are silent by design, and no others for that reason.
    pub fn silence(&mut self, now: Tick, silent: BTreeSet<Id>) -> Vec<Transition> {
        self.silent = silent;
        let mut told = Vec::new();
        for position in 0..self.alarms.len() {
            let event = match self.alarms[position].state {
                State::Suppressed if !self.is_silenced(position) => Event::Unsuppress,
                State::Suppressed | State::Shelved | State::OutOfService => continue,
                _ if self.silent.contains(&self.alarms[position].rule.id) => Event::Suppress,
                _ => continue,
            };
            told.extend(self.step(now, position, event));
        }
        told
    }

    /// Whether the design silences it now.
    fn is_silenced(&self, position: usize) -> bool {
        let rule = &self.alarms[position].rule;
        let cause = rule.suppressed_by.as_ref().and_then(|id| self.by_id.get(id));
        self.silent.contains(&rule.id) || cause.is_some_and(|cause| self.alarms[*cause].is_active)
    }

    fn step(&mut self, now: Tick, position: usize, event: Event) -> Option<Transition> {
        let from = match self.alarms[position].step(now, event) {
            Some(from) => from,
            // In silence it is still evaluated and journaled.
            None if self.alarms[position].state.is_silent()
                && matches!(event, Event::Raised | Event::Cleared) =>
            {
                self.alarms[position].state
            }
            None => return None,
        };
        let is_first_out = self.is_first_out(position);
        let alarm = &self.alarms[position];
        if alarm.state == State::Unacknowledged && from != alarm.state {
            self.load.announced(now, position);
        }
        let (alarm, to) = (alarm.rule.id.clone(), alarm.state);
        Some(Transition { alarm, from, to, event, value: self.value(position), is_first_out })
    }

    /// Keeps which alarm of a group was first; a group is over when none of it stands.
    fn is_first_out(&mut self, position: usize) -> bool {
        let Some(group) = self.alarms[position].rule.group.clone() else { return false };
        let stands = |alarm: &Alarm| alarm.rule.group.as_ref() == Some(&group) && alarm.state.is_standing();
        if !self.alarms.iter().any(stands) {
            self.first_out.remove(&group);
            return false;
        }
        if !self.alarms[position].state.is_standing() {
            return false;
        }
        *self.first_out.entry(group).or_insert(position) == position
    }

    /// Does what a person asks.
    pub fn act(&mut self, now: Tick, id: &Id, action: Action) -> Result<Vec<Transition>, Refused> {
        let position = *self.by_id.get(id).ok_or_else(|| Refused::Unknown(id.clone()))?;
        let alarm = &self.alarms[position];
        let (event, word) = match action {
            Action::Acknowledge => (Event::Acknowledge, "acknowledging"),
            Action::Reset => (Event::Reset, "resetting"),
            Action::Shelve(shelf) => {
                let most = alarm.rule.shelve_at_most.ok_or(Refused::NotShelvable)?;
                if shelf.span > most {
                    return Err(Refused::TooLong(most));
                }
                (Event::Shelve, "shelving")
            }
            Action::Unshelve => (Event::Unshelve, "unshelving"),
            Action::TakeOut => (Event::TakeOut, "taking out of service"),
            Action::PutBack => (Event::PutBack, "putting back"),
        };
        let state = alarm.state;
        if state == State::LatchedAcknowledged && event == Event::Reset && alarm.is_active {
            return Err(Refused::StillActive);
        }
        let step = self.step(now, position, event).ok_or(Refused::Meaningless { state, action: word })?;
        if let Action::Shelve(shelf) = action {
            self.alarms[position].shelved = Some((now.after(shelf.span), shelf.is_one_shot));
            self.expect(position);
        }
        let mut told = vec![step];
        // Out of silence by a person, back into it by design.
        if self.is_silenced(position) && !self.alarms[position].state.is_silent() {
            told.extend(self.step(now, position, Event::Suppress));
        }
        Ok(told)
    }

    /// Every alarm.
    pub fn alarms(&self) -> impl Iterator<Item = View<'_>> {
        self.alarms.iter().enumerate().map(|(position, alarm)| View {
            rule: &alarm.rule,
            state: alarm.state,
            is_active: alarm.is_active,
            since: alarm.since,
            value: self.value(position),
            shelved_until: alarm.shelved.map(|(until, _)| until),
            is_waiting: alarm.is_waiting(),
        })
    }

    /// The latest good value of an alarm's point.
    fn value(&self, position: usize) -> Option<f64> {
        Some(self.seen[self.own[position]].good).filter(|good| !good.is_nan())
    }

    /// What must survive a restart of one alarm.
    #[must_use]
    pub fn kept(&self, id: &Id, now: Tick) -> Option<Kept> {
        self.by_id.get(id).map(|position| self.alarms[*position].kept(now))
    }

    /// How busy people are with alarms.
    pub fn load(&mut self, now: Tick) -> &Load {
        self.load.forget(now);
        &self.load
    }

    /// How many stand, by priority.
    #[must_use]
    pub fn standing(&self, priority: Priority) -> usize {
        let stands = |alarm: &&Alarm| alarm.rule.priority == priority && alarm.state.is_standing();
        self.alarms.iter().filter(stands).count()
    }
}

// === impl Seen ===

impl Seen {
    /// The latest value, when it is good.
    fn value(self) -> Option<f64> {
        self.is_good.then_some(self.good)
    }
}
