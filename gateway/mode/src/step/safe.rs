//! Outputs on their way to their safe states: written until they are read back, and watched afterwards.

use std::collections::BTreeSet;
use std::time::Duration;

use super::super::event::{Effect, Timer};
use super::super::resolved_plan::{Action, Condition, Safe};
use super::super::state::{Phase, StepState};
use super::super::truth::Truth;
use super::{Room, SafetyRule};
use crate::event::ActionPhase;

/// Pause before the safe state of an output that is not proven is written again.
const SAFE_AGAIN: Duration = Duration::from_secs(5);

// === impl Room ===

impl Room<'_> {
    /// Makes safe every output that an action moved and that is not proven safe.
    pub(super) fn make_safe(&mut self) {
        if !self.keeps(SafetyRule::SafeOnHold) {
            return;
        }
        let moved: Vec<usize> = self.run().map(|run| run.moved.iter().copied().collect()).unwrap_or_default();
        self.ask_safe(&moved);
    }

    /// Makes safe every output that an action moved; no device acts before they are proven.
    pub(super) fn make_safe_first(&mut self) {
        self.make_safe();
        self.await_safety();
    }

    /// Counts as moved again every watched output of which nothing is heard in this run: it was read to be
    /// safe before, and may have been moved since.
    pub(super) fn doubt_watched(&mut self) -> Vec<usize> {
        let is_unheard = |output: &usize| {
            let proof = self.resolved.safe.get(*output).and_then(|safe| safe.proof);
            proof.is_some_and(|proof| !self.truth(proof).holds())
        };
        let Some(run) = self.run() else { return Vec::new() };
        let unheard: Vec<usize> = run.watched.iter().copied().filter(is_unheard).collect();
        if let Some(run) = self.run_mut() {
            run.watched.retain(|output| !unheard.contains(output));
            run.moved.extend(unheard.iter().copied());
        }
        unheard
    }

    /// Does the same after a restart, which also ends the proofs.
    pub(super) fn release(&mut self) {
        if !self.keeps(SafetyRule::RestartReleases) {
            return;
        }
        if let Some(run) = self.run_mut() {
            let watched = std::mem::take(&mut run.watched);
            run.moved.extend(watched);
        }
        self.make_safe_first();
    }

    /// After a restart of a room that was ready: the searches of people are void, and what was set
    /// because nobody was inside is made safe until they search again.
    pub(super) fn release_what_was_searched(&mut self) {
        if !self.keeps(SafetyRule::RestartReleases) {
            return;
        }
        let mut outputs: BTreeSet<usize> = BTreeSet::new();
        for step in 0..self.resolved.steps.len() {
            let resolved_step = &self.resolved.steps[step];
            match &resolved_step.action {
                Action::Human { is_sweep, clears, .. } if *is_sweep || !clears.is_empty() => {
                    self.void_step(step);
                }
                Action::Actuate { is_superseded: false, .. }
                    if resolved_step.pre.iter().any(|cond| matches!(cond, Condition::Vacant(_)))
                        && matches!(self.step_state(step), StepState::Verified(_) | StepState::AlreadyOk) =>
                {
                    outputs.extend(self.outputs(step));
                    self.set_step(step, StepState::Failed);
                }
                _ => {}
            }
        }
        if let Some(run) = self.run_mut() {
            outputs.retain(|output| run.moved.contains(output));
            let watched = std::mem::take(&mut run.watched);
            run.moved.extend(watched.iter().copied());
            outputs.extend(watched);
        }
        self.ask_safe(&outputs.into_iter().collect::<Vec<_>>());
    }

    /// Requires that every output that is not proven safe is proven before a device acts.
    pub(super) fn await_safety(&mut self) {
        if let Some(run) = self.run_mut() {
            run.awaited.clone_from(&run.unproven);
        }
    }

    /// Returns whether a device must wait until outputs are proven safe.
    pub(super) fn waits_for_safety(&self) -> bool {
        self.keeps(SafetyRule::SafeFirst) && self.run().is_some_and(|run| !run.awaited.is_empty())
    }

    /// Returns the outputs with a safe state that a step sets, by their positions.
    pub(super) fn outputs(&self, step: usize) -> Vec<usize> {
        let set: Vec<(usize, usize)> = self
            .resolved
            .settings(step, ActionPhase::On)
            .iter()
            .map(|set| (set.fixture, set.output))
            .collect();
        let safe = self.resolved.safe.iter().enumerate();
        safe.filter(|(_, safe)| set.contains(&(safe.setting.fixture, safe.setting.output)))
            .map(|(index, _)| index)
            .collect()
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

    /// Marks an output as proven once it reads safe: it no longer counts as moved, and is watched. One that
    /// reads safe no longer is made safe again.
    pub(super) fn prove_safe(&mut self, predicate: usize, truth: Truth) {
        let outputs: Vec<usize> = (0..self.resolved.safe.len())
            .filter(|output| self.resolved.safe[*output].proof == Some(predicate))
            .collect();
        let is_safe = truth.holds() || (truth == Truth::Unknown && !self.keeps(SafetyRule::UnknownIsNotSafe));
        for output in outputs {
            if is_safe {
                self.proven_safe(output);
            } else {
                self.not_safe_any_more(output, truth);
            }
        }
    }

    fn proven_safe(&mut self, output: usize) {
        let watches = self.keeps(SafetyRule::Watched);
        let Some(run) = self.run_mut() else { return };
        if !run.unproven.remove(&output) {
            return;
        }
        run.moved.remove(&output);
        run.awaited.remove(&output);
        if watches {
            run.watched.insert(output);
        }
        if run.unproven.is_empty() {
            self.disarm(Timer::Safe);
        }
        // What was read of it before it was safe no longer counts.
        let Safe { proof, touches, .. } = &self.resolved.safe[output];
        let others: Vec<usize> = touches.iter().copied().filter(|other| Some(*other) != *proof).collect();
        self.forget(&others);
    }

    fn not_safe_any_more(&mut self, output: usize, truth: Truth) {
        let Some(run) = self.run_mut() else { return };
        if !run.watched.remove(&output) {
            return;
        }
        run.moved.insert(output);
        if truth == Truth::False {
            self.effects.push(Effect::Disturbed(output));
        }
        self.ask_safe(&[output]);
        if matches!(self.state.phase, Phase::Ready | Phase::Degraded | Phase::Proving) {
            self.judge();
        }
    }
}
