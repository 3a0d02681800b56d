//! Fire, stop, failed guards and restarts: the room is made safe and stays held until a person resumes
//! it.

use std::time::Duration;

use super::super::event::{Actor, Effect, Refused, Timer};
use super::super::plan::Class;
use super::super::state::{Cause, Fire, Phase, StepState};
use super::super::truth::Truth;
use super::{Room, SafetyRule};

/// Pause before the safe state of an output that is not proven is written again.
const SAFE_AGAIN: Duration = Duration::from_secs(5);

// === impl Room ===

impl Room<'_> {
    pub(super) fn fire(&mut self, alarm: Truth) {
        self.state.fire = match alarm {
            Truth::True => Fire::Alarm,
            Truth::False => Fire::Normal,
            // A panel that stops sending during an alarm has not ended it.
            Truth::Unknown if self.state.fire == Fire::Alarm => Fire::Alarm,
            Truth::Unknown => Fire::Unknown,
        };
        let concerned = !matches!(self.state.phase, Phase::Peace | Phase::Preview);
        if self.state.fire == Fire::Alarm && concerned && self.keeps(SafetyRule::FireHolds) {
            self.hold(Cause::Fire);
        } else {
            self.watch_guards();
        }
    }

    pub(super) fn stop(&mut self) -> Result<(), Refused> {
        let is_ignored = self.state.phase == Phase::Ready && !self.keeps(SafetyRule::StopAlways);
        if self.run().is_none() || is_ignored {
            return Err(self.meaningless("stopping"));
        }
        self.hold(Cause::Stop);
        Ok(())
    }

    /// Holds the room: ends all actions and makes moved outputs safe.
    pub(super) fn hold(&mut self, cause: Cause) {
        let Some(run) = self.run_mut() else { return };
        run.causes.insert(cause);
        let running: Vec<usize> =
            (0..run.steps.len()).filter(|step| run.steps[*step].is_in_flight()).collect();
        self.state.phase = Phase::Held;
        self.effects.push(Effect::DisarmAll);
        self.effects.extend(running.into_iter().map(Effect::Unlease));
        if self.keeps(SafetyRule::Rewalk) {
            self.rewalk();
        } else {
            self.skip_what_was_done();
        }
        self.make_safe();
    }

    fn make_safe(&mut self) {
        if !self.keeps(SafetyRule::SafeOnHold) {
            return;
        }
        let moved: Vec<usize> = self.run().map(|run| run.moved.iter().copied().collect()).unwrap_or_default();
        self.ask_safe(&moved);
    }

    /// Writes the safe states of outputs; no claim is made before they are read back.
    pub(super) fn ask_safe(&mut self, outputs: &[usize]) {
        for output in outputs {
            self.effects.push(Effect::Safe(*output));
            if let Some(run) = self.run_mut() {
                run.unproven.insert(*output);
            }
            self.forget(&self.resolved.safe[*output].touches);
        }
        if !outputs.is_empty() {
            self.arm(Timer::Safe, SAFE_AGAIN);
        }
    }

    pub(super) fn ask_safe_again(&mut self) {
        let unproven: Vec<usize> =
            self.run().map(|run| run.unproven.iter().copied().collect()).unwrap_or_default();
        if unproven.is_empty() {
            return;
        }
        self.effects.extend(unproven.into_iter().map(Effect::Safe));
        self.arm(Timer::Safe, SAFE_AGAIN);
    }

    /// Marks an output as proven once it reads safe; it no longer counts as moved.
    pub(super) fn prove_safe(&mut self, predicate: usize, truth: Truth) {
        if !truth.holds() || self.run().is_none_or(|run| run.unproven.is_empty()) {
            return;
        }
        let proven: Vec<usize> = (0..self.resolved.safe.len())
            .filter(|output| self.resolved.safe[*output].proof == Some(predicate))
            .collect();
        let Some(run) = self.run_mut() else { return };
        for output in proven {
            if run.unproven.remove(&output) {
                run.moved.remove(&output);
            }
        }
        if run.unproven.is_empty() {
            self.disarm(Timer::Safe);
        }
    }

    pub(super) fn resume(&mut self, who: &Actor, why: &str) -> Result<(), Refused> {
        if self.state.phase != Phase::Held {
            return Err(self.meaningless("resuming"));
        }
        self.needs("resuming", &self.resolved.plan.lead, who)?;
        if why.trim().is_empty() {
            return Err(Refused::NoReason);
        }
        if self.state.fire != Fire::Normal && self.keeps(SafetyRule::ResumeWithoutFire) {
            return Err(Refused::Fire);
        }
        // A cancelled run does not resume; it waits for the return plan.
        if let Some(run) = self.run_mut().filter(|run| run.causes.contains(&Cause::Cancel)) {
            run.causes = [Cause::Cancel].into();
            return Ok(());
        }
        self.effects.push(Effect::DisarmAll);
        if let Some(run) = self.run_mut() {
            run.causes.clear();
            run.unproven.clear();
        }
        self.rewalk();
        self.state.phase = Phase::Running;
        self.effects.push(Effect::Reread((0..self.resolved.predicates.len()).collect()));
        Ok(())
    }

    /// Applies a restart: predicates are unknown, people's evidence is void, no device is switched on by
    /// itself.
    pub(super) fn restarted(&mut self) {
        self.state.fire = Fire::Unknown;
        let (predicates, phase) = (self.resolved.predicates.len(), self.state.phase);
        let Some(run) = self.run_mut() else { return };
        run.truths = vec![Truth::Unknown; predicates];
        run.settled.clear();
        let class = run.order.class;
        // The remaining time of a waiver is unknown after a restart: a person must waive again.
        for state in &mut run.steps {
            if matches!(state, StepState::Waived(_)) {
                *state = StepState::Failed;
            }
        }
        self.effects.push(Effect::Reread((0..predicates).collect()));
        match phase {
            Phase::Peace => {}
            Phase::Preview if class == Class::Actual => {
                let grace = self.resolved.plan.grace;
                self.arm(Timer::Grace, grace);
            }
            Phase::Preview => {}
            Phase::Running if self.keeps(SafetyRule::Rewalk) => self.rewalk(),
            Phase::Running => self.skip_what_was_done(),
            Phase::Ready | Phase::Degraded | Phase::Proving if self.keeps(SafetyRule::ProveAgain) => {
                self.prove();
            }
            Phase::Ready | Phase::Degraded | Phase::Proving => {}
            Phase::Held if self.keeps(SafetyRule::HoldStays) => self.make_safe(),
            Phase::Held => {
                self.rewalk();
                self.state.phase = Phase::Running;
            }
        }
    }

    /// Used by a mutant of the model checker instead of checking all steps again: repeats the step under
    /// way, keeps completed steps.
    fn skip_what_was_done(&mut self) {
        let Some(run) = self.run_mut() else { return };
        for state in &mut run.steps {
            if !state.is_settled() {
                *state = StepState::Pending;
            }
        }
    }
}
