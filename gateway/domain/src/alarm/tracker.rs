//! One alarm: condition, delays, state.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Tick;
use super::calm::Calm;
use super::rule::{Condition, Rule};
use super::state::{Event, State};

/// Share of the dead-band that counts while an alarm waits to be raised.
const WAITING: f64 = 0.25;

/// A rate is taken over this long, and over no less than a sixth of it.
const RATE_OVER: Duration = Duration::from_secs(60);

/// The part of an alarm that survives a restart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// Its state.
    pub state: State,
    /// Whether its condition held.
    pub is_active: bool,
    /// How long it is still shelved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shelf: Option<Shelf>,
    /// How long the condition has held already, while the alarm waits to be raised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waited: Option<Duration>,
}

/// How an alarm is shelved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shelf {
    /// The duration.
    pub span: Duration,
    /// Whether it also ends when the condition no longer holds.
    pub is_one_shot: bool,
}

/// An alarm.
#[derive(Debug, Clone)]
pub(super) struct Alarm {
    pub rule: Rule,
    pub state: State,
    /// Whether the condition holds, after the delays.
    pub is_active: bool,
    /// When the state was entered.
    pub since: Tick,
    pub shelved: Option<(Tick, bool)>,
    /// Whether the condition holds, before the delays.
    raw: bool,
    /// When `is_active` follows `raw`.
    due: Option<Tick>,
    recent: VecDeque<(Tick, f64)>,
}

// === impl Alarm ===

impl Alarm {
    pub fn new(rule: Rule, kept: Option<Kept>, now: Tick) -> Self {
        let kept = kept.unwrap_or_default();
        let shelved = kept.shelf.map(|shelf| (now.after(shelf.span), shelf.is_one_shot));
        let is_silence = rule.condition == Condition::Silent;
        // Nothing was heard yet: the wait for the first sample begins.
        let due = (is_silence && !kept.is_active).then(|| now.after(rule.on_delay));
        let Kept { state, is_active, .. } = kept;
        // What was waited for before the restart counts; the first value says whether it still holds.
        let waited = kept.waited.filter(|_| !is_active && !is_silence);
        let due = due.or_else(|| waited.map(|waited| now.after(rule.on_delay.saturating_sub(waited))));
        let raw = is_active || is_silence || waited.is_some();
        Self { rule, state, is_active, since: now, shelved, raw, due, recent: VecDeque::new() }
    }

    pub fn kept(&self, now: Tick) -> Kept {
        let shelf = self.shelved.map(|(until, is_one_shot)| Shelf { span: until.since(now), is_one_shot });
        Kept { state: self.state, is_active: self.is_active, shelf, waited: self.waited(now) }
    }

    /// Whether the condition holds and the delay runs.
    pub fn is_waiting(&self) -> bool {
        let is_silence = self.rule.condition == Condition::Silent;
        self.raw && !self.is_active && !is_silence && self.due.is_some()
    }

    /// How long the condition has held, of an alarm that waits to be raised.
    pub fn waited(&self, now: Tick) -> Option<Duration> {
        let due = self.due.filter(|_| self.is_waiting())?;
        Some(self.rule.on_delay.saturating_sub(due.since(now)))
    }

    /// A good value of its point (and the latest of the other probe's).
    pub fn good(&mut self, now: Tick, value: f64, other: Option<f64>) {
        let holds = match &self.rule.condition {
            Condition::Silent => {
                if self.is_active {
                    return self.follow(now, false);
                }
                // From now on the next one is waited for.
                self.due = Some(now.after(self.rule.on_delay));
                return;
            }
            Condition::Rate { per_minute } => {
                let per_minute = *per_minute;
                self.rate(now, value)
                    .map(|rate| if per_minute < 0.0 { rate <= per_minute } else { rate >= per_minute })
            }
            condition => condition.holds(value, other, self.share()),
        };
        if let Some(holds) = holds {
            self.follow(now, holds);
        }
    }

    /// A value that may be old: it raises the alarm and never ends it, for what was dangerous may be so still.
    pub fn doubtful(&mut self, now: Tick, value: f64) {
        match self.rule.condition.holds(value, None, self.share()) {
            Some(true) => self.follow(now, true),
            _ => self.bad(),
        }
    }

    /// Returns the values that would change nothing.
    pub fn calm(&self) -> Calm {
        if self.raw || self.is_active || self.due.is_some() {
            return Calm::NEVER;
        }
        Calm::of(&self.rule.condition)
    }

    /// No good value: the last state is kept; what waited to be over waits for a good value.
    pub fn bad(&mut self) {
        self.recent.clear();
        if self.rule.condition == Condition::Silent {
            if self.is_active {
                (self.raw, self.due) = (true, None);
            }
        } else if self.is_active {
            self.due = None;
        }
    }

    /// How much of the dead-band counts. All of it for an alarm that stands. While it is not yet
    /// raised only a part: noise at the limit shall not begin the wait anew, a value well below
    /// the limit shall.
    fn share(&self) -> f64 {
        match (self.raw, self.is_active) {
            (false, _) => 0.0,
            (true, false) => WAITING,
            (true, true) => 1.0,
        }
    }

    fn follow(&mut self, now: Tick, holds: bool) {
        let was = std::mem::replace(&mut self.raw, holds);
        if holds == self.is_active {
            self.due = None;
        } else if self.due.is_none() || was != holds {
            let delay = if holds { self.rule.on_delay } else { self.rule.off_delay };
            self.due = Some(now.after(delay));
        }
    }

    fn rate(&mut self, now: Tick, value: f64) -> Option<f64> {
        self.recent.push_back((now, value));
        while self.recent.front().is_some_and(|(at, _)| now.since(*at) > RATE_OVER) {
            self.recent.pop_front();
        }
        let (at, first) = *self.recent.front()?;
        let passed = now.since(at);
        (passed >= RATE_OVER / 6).then(|| (value - first) / passed.as_secs_f64() * 60.0)
    }

    /// When it must be looked at next.
    pub fn next_due(&self) -> Option<Tick> {
        let shelved = self.shelved.map(|(until, _)| until);
        self.due.into_iter().chain(shelved).min()
    }

    /// Ends the delays and the shelving that are due at `now`.
    pub fn ripen(&mut self, now: Tick) -> Vec<Event> {
        let mut events = Vec::new();
        if self.due.is_some_and(|due| due <= now) {
            self.due = None;
            let is_over = self.is_active;
            self.is_active = !is_over;
            events.push(if is_over { Event::Cleared } else { Event::Raised });
            let waits_again = is_over && self.rule.condition == Condition::Silent;
            if waits_again {
                self.due = Some(now.after(self.rule.on_delay));
            }
        }
        let is_one_shot_over = |(_, is_one_shot): (Tick, bool)| is_one_shot && !self.is_active;
        if self.shelved.is_some_and(|shelf| shelf.0 <= now || (!events.is_empty() && is_one_shot_over(shelf)))
        {
            events.push(Event::Unshelve);
        }
        events
    }

    /// Applies an event. Returns the state before, if it changed.
    pub fn step(&mut self, now: Tick, event: Event) -> Option<State> {
        let next = self.state.next(event, self.rule.is_latching, self.is_active)?;
        let before = std::mem::replace(&mut self.state, next);
        self.since = now;
        if next != State::Shelved {
            self.shelved = None;
        }
        Some(before)
    }
}
