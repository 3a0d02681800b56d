//! How a centre's data are treated while a room is in its emergency role: devices to poll more often,
//! values to send in the alarm lane, alarms to suppress or enable, texts for kiosks.
//!
//! A policy is in force from the commit of the order until the room is in peace again. Several policies
//! combine to the most careful: the shorter poll interval, the urgent lane, and no suppression of an
//! alarm that one of them needs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::event::OrderRef;
use super::plan::{Class, Direction, Drill};
use super::state::{Phase, State};
use linli_domain::Id;

/// The data policy of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Devices, each once.
    pub devices: Vec<Reading>,
    /// Alarms.
    pub alarms: Vec<Ruling>,
    /// Kiosks.
    pub kiosks: Vec<Notice>,
}

/// How a device is polled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// The device.
    pub device: Id,
    /// Longest poll interval.
    pub poll: Option<Duration>,
    /// Whether its values use the alarm lane.
    pub is_urgent: bool,
}

/// How an alarm is treated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruling {
    /// Id of the alarm.
    pub alarm: Id,
    /// The reason.
    pub why: String,
    /// Longest suppression; `None` enables an alarm that is only active under a plan.
    pub silent_for: Option<Duration>,
}

/// Text that a kiosk shows in place of its service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The kiosk.
    pub kiosk: Id,
    /// The text.
    pub text: String,
    /// Text in a drill.
    pub drill: Drill,
}

/// A policy in force, with its plan and age.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'p> {
    /// The plan, `id@version`.
    pub plan: &'p str,
    /// The policy.
    pub policy: &'p Policy,
    /// Actual or exercise.
    pub class: Class,
    /// Time since the order was committed.
    pub age: Duration,
}

/// The combination of all policies in force.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InForce {
    /// Longest poll intervals, by device.
    pub polls: BTreeMap<Id, Duration>,
    /// Devices whose values use the alarm lane.
    pub urgent: BTreeSet<Id>,
    /// Suppressed alarms, and why.
    pub silent: BTreeMap<Id, String>,
    /// Alarms that are enabled only now, and why.
    pub awake: BTreeMap<Id, String>,
    /// Texts of kiosks.
    pub notices: BTreeMap<Id, String>,
}

/// Returns the text that people see in a drill: in drill brackets.
#[must_use]
pub fn bracketed(text: &str) -> String {
    format!("{DRILL}{text}{DRILL}")
}

/// Returns the text without drill brackets; a text without them is unchanged.
#[must_use]
pub fn unbracketed(text: &str) -> &str {
    text.strip_prefix(DRILL).and_then(|text| text.strip_suffix(DRILL)).unwrap_or(text)
}

/// Begins and ends every text of a drill.
const DRILL: &str = "【演练】";

/// Returns what is in force in `state`: `own` of the order that entered the plan, until the room is in
/// peace. `before` is what was in force before.
#[must_use]
pub fn holds<T>(before: Option<T>, state: &State, own: impl FnOnce(&OrderRef) -> T) -> Option<T> {
    let run = state.run.as_ref()?;
    match (run.order.direction, state.phase) {
        (_, Phase::Peace) => None,
        // Before the commit no policy is in force; an actual order ends the policy of a drill.
        (Direction::Enter, Phase::Preview) => None,
        (Direction::Enter, _) => Some(own(&run.order)),
        (Direction::Return, _) => before,
    }
}

// === impl InForce ===

impl InForce {
    /// Combines policies in force. Also returns the time until the next suppression ends.
    #[must_use]
    pub fn of<'p>(standing: impl IntoIterator<Item = Standing<'p>>) -> (Self, Option<Duration>) {
        let (mut all, mut next): (Self, Option<Duration>) = (Self::default(), None);
        for Standing { plan, policy, class, age } in standing {
            for reading in &policy.devices {
                all.read(reading);
            }
            let is_drill = class == Class::Exercise;
            for notice in &policy.kiosks {
                let text = match (is_drill, notice.drill) {
                    (false, _) => notice.text.clone(),
                    (true, Drill::Live) => bracketed(&notice.text),
                    (true, Drill::Simulate | Drill::Skip) => continue,
                };
                all.notices.entry(notice.kiosk.clone()).or_insert(text);
            }
            // A drill does not change how the kitchen is used: its alarms stay active, and alarms that
            // need the emergency role stay inactive.
            for ruling in policy.alarms.iter().filter(|_| !is_drill) {
                let why = format!("{} ({plan})", ruling.why);
                match ruling.silent_for {
                    None => drop(all.awake.entry(ruling.alarm.clone()).or_insert(why)),
                    Some(span) if age < span => {
                        let left = span - age;
                        next = Some(next.map_or(left, |next| next.min(left)));
                        all.silent.entry(ruling.alarm.clone()).or_insert(why);
                    }
                    Some(_) => {}
                }
            }
        }
        let Self { silent, awake, .. } = &mut all;
        silent.retain(|alarm, _| !awake.contains_key(alarm));
        (all, next)
    }

    fn read(&mut self, reading: &Reading) {
        if let Some(poll) = reading.poll {
            let slot = self.polls.entry(reading.device.clone()).or_insert(poll);
            *slot = (*slot).min(poll);
        }
        if reading.is_urgent {
            self.urgent.insert(reading.device.clone());
        }
    }
}
