//! A claim does not stand while nothing is heard of the evidence that it rests on.

use std::time::Duration;

use super::super::event::{Effect, Event, Timer};
use super::super::resolved_plan::{Action, Condition, ResolvedPlan};
use super::super::state::{Cause, Fire, Phase, Silent, State};
use super::super::truth::Truth;
use super::{Room, SafetyRule};

/// Time until a room that is in use is held because nothing is heard of its fire panel: nobody in it
/// would be told of a fire. Long enough to repair a cable or to post a person.
const SILENCE: Duration = Duration::from_mins(10);

// === impl Room ===

impl Room<'_> {
    /// Returns whether evidence is silent that a claim rests on.
    pub(super) fn is_silent(&self) -> bool {
        self.keeps(SafetyRule::SilenceIsTold) && !self.state.silent(self.resolved).is_empty()
    }

    /// Limits the time for which a room is used while nothing is heard of the fire panel.
    pub(super) fn watch_panel(&mut self, before: &State, event: &Event) {
        if !self.keeps(SafetyRule::SilenceIsTold) {
            return;
        }
        let was = before.is_without_panel(self.resolved) && *event != Event::Restarted;
        let is = self.state.is_without_panel(self.resolved);
        let is_cleared = self.effects.contains(&Effect::DisarmAll);
        if is && (!was || is_cleared) {
            self.arm(Timer::Silent, SILENCE);
        } else if was && !is && !is_cleared {
            self.disarm(Timer::Silent);
        }
    }

    /// Holds a room whose fire panel was silent for too long.
    pub(super) fn silence_over(&mut self) {
        if self.state.is_without_panel(self.resolved) {
            self.hold(Cause::Silent);
        }
    }
}

// === impl State ===

impl State {
    /// Returns the evidence of which nothing is heard and without which the room is not ready: the fire
    /// panel if the plan asks for it, the door contacts, the sensors for people. `resolved` is the plan of
    /// the run. Nothing on a return, which claims no more than that the outputs are safe.
    #[must_use]
    pub fn silent(&self, resolved: &ResolvedPlan) -> Vec<Silent> {
        let Some(run) = self.run.as_ref().filter(|run| !run.is_return()) else { return Vec::new() };
        let panel = (self.fire == Fire::Unknown && heeds_fire(resolved)).then_some(Silent::FirePanel);
        let unknown =
            |predicate: &&usize| run.truths.get(**predicate).is_none_or(|truth| *truth == Truth::Unknown);
        let sensors = resolved.opened.iter().chain(&resolved.occupied).filter(unknown);
        panel.into_iter().chain(sensors.map(|predicate| Silent::Predicate(*predicate))).collect()
    }

    /// Returns whether the room is in use while nothing is heard of its fire panel.
    fn is_without_panel(&self, resolved: &ResolvedPlan) -> bool {
        matches!(self.phase, Phase::Ready | Phase::Degraded | Phase::Proving)
            && self.silent(resolved).contains(&Silent::FirePanel)
    }
}

/// Returns whether a guard of the plan asks for the fire panel.
fn heeds_fire(resolved: &ResolvedPlan) -> bool {
    resolved.steps.iter().any(|step| {
        let remedy = match &step.action {
            Action::Actuate { compensate: Some((_, pre)), .. } => pre.as_slice(),
            _ => &[],
        };
        step.pre.iter().chain(remedy).any(|cond| *cond == Condition::NoFire)
    })
}
