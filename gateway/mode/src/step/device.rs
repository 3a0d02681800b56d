//! Actions of devices: an action is done once it is read back, not before.

use super::super::event::{ActionPhase, ActionResult, Effect, Timer};
use super::super::plan::{Channel, OnFail};
use super::super::resolved_plan::Action;
use super::super::state::{Cause, Phase, StepState};
use super::super::truth::Truth;
use super::{Room, SafetyRule};

// === impl Room ===

impl Room<'_> {
    pub(super) fn acted(&mut self, step: usize, turn: ActionPhase, acted: ActionResult) {
        let state = self.step_state(step).clone();
        if let Some(resolved_step) = self.resolved.steps.get(step) {
            self.forget(&resolved_step.touches);
        }
        match (turn, state, acted) {
            (ActionPhase::On, StepState::Intent(attempt), ActionResult::Done) => self.sent(step, attempt),
            (ActionPhase::On, StepState::Intent(attempt), ActionResult::Failed) => {
                self.failed_try(step, attempt)
            }
            // Whatever a device says of an end or a remedy, it is looked at.
            _ => {}
        }
        self.watch_claim();
    }

    fn sent(&mut self, step: usize, attempt: u8) {
        if !self.keeps(SafetyRule::ReadBack) {
            return match self.resolved.steps[step].action {
                Action::Process { .. } => self.dwell(step),
                _ => self.set_step(step, StepState::Verified(Channel::Itself)),
            };
        }
        self.set_step(step, StepState::Sent(attempt));
        let within = self.within(step);
        self.arm(Timer::Verify(step), within);
        if let Action::Process { .. } = self.resolved.steps[step].action {
            self.effects.push(Effect::Lease(step));
        }
        if !self.keeps(SafetyRule::FreshEvidence) {
            self.look_at(step);
        }
    }

    /// Resets these predicates to unknown and requires new readings.
    pub(super) fn forget(&mut self, predicates: &[usize]) {
        if self.keeps(SafetyRule::FreshEvidence)
            && let Some(run) = self.run_mut()
        {
            // A state that was just read from the store has no truths yet: all of them are unknown.
            for predicate in predicates {
                if let Some(truth) = run.truths.get_mut(*predicate) {
                    *truth = Truth::Unknown;
                }
            }
        }
        if !predicates.is_empty() {
            self.effects.push(Effect::Reread(predicates.to_vec()));
        }
    }

    pub(super) fn proofs(&self, step: usize) -> Vec<usize> {
        match &self.resolved.steps[step].action {
            Action::Actuate { verify, .. }
            | Action::Process { verify, .. }
            | Action::Verify { verify, .. } => verify.clone(),
            Action::Human { .. } => Vec::new(),
        }
    }

    fn within(&self, step: usize) -> std::time::Duration {
        match &self.resolved.steps[step].action {
            Action::Actuate { within, .. }
            | Action::Process { within, .. }
            | Action::Verify { within, .. } => *within,
            Action::Human { .. } => std::time::Duration::ZERO,
        }
    }

    fn channel(&self, step: usize) -> Channel {
        match &self.resolved.steps[step].action {
            Action::Actuate { channel, .. }
            | Action::Process { channel, .. }
            | Action::Verify { channel, .. } => *channel,
            Action::Human { .. } => Channel::Human,
        }
    }

    /// Returns the truth of a step's proof.
    pub(super) fn proof(&self, step: usize) -> Truth {
        self.proofs(step).iter().fold(Truth::True, |all, predicate| all.and(self.truth(*predicate)))
    }

    /// Updates a step that is being proven or runs, after a predicate changed.
    pub(super) fn look_at(&mut self, step: usize) {
        let proof = self.proof(step);
        let is_process = matches!(self.resolved.steps[step].action, Action::Process { .. });
        let is_good =
            proof.holds() || (proof == Truth::Unknown && !self.keeps(SafetyRule::UnknownIsNotVerified));
        match self.step_state(step) {
            StepState::Sent(_) if is_good => {
                self.disarm(Timer::Verify(step));
                if is_process {
                    self.dwell(step);
                } else {
                    let channel = self.channel(step);
                    self.set_step(step, StepState::Verified(channel));
                }
            }
            // An interruption: the time so far does not count.
            StepState::Running if !proof.holds() && self.keeps(SafetyRule::Unbroken) => self.give_up(step),
            StepState::Closing if proof.holds() => self.close(step),
            StepState::Closing if proof == Truth::False => self.give_up(step),
            StepState::Ending if proof == Truth::False => self.ended(step),
            _ => {}
        }
    }

    fn dwell(&mut self, step: usize) {
        let Action::Process { span, .. } = self.resolved.steps[step].action else { return };
        self.set_step(step, StepState::Running);
        self.arm(Timer::Dwell(step), span);
    }

    /// Ends the required duration: requires new readings, since the last ones may be old.
    pub(super) fn dwelt(&mut self, step: usize) {
        if *self.step_state(step) != StepState::Running {
            return;
        }
        if !self.keeps(SafetyRule::Unbroken) {
            return self.close(step);
        }
        self.set_step(step, StepState::Closing);
        let within = self.within(step);
        self.arm(Timer::Verify(step), within);
        let verify = self.proofs(step);
        self.forget(&verify);
    }

    /// Ends a process that ran for its duration; its end must be proven.
    fn close(&mut self, step: usize) {
        self.effects.push(Effect::Unlease(step));
        self.effects.push(Effect::Act { step, turn: ActionPhase::Off, attempt: 1 });
        if !self.keeps(SafetyRule::OffIsProven) {
            return self.ended(step);
        }
        self.set_step(step, StepState::Ending);
        let within = self.within(step);
        self.arm(Timer::Verify(step), within);
    }

    fn ended(&mut self, step: usize) {
        self.disarm(Timer::Verify(step));
        let channel = self.channel(step);
        self.set_step(step, StepState::Verified(channel));
    }

    /// Handles a proof that is not complete in time.
    pub(super) fn not_proven(&mut self, step: usize) {
        match self.step_state(step).clone() {
            StepState::Sent(attempt) => self.failed_try(step, attempt),
            StepState::Closing => self.give_up(step),
            // A device that cannot be switched off holds the room; a gap is not enough.
            StepState::Ending => self.hold(Cause::Failed),
            _ => {}
        }
    }

    fn failed_try(&mut self, step: usize, attempt: u8) {
        let (times, gap, is_pulse) = match &self.resolved.steps[step].action {
            Action::Actuate { retry, is_pulse, .. } => (retry.times, retry.gap, *is_pulse),
            _ => (0, std::time::Duration::ZERO, false),
        };
        let may_again = attempt <= times && !(is_pulse && self.keeps(SafetyRule::PulseOnce));
        if may_again {
            self.set_step(step, StepState::Pause(attempt));
            self.arm(Timer::Gap(step), gap);
        } else {
            self.give_up(step);
        }
    }

    pub(super) fn again(&mut self, step: usize) {
        let StepState::Pause(attempt) = *self.step_state(step) else { return };
        match self.all(&self.resolved.steps[step].pre) {
            Truth::True => self.intend(step, attempt + 1),
            _ if !self.keeps(SafetyRule::GuardBefore) => self.intend(step, attempt + 1),
            _ => {
                self.effects.push(Effect::GuardRefused(step));
                self.give_up(step);
            }
        }
    }

    /// Handles a step that failed in all its attempts.
    fn give_up(&mut self, step: usize) {
        let is_process = matches!(self.resolved.steps[step].action, Action::Process { .. });
        self.disarm(Timer::Dwell(step));
        self.disarm(Timer::Verify(step));
        if is_process {
            self.effects.push(Effect::Unlease(step));
        }
        if matches!(self.resolved.steps[step].action, Action::Verify { .. }) {
            return self.fall(step);
        }
        // Moved outputs do not stay in an unknown state.
        self.make_good(step);
        if self.state.phase == Phase::Running {
            self.fall(step);
        }
    }

    fn fall(&mut self, step: usize) {
        match self.resolved.steps[step].on_fail {
            OnFail::Hold => self.hold(Cause::Failed),
            OnFail::Degrade => self.set_step(step, StepState::Failed),
            OnFail::Human => {
                self.set_step(step, StepState::Stuck);
                self.effects.push(Effect::Ask(step));
            }
        }
    }

    /// Compensates if the guard of the compensation holds; otherwise writes the safe states of the
    /// outputs.
    fn make_good(&mut self, step: usize) {
        let compensate = match &self.resolved.steps[step].action {
            Action::Actuate { compensate: Some((_, pre)), .. } => Some(self.all(pre)),
            _ => None,
        };
        match compensate {
            Some(Truth::True) => {
                self.effects.push(Effect::Act { step, turn: ActionPhase::Compensate, attempt: 1 })
            }
            Some(_) if !self.keeps(SafetyRule::CompensateGuarded) => {
                self.effects.push(Effect::Act { step, turn: ActionPhase::Compensate, attempt: 1 });
            }
            _ => {
                let safe = self.outputs(step);
                self.ask_safe(&safe);
            }
        }
    }
}
