//! Readings of a room of which nothing follows: what was left out of its record, and the entry that stands for it.

use std::collections::BTreeSet;

use super::event::Event;
use super::record::ModeEvent;
use super::state::{Fire, State};
use super::truth::Truth;
use linli_domain::Id;
use linli_domain::audit::hex;

/// What was left out of the record since the last decision of a room.
#[derive(Debug, Default)]
pub struct LeftOut {
    predicates: BTreeSet<usize>,
    is_fire: bool,
}

/// Whether nothing follows from an event but that something is read otherwise. A fire and its end are no mere readings.
#[must_use]
pub fn is_mere_reading(before: &State, event: &Event, next: &State, has_effects: bool) -> bool {
    let is_reading = matches!(event, Event::Truth(..) | Event::Fire(Truth::False | Truth::Unknown));
    is_reading && !has_effects && before.fire != Fire::Alarm && before.is_same_but_readings(next)
}

// === impl LeftOut ===

impl LeftOut {
    /// Notes an event that is not recorded.
    pub fn note(&mut self, event: &Event) {
        match event {
            Event::Truth(predicate, _) => drop(self.predicates.insert(*predicate)),
            _ => self.is_fire = true,
        }
    }

    /// Everything is on record.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Returns the entry that says how what was left out is in that state now; none if nothing was.
    #[must_use]
    pub fn entry(&self, room: &Id, plan: Option<String>, state: &State) -> Option<ModeEvent> {
        if self.predicates.is_empty() && !self.is_fire {
            return None;
        }
        let truth = |predicate: usize| state.run.as_ref().and_then(|run| run.truths.get(predicate)).copied();
        let each = |predicate: &usize| (*predicate, truth(*predicate).unwrap_or_default());
        Some(ModeEvent::Readings {
            room: room.clone(),
            plan,
            truths: self.predicates.iter().map(each).collect(),
            fire: self.is_fire.then_some(state.fire),
            state: hex(&state.hash()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Phase;

    #[test]
    fn only_readings_of_which_nothing_follows_are_mere() {
        let of = |fire| State { fire, ..State::default() };
        let (normal, silent) = (of(Fire::Normal), of(Fire::Unknown));
        let is_mere = |before: &State, event, next: &State| is_mere_reading(before, &event, next, false);
        assert!(is_mere(&normal, Event::Fire(Truth::Unknown), &silent));
        assert!(!is_mere_reading(&normal, &Event::Fire(Truth::Unknown), &silent, true), "something follows");
        assert!(!is_mere(&of(Fire::Alarm), Event::Fire(Truth::False), &normal), "a fire is over");
        assert!(!is_mere(&normal, Event::Fire(Truth::True), &of(Fire::Alarm)));
        assert!(!is_mere(&normal, Event::Restarted, &silent));
        let held = State { phase: Phase::Held, ..silent.clone() };
        assert!(!is_mere(&normal, Event::Fire(Truth::Unknown), &held));
        let mut left_out = LeftOut::default();
        let room = Id::new("hall").unwrap();
        assert_eq!(left_out.entry(&room, None, &silent), None);
        left_out.note(&Event::Fire(Truth::Unknown));
        assert!(left_out.entry(&room, None, &silent).is_some());
        left_out.clear();
        assert_eq!(left_out.entry(&room, None, &silent), None);
    }
}
