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
use crate::Id;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mode::Run;

    fn id(text: &str) -> Id {
        Id::new(text).unwrap()
    }

    fn policy() -> Policy {
        let seconds = Duration::from_secs;
        let ruling =
            |alarm: &str, silent_for| Ruling { alarm: id(alarm), why: "停用".to_owned(), silent_for };
        let notice = |kiosk: &str, drill| Notice { kiosk: id(kiosk), text: "暂停服务".to_owned(), drill };
        Policy {
            devices: vec![Reading { device: id("air"), poll: Some(seconds(5)), is_urgent: true }],
            alarms: vec![ruling("hot.cold", Some(seconds(3600))), ruling("specimen.warm", None)],
            kiosks: vec![notice("k1", Drill::Live), notice("k2", Drill::Simulate)],
        }
    }

    fn in_force(policy: &Policy, class: Class, age: u64) -> (InForce, Option<Duration>) {
        InForce::of([Standing { plan: "a@1", policy, class, age: Duration::from_secs(age) }])
    }

    #[test]
    fn a_silence_has_a_reason_and_an_end() {
        let policy = policy();
        let (all, next) = in_force(&policy, Class::Actual, 600);
        assert_eq!(
            (all.silent[&id("hot.cold")].as_str(), next),
            ("停用 (a@1)", Some(Duration::from_secs(3000)))
        );
        let (all, next) = in_force(&policy, Class::Actual, 3600);
        assert_eq!((all.silent.len(), next, all.awake.len()), (0, None, 1));
    }

    #[test]
    fn a_drill_silences_nothing_and_its_texts_say_so() {
        let (all, _) = in_force(&policy(), Class::Exercise, 0);
        assert_eq!((all.silent.len(), all.awake.len()), (0, 0));
        assert_eq!(all.notices, [(id("k1"), "【演练】暂停服务【演练】".to_owned())].into());
        assert!(all.urgent.contains(&id("air")));
        let (all, _) = in_force(&policy(), Class::Actual, 0);
        assert_eq!(all.notices.values().map(String::as_str).collect::<Vec<_>>(), ["暂停服务", "暂停服务"]);
    }

    #[test]
    fn several_come_to_the_more_careful() {
        let mut other = policy();
        other.devices[0] =
            Reading { device: id("air"), poll: Some(Duration::from_secs(2)), is_urgent: false };
        other.alarms = vec![Ruling { alarm: id("hot.cold"), why: "要听".to_owned(), silent_for: None }];
        let standing = |policy| Standing { plan: "a@1", policy, class: Class::Actual, age: Duration::ZERO };
        let first = policy();
        let (all, _) = InForce::of([standing(&first), standing(&other)]);
        assert_eq!(all.polls[&id("air")], Duration::from_secs(2));
        assert!(all.urgent.contains(&id("air")) && !all.silent.contains_key(&id("hot.cold")));
        assert_eq!(InForce::of([]).0, InForce::default());
    }

    #[test]
    fn it_holds_from_the_commitment_until_peace() {
        let order = |direction| OrderRef {
            id: "1".to_owned(),
            class: Class::Actual,
            direction,
            plan: "a@1".to_owned(),
        };
        let at = |direction, phase| State {
            phase,
            run: Some(Run::new(order(direction), 0, 0)),
            ..State::default()
        };
        let own = |_: &OrderRef| "own";
        use Direction::{Enter, Return};
        assert_eq!(holds(None, &at(Enter, Phase::Preview), own), None);
        assert_eq!(holds(Some("drill"), &at(Enter, Phase::Preview), own), None);
        for phase in [Phase::Running, Phase::Held, Phase::Ready, Phase::Degraded, Phase::Proving] {
            assert_eq!(holds(None, &at(Enter, phase), own), Some("own"));
            assert_eq!(holds(Some("entered"), &at(Return, phase), own), Some("entered"));
        }
        assert_eq!(holds(Some("entered"), &at(Return, Phase::Preview), own), Some("entered"));
        assert_eq!(holds(Some("entered"), &State::default(), own), None);
    }
}
