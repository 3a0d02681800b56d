//! How a centre's data are treated while a room is in its emergency role: what is read more often,
//! what travels with the alarms, which alarms are silent or awake by design, what kiosks show.
//!
//! A policy is in force from the moment in which the order is committed until the room is in peace
//! again. Several at once add up to the more careful: the shorter poll, the urgent lane, and an
//! alarm that one of them needs is heard.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::event::OrderRef;
use super::plan::{Class, Direction, Drill};
use super::state::{Phase, State};
use linli_domain::Id;

/// What a plan says of data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Devices, each once.
    pub devices: Vec<Reading>,
    /// Alarms.
    pub alarms: Vec<Ruling>,
    /// Kiosks.
    pub kiosks: Vec<Notice>,
}

/// How a device is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The device.
    pub device: Id,
    /// At least this often.
    pub poll: Option<Duration>,
    /// Whether its values travel with the alarms.
    pub is_urgent: bool,
}

/// What is ruled of an alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// The alarm.
    pub alarm: Id,
    /// Why.
    pub why: String,
    /// Silent for this long at most; without an end it is one that only plans wake.
    pub silent_for: Option<Duration>,
}

/// What residents are shown instead of a kiosk's service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The kiosk.
    pub kiosk: Id,
    /// The text.
    pub text: String,
    /// What a drill makes of it.
    pub drill: Drill,
}

/// A policy that holds, for which plan and for how long already.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'p> {
    /// The plan, `id@version`.
    pub plan: &'p str,
    /// What it says.
    pub policy: &'p Policy,
    /// Whether it is meant.
    pub class: Class,
    /// Since the order was committed.
    pub age: Duration,
}

/// Everything that holds now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InForce {
    /// Devices that are read at least this often.
    pub polls: BTreeMap<Id, Duration>,
    /// Devices whose values travel with the alarms.
    pub urgent: BTreeSet<Id>,
    /// Alarms that are silent by design, and why.
    pub silent: BTreeMap<Id, String>,
    /// Alarms that are awake only now, and why.
    pub awake: BTreeMap<Id, String>,
    /// What kiosks show.
    pub notices: BTreeMap<Id, String>,
}

/// Text that people see in a drill.
#[must_use]
pub fn bracketed(text: &str) -> String {
    format!("{DRILL}{text}{DRILL}")
}

/// The text as it stands in the plan. One that is not in brackets stays as it is.
#[must_use]
pub fn unbracketed(text: &str) -> &str {
    text.strip_prefix(DRILL).and_then(|text| text.strip_suffix(DRILL)).unwrap_or(text)
}

/// What stands before and after every text of a drill.
const DRILL: &str = "【演练】";

/// Whether a policy holds after a step, and that of which run: of the plan that was entered, until
/// the room is in peace. `before` is what held before.
#[must_use]
pub fn holds<T>(before: Option<T>, state: &State, own: impl FnOnce(&OrderRef) -> T) -> Option<T> {
    let run = state.run.as_ref()?;
    match (run.order.direction, state.phase) {
        (_, Phase::Peace) => None,
        // Not committed; and what a drill brought ends when it is serious.
        (Direction::Enter, Phase::Preview) => None,
        (Direction::Enter, _) => Some(own(&run.order)),
        (Direction::Return, _) => before,
    }
}

// === impl InForce ===

impl InForce {
    /// Everything that these come to, and when the next silence ends by itself.
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
            // In a drill the kitchen is still a kitchen: its alarms are heard, and nothing is
            // watched that is not there.
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
