//! The alarms of a centre: evaluates samples and applies actions of people.

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

/// Every alarm, the latest samples, and the alarm load.
#[derive(Debug)]
pub struct Engine {
    alarms: Vec<Alarm>,
    by_id: BTreeMap<Id, usize>,
    sources: BTreeMap<Source, usize>,
    /// Latest sample per source.
    seen: Vec<Seen>,
    /// Per source, the alarms about it.
    about: Vec<Vec<Tied>>,
    /// Per alarm, its source.
    own: Vec<usize>,
    /// When the next delay or shelf ends at the earliest.
    soonest: Tick,
    first_out: BTreeMap<Id, usize>,
    load: Load,
    /// Alarms suppressed by a mode.
    silent: BTreeSet<Id>,
}

/// The latest sample of a source. Small and contiguous, because every sample reads it.
#[derive(Debug, Clone, Copy)]
struct Seen {
    /// Values that change nothing.
    calm: Calm,
    /// The latest good value; NaN before the first.
    good: f64,
    /// Whether the latest sample was good.
    is_good: bool,
}

/// An alarm and the sources of its condition, resolved once because every sample needs them.
#[derive(Debug, Clone, Copy)]
struct Tied {
    position: usize,
    own: usize,
    other: Option<usize>,
}

/// One transition of one alarm: one journal record.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Transition {
    /// The alarm.
    pub alarm: Id,
    /// The state before.
    pub from: State,
    /// The present state.
    pub to: State,
    /// The event that caused it.
    pub event: Event,
    /// The latest value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// The first raised alarm of its group.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_first_out: bool,
}

/// An action of a person (ISA-18.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Acknowledges it.
    Acknowledge,
    /// Resets its latch.
    Reset,
    /// Shelves it.
    Shelve(Shelf),
    /// Ends the shelving.
    Unshelve,
    /// Takes it out of service.
    TakeOut,
    /// Returns it to service.
    PutBack,
}

/// Why an action was rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no such alarm.
    #[error("there is no alarm {0}")]
    Unknown(Id),
    /// The action does not apply in the alarm's state.
    #[error("the alarm is {}: {action} means nothing there", state.as_str())]
    Meaningless {
        /// The alarm's state.
        state: State,
        /// The action.
        action: &'static str,
    },
    /// The rule does not allow it.
    #[error("this alarm must not be shelved")]
    NotShelvable,
    /// The rule allows a shorter time only.
    #[error("this alarm may be shelved for {} s at most", .0.as_secs())]
    TooLong(Duration),
    /// The condition still holds.
    #[error("the condition still holds: the latch cannot be reset")]
    StillActive,
}

/// An alarm as shown to people.
#[derive(Debug, Clone, PartialEq)]
pub struct View<'e> {
    /// Its rule.
    pub rule: &'e Rule,
    /// The present state.
    pub state: State,
    /// Whether the condition holds.
    pub is_active: bool,
    /// Time in the present state.
    pub since: Tick,
    /// The latest value.
    pub value: Option<f64>,
    /// Remaining shelving time.
    pub shelved_until: Option<Tick>,
    /// Whether the condition holds and the on-delay is running.
    pub is_waiting: bool,
}

// === impl Engine ===

impl Engine {
    /// Creates the alarms of `rules`, each in the state it had when the process ended.
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

    /// Returns the number of a point that alarms refer to.
    #[must_use]
    pub fn source(&self, source: &Source) -> Option<usize> {
        self.sources.get(source).copied()
    }

    /// Evaluates a sample of a point; `None` when it has no good value. Returns the transitions.
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
        let mut transitions = Vec::new();
        for Tied { position, own, other } in &tied {
            let other = other.and_then(|other| self.seen[other].value());
            let alarm = &mut self.alarms[*position];
            match self.seen[*own].value() {
                Some(own) if value.is_some() => alarm.good(now, own, other),
                _ => alarm.bad(),
            }
        }
        for Tied { position, .. } in &tied {
            transitions.extend(self.look(now, &[*position]));
        }
        self.about[source] = tied;
        self.calm(source);
        transitions
    }

    /// Takes a value of a source that may be old: it raises alarms and ends none. Returns the transitions.
    pub fn doubtful(&mut self, now: Tick, source: usize, value: f64) -> Vec<Transition> {
        let Some(seen) = self.seen.get_mut(source) else { return Vec::new() };
        seen.is_good = false;
        let tied = std::mem::take(&mut self.about[source]);
        let mut transitions = Vec::new();
        for Tied { position, own, .. } in &tied {
            let alarm = &mut self.alarms[*position];
            if *own == source {
                alarm.doubtful(now, value);
            } else {
                alarm.bad();
            }
        }
        for Tied { position, .. } in &tied {
            transitions.extend(self.look(now, &[*position]));
        }
        self.about[source] = tied;
        self.calm(source);
        transitions
    }

    /// Calculates which values of a source change no alarm.
    fn calm(&mut self, source: usize) {
        let calm = self.about[source].iter().map(|tied| self.alarms[tied.position].calm());
        self.seen[source].calm = calm.fold(Calm::ALWAYS, Calm::and);
    }

    /// Ends delays and shelvings that are due. Returns the transitions.
    pub fn tick(&mut self, now: Tick) -> Vec<Transition> {
        if now < self.soonest {
            return Vec::new();
        }
        let all: Vec<usize> = (0..self.alarms.len()).collect();
        self.soonest = Tick(u64::MAX);
        let transitions = self.look(now, &all);
        self.soonest = self.next_due().unwrap_or(Tick(u64::MAX));
        transitions
    }

    /// Returns when [`Engine::tick`] must be called next.
    #[must_use]
    pub fn next_due(&self) -> Option<Tick> {
        self.alarms.iter().filter_map(Alarm::next_due).min()
    }

    /// Updates when the next alarm is due.
    fn expect(&mut self, position: usize) {
        let due = self.alarms[position].next_due().unwrap_or(Tick(u64::MAX));
        self.soonest = self.soonest.min(due);
    }

    fn look(&mut self, now: Tick, positions: &[usize]) -> Vec<Transition> {
        let mut transitions = Vec::new();
        for position in positions {
            if self.alarms[*position].next_due().is_some_and(|due| due <= now) {
                for event in self.alarms[*position].ripen(now) {
                    transitions.extend(self.step(now, *position, event));
                    transitions.extend(self.design(now, *position));
                }
                if !self.about[self.own[*position]].is_empty() {
                    self.calm(self.own[*position]);
                }
            }
            self.expect(*position);
        }
        transitions
    }

    /// Suppresses the alarms that depend on this one, or ends their suppression.
    fn design(&mut self, now: Tick, cause: usize) -> Vec<Transition> {
        let (id, is_active) = (self.alarms[cause].rule.id.clone(), self.alarms[cause].is_active);
        let event = if is_active { Event::Suppress } else { Event::Unsuppress };
        let tied: Vec<usize> = (0..self.alarms.len())
            .filter(|position| self.alarms[*position].rule.suppressed_by.as_ref() == Some(&id))
            .filter(|position| is_active || !self.silent.contains(&self.alarms[*position].rule.id))
            .collect();
        tied.into_iter().filter_map(|position| self.step(now, position, event)).collect()
    }

    /// Sets the alarms that a mode suppresses; all others are released.
    pub fn silence(&mut self, now: Tick, silent: BTreeSet<Id>) -> Vec<Transition> {
        self.silent = silent;
        let mut transitions = Vec::new();
        for position in 0..self.alarms.len() {
            let event = match self.alarms[position].state {
                State::Suppressed if !self.is_silenced(position) => Event::Unsuppress,
                State::Suppressed | State::Shelved | State::OutOfService => continue,
                _ if self.silent.contains(&self.alarms[position].rule.id) => Event::Suppress,
                _ => continue,
            };
            transitions.extend(self.step(now, position, event));
        }
        transitions
    }

    /// Whether it is suppressed by design now.
    fn is_silenced(&self, position: usize) -> bool {
        let rule = &self.alarms[position].rule;
        let cause = rule.suppressed_by.as_ref().and_then(|id| self.by_id.get(id));
        self.silent.contains(&rule.id) || cause.is_some_and(|cause| self.alarms[*cause].is_active)
    }

    fn step(&mut self, now: Tick, position: usize, event: Event) -> Option<Transition> {
        let from = match self.alarms[position].step(now, event) {
            Some(from) => from,
            // A silent alarm is still evaluated and journaled.
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

    /// Tracks the first alarm of each group; a group ends when none of its alarms is active.
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

    /// Applies an action. Returns the transitions, or why the action was rejected.
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
        let mut transitions = vec![step];
        // An unshelved alarm may be suppressed by design again.
        if self.is_silenced(position) && !self.alarms[position].state.is_silent() {
            transitions.extend(self.step(now, position, Event::Suppress));
        }
        Ok(transitions)
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

    /// Returns the state of one alarm that must survive a restart.
    #[must_use]
    pub fn kept(&self, id: &Id, now: Tick) -> Option<Kept> {
        self.by_id.get(id).map(|position| self.alarms[*position].kept(now))
    }

    /// Returns the alarm load.
    pub fn load(&mut self, now: Tick) -> &Load {
        self.load.forget(now);
        &self.load
    }

    /// Returns the number of active alarms by priority.
    #[must_use]
    pub fn standing(&self, priority: Priority) -> usize {
        let stands = |alarm: &&Alarm| alarm.rule.priority == priority && alarm.state.is_standing();
        self.alarms.iter().filter(stands).count()
    }
}

// === impl Seen ===

impl Seen {
    /// Returns the latest value if it is good.
    fn value(self) -> Option<f64> {
        self.is_good.then_some(self.good)
    }
}
