//! The claim that a room is ready, checked for as long as it is made.

use super::super::resolved_plan::Action;
use super::super::state::{Phase, StepState};
use super::super::truth::Truth;
use super::{Effect, Room, SafetyRule};

/// Time limit for proving a claim again; afterwards it is reported as a gap.
const PROVE: std::time::Duration = std::time::Duration::from_secs(60);

// === impl Room ===

impl Room<'_> {
    /// Returns the steps whose proofs the claim rests on.
    fn rests_on(&self) -> Vec<usize> {
        (0..self.resolved.steps.len())
            .filter(|step| match &self.resolved.steps[*step].action {
                Action::Actuate { is_superseded, .. } => !is_superseded,
                Action::Verify { .. } => true,
                _ => false,
            })
            .filter(|step| {
                matches!(
                    self.step_state(*step),
                    StepState::Verified(_) | StepState::AlreadyOk | StepState::Failed
                )
            })
            .collect()
    }

    /// Updates the claim after a predicate changed: withdraws it, or makes it again.
    pub(super) fn watch_claim(&mut self) {
        match self.state.phase {
            Phase::Ready | Phase::Degraded => self.drift(),
            Phase::Proving if self.is_proven() => {
                self.disarm(super::Timer::Prove);
                self.judge();
            }
            _ => {}
        }
    }

    /// Returns whether everything that the claim rests on is known to hold.
    pub(super) fn is_proven(&self) -> bool {
        let stands = |step: &usize| *self.step_state(*step) != StepState::Failed;
        let is_safe = self.run().is_none_or(|run| run.unproven.is_empty());
        is_safe
            && !self.is_silent()
            && self.rests_on().into_iter().filter(stands).all(|step| self.whole(step).holds())
    }

    /// Requires new readings of every predicate before the claim.
    pub(super) fn prove(&mut self) {
        self.state.phase = Phase::Proving;
        self.arm(super::Timer::Prove, PROVE);
        self.effects.push(Effect::Reread((0..self.resolved.predicates.len()).collect()));
    }

    fn whole(&self, step: usize) -> Truth {
        self.proofs(step).iter().fold(Truth::True, |all, predicate| all.and(self.truth(*predicate)))
    }

    fn drift(&mut self) {
        if !self.keeps(SafetyRule::Drift) {
            return;
        }
        for step in self.rests_on() {
            let holds = self.whole(step).holds();
            let is_reasserted =
                matches!(&self.resolved.steps[step].action, Action::Actuate { is_reasserted: true, .. });
            match self.step_state(step) {
                StepState::Failed if holds => self.set_step(step, StepState::AlreadyOk),
                StepState::Verified(_) | StepState::AlreadyOk if !holds => {
                    let knows = self.whole(step) == Truth::False;
                    if is_reasserted && knows && self.all(&self.resolved.steps[step].pre).holds() {
                        // The output may be set again: the claim is withdrawn until it is proven.
                        self.state.phase = Phase::Running;
                        return self.intend(step, 1);
                    }
                    self.set_step(step, StepState::Failed);
                }
                _ => {}
            }
        }
        self.judge();
    }

    /// Claims ready without gaps, degraded with some.
    pub(super) fn judge(&mut self) {
        let Some(run) = self.run() else { return };
        let has_gap = self.has_gap() || self.is_silent();
        let is_done = run.steps.iter().all(StepState::is_settled);
        // Without gaps the run continues until the claim, or peace.
        self.state.phase = if is_done && has_gap { Phase::Degraded } else { Phase::Running };
    }

    /// Returns whether a step failed, or a device was not set back because somebody waived it.
    pub(super) fn has_gap(&self) -> bool {
        let Some(run) = self.run() else { return false };
        let is_left = |(step, state): (usize, &StepState)| {
            let is_device = matches!(
                self.resolved.steps.get(step).map(|step| &step.action),
                Some(Action::Actuate { .. } | Action::Process { .. })
            );
            matches!(state, StepState::Waived(_)) && is_device
        };
        let owes = run.is_return() && self.keeps(SafetyRule::PeaceIsWhole);
        (run.steps.contains(&StepState::Failed) && self.keeps(SafetyRule::GapIsTold))
            || (owes && run.steps.iter().enumerate().any(is_left))
    }

    /// Reports as gaps the steps whose proof was not repeated in time after a restart.
    pub(super) fn prove_over(&mut self) {
        if self.state.phase != Phase::Proving {
            return;
        }
        for step in self.rests_on() {
            if !self.whole(step).holds() {
                self.set_step(step, StepState::Failed);
            }
        }
        self.judge();
    }
}
