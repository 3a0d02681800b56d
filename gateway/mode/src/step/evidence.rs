//! Applies new evidence: which evidence it voids, which guards fail.

use super::super::event::{Effect, Timer};
use super::super::resolved_plan::Action;
use super::super::state::{Cause, Phase, StepState};
use super::super::truth::Truth;
use super::{Room, SafetyRule};
use crate::facility::Contents;

// === impl Room ===

impl Room<'_> {
    /// Updates a predicate, by evidence newer than the last request.
    pub(super) fn learn(&mut self, predicate: usize, truth: Truth) {
        let Some(run) = self.run_mut() else { return };
        let Some(slot) = run.truths.get_mut(predicate) else { return };
        *slot = truth;
        if self.keeps(SafetyRule::SweepIsVoided) {
            if self.resolved.occupied.contains(&predicate) && truth == Truth::True {
                self.void(|void_on| void_on.presence);
            }
            // A door without readings may have let somebody in.
            if self.resolved.opened.contains(&predicate) && truth != Truth::False {
                self.void(|void_on| void_on.door_opened);
            }
        }
        self.prove_safe(predicate, truth);
        if self.state.phase == Phase::Running {
            self.watch_guards();
        }
        for step in 0..self.resolved.steps.len() {
            if self.state.phase == Phase::Running && self.proofs(step).contains(&predicate) {
                self.look_at(step);
            }
        }
        self.watch_claim();
    }

    /// Voids people's evidence, and asks them again where it is still needed.
    fn void(&mut self, is_on: impl Fn(&super::super::plan::VoidOn) -> bool) {
        for step in 0..self.resolved.steps.len() {
            let Action::Human { void_on, .. } = &self.resolved.steps[step].action else { continue };
            if is_on(void_on) {
                self.void_step(step);
            }
        }
    }

    pub(super) fn too_old(&mut self, step: usize) {
        self.void_step(step);
        self.watch_guards();
    }

    pub(super) fn void_step(&mut self, step: usize) {
        let is_done = matches!(self.step_state(step), StepState::Verified(_));
        let Some(run) = self.run_mut() else { return };
        if is_done {
            run.voided.insert(step);
        } else {
            run.doers.remove(&step);
        }
    }

    /// Asks people again for void evidence that is still needed.
    pub(super) fn ask_again(&mut self) {
        let voided: Vec<usize> =
            self.run().map(|run| run.voided.iter().copied().collect()).unwrap_or_default();
        for step in voided {
            if !self.still_needed(step) {
                continue;
            }
            self.set_step(step, StepState::Pending);
            if let Some(run) = self.run_mut() {
                run.voided.remove(&step);
                run.doers.remove(&step);
            }
        }
    }

    /// Returns whether a step that depends on this one is open or under way.
    fn still_needed(&self, sweep: usize) -> bool {
        let rests = |step: &usize| {
            super::super::exits::precedes(self.resolved, sweep, *step)
                && self.resolved.steps[*step]
                    .pre
                    .iter()
                    .any(|cond| matches!(cond, super::Condition::Vacant(_) | super::Condition::FreeOf(_)))
        };
        (0..self.resolved.steps.len()).filter(rests).any(|step| !self.step_state(step).is_settled())
    }

    /// Holds the room when a guard fails during an action.
    pub(super) fn watch_guards(&mut self) {
        if self.state.phase != Phase::Running || !self.keeps(SafetyRule::GuardDuring) {
            return;
        }
        for step in 0..self.resolved.steps.len() {
            let is_moving = self.step_state(step).is_in_flight()
                && !matches!(self.resolved.steps[step].action, Action::Verify { .. })
                && *self.step_state(step) != StepState::Ending;
            if is_moving && !self.all(&self.resolved.steps[step].pre).holds() {
                self.effects.push(Effect::GuardRefused(step));
                return self.hold(Cause::Guard);
            }
        }
    }

    /// Returns whether every door of the room is known to be closed; an open one lets people in and out.
    pub(super) fn is_shut(&self) -> bool {
        self.resolved.opened.iter().all(|predicate| self.truth(*predicate) == Truth::False)
    }

    /// Returns whether at least `count` independent pieces of evidence show that the room is vacant:
    /// searches by people, and sensors that detect nobody. While one sensor is silent or doubtful
    /// nothing shows it, however many people searched: who comes in after them would not be noticed.
    pub(super) fn vacant(&self, count: u8) -> Truth {
        let sensors = &self.resolved.occupied;
        if sensors.iter().any(|sensor| self.truth(*sensor).holds()) {
            return Truth::False;
        }
        let is_unknown = sensors.iter().any(|sensor| self.truth(*sensor) == Truth::Unknown);
        if is_unknown && self.keeps(SafetyRule::UnknownIsNotVacant) {
            return Truth::Unknown;
        }
        let people: std::collections::BTreeSet<_> = (0..self.resolved.steps.len())
            .filter(|step| matches!(&self.resolved.steps[*step].action, Action::Human { is_sweep: true, .. }))
            .filter(|step| matches!(self.step_state(*step), StepState::Verified(_)))
            .filter(|step| !self.run().is_some_and(|run| run.voided.contains(step)))
            .filter_map(|step| self.run()?.doers.get(&step))
            .flatten()
            .collect();
        let needed = if self.keeps(SafetyRule::Evidences) { usize::from(count) } else { 1 };
        if people.len() + sensors.len() >= needed { Truth::True } else { Truth::Unknown }
    }

    /// Returns whether somebody removed these contents in this run.
    pub(super) fn free_of(&self, contents: Contents) -> Truth {
        if !self.resolved.contents.contains(&contents) || !self.keeps(SafetyRule::ClearedFirst) {
            return Truth::True;
        }
        let cleared = (0..self.resolved.steps.len()).any(|step| {
            matches!(&self.resolved.steps[step].action, Action::Human { clears, .. } if clears.contains(&contents))
                && matches!(self.step_state(step), StepState::Verified(_))
                && !self.run().is_some_and(|run| run.voided.contains(&step))
        });
        if cleared { Truth::True } else { Truth::Unknown }
    }

    fn is_open(&self, step: usize) -> bool {
        matches!(self.step_state(step), StepState::Asked | StepState::Blocked | StepState::Stuck)
    }

    /// Notifies the leading role that a step is past its deadline.
    pub(super) fn overdue(&mut self, step: usize) {
        if self.is_open(step) {
            let role = self.resolved.plan.lead.clone();
            self.effects.push(Effect::Escalate { step, role });
        }
    }

    pub(super) fn escalate(&mut self, step: usize, rung: usize) {
        let is_open = self.is_open(step);
        let role = self
            .resolved
            .steps
            .get(step)
            .and_then(|resolved_step| resolved_step.escalate.get(rung))
            .map(|(role, _)| role.clone());
        if let Some(role) = role.filter(|_| is_open) {
            self.effects.push(Effect::Escalate { step, role });
        }
    }

    pub(super) fn arm_void(&mut self, step: usize) {
        if let Action::Human { void_on, .. } = &self.resolved.steps[step].action
            && let Some(after) = void_on.after
        {
            self.arm(Timer::Void(step), after);
        }
    }
}
