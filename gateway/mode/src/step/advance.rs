//! Progress of a run: begins the steps that may begin.

use super::super::event::{ActionPhase, Effect, Timer};
use super::super::plan::{Class, Drill};
use super::super::resolved_plan::Action;
use super::super::state::{Phase, StepState};
use super::super::truth::Truth;
use super::{Room, SafetyRule};

// === impl Room ===

impl Room<'_> {
    /// Begins every step that may begin, until none is left; then claims if all are settled.
    pub(super) fn go_on(&mut self) {
        if self.state.phase != Phase::Running {
            return;
        }
        self.ask_again();
        self.withdraw();
        let mut again = true;
        while again && self.state.phase == Phase::Running {
            again = false;
            for step in 0..self.resolved.steps.len() {
                if self.state.phase != Phase::Running {
                    return;
                }
                let before = self.step_state(step).clone();
                match before {
                    StepState::Pending if self.is_due(step) => self.begin_step(step),
                    StepState::Blocked => self.try_act(step),
                    _ => continue,
                }
                again |= *self.step_state(step) != before;
            }
        }
        self.finish();
    }

    /// Reopens the successors of a reopened step, whose results no longer count. Waived steps stay
    /// waived.
    fn withdraw(&mut self) {
        let mut again = self.keeps(SafetyRule::Order);
        while again {
            again = false;
            for step in 0..self.resolved.steps.len() {
                let rests = matches!(
                    self.step_state(step),
                    StepState::Asked
                        | StepState::Blocked
                        | StepState::Verified(_)
                        | StepState::AlreadyOk
                        | StepState::Failed
                );
                let is_open = |before: &usize| {
                    matches!(
                        self.step_state(*before),
                        StepState::Pending | StepState::Asked | StepState::Blocked | StepState::Stuck
                    )
                };
                if rests && self.resolved.steps[step].before.iter().any(is_open) {
                    self.disarm_step(step);
                    self.set_step(step, StepState::Pending);
                    if let Some(run) = self.run_mut() {
                        run.doers.remove(&step);
                        run.voided.remove(&step);
                        run.settled.remove(&step);
                    }
                    again = true;
                }
            }
        }
    }

    fn is_due(&self, step: usize) -> bool {
        let settled = |before: &usize| self.step_state(*before).is_settled();
        !self.keeps(SafetyRule::Order) || self.resolved.steps[step].before.iter().all(settled)
    }

    fn begin_step(&mut self, step: usize) {
        let resolved_step = &self.resolved.steps[step];
        let is_human = matches!(resolved_step.action, Action::Human { .. });
        let is_drill = self.run().is_some_and(|run| run.order.class == Class::Exercise);
        if is_drill && !is_human && self.keeps(SafetyRule::DrillIsSimulated) {
            match resolved_step.drill {
                Drill::Live => {}
                Drill::Simulate => return self.set_step(step, StepState::Simulated),
                Drill::Skip => return self.set_step(step, StepState::Skipped),
            }
        }
        let deadline = resolved_step.deadline;
        match &resolved_step.action {
            Action::Human { .. } => {
                self.set_step(step, StepState::Asked);
                self.effects.push(Effect::Ask(step));
                let rungs: Vec<_> = resolved_step.escalate.iter().map(|(_, after)| *after).collect();
                for (rung, after) in rungs.into_iter().enumerate() {
                    self.arm(Timer::Escalate(step, rung), after);
                }
                self.arm(Timer::Deadline(step), deadline);
            }
            Action::Verify { within, verify, .. } => {
                let (within, verify) = (*within, verify.clone());
                self.set_step(step, StepState::Sent(1));
                self.forget(&verify);
                self.arm(Timer::Verify(step), within);
            }
            Action::Actuate { within, .. } | Action::Process { within, .. } => {
                let within = *within;
                self.set_step(step, StepState::Blocked);
                self.arm(Timer::Settle(step), within);
                self.arm(Timer::Deadline(step), deadline.max(within));
                for (rung, after) in
                    self.resolved.steps[step].escalate.iter().map(|(_, after)| *after).enumerate()
                {
                    self.effects.push(Effect::Arm(Timer::Escalate(step, rung), after));
                }
            }
        }
    }

    /// Ends the wait for first readings.
    pub(super) fn settled(&mut self, step: usize) {
        if *self.step_state(step) == StepState::Blocked
            && let Some(run) = self.run_mut()
        {
            run.settled.insert(step);
        }
    }

    /// Executes a step if its guard holds, or finds that nothing has to be done.
    fn try_act(&mut self, step: usize) {
        // What is to be made safe is not found to be as the step wants it.
        if self.waits_for_safety() {
            return;
        }
        let resolved_step = &self.resolved.steps[step];
        let is_pulsed = self.run().is_some_and(|run| run.pulsed.contains(&step));
        if let Action::Actuate { verify, is_reasserted, .. } = &resolved_step.action {
            let holds = verify.iter().fold(Truth::True, |all, predicate| all.and(self.truth(*predicate)));
            let is_known = self.run().is_some_and(|run| run.settled.contains(&step));
            if holds.holds() && (!is_reasserted || is_pulsed) {
                self.set_step(step, StepState::AlreadyOk);
                return self.disarm_step(step);
            }
            if holds == Truth::Unknown && !is_known {
                return;
            }
            // The pulse was journaled before and may have acted; a second one would undo it.
            if is_pulsed && self.keeps(SafetyRule::PulseOnce) {
                self.set_step(step, StepState::Stuck);
                self.effects.push(Effect::Ask(step));
                return self.disarm_step(step);
            }
        }
        match self.all(&resolved_step.pre) {
            Truth::True => self.intend(step, 1),
            _ if !self.keeps(SafetyRule::GuardBefore) => self.intend(step, 1),
            // The step waits, and people are notified.
            Truth::False | Truth::Unknown => {}
        }
    }

    /// Intends an action. The effect is executed only after the intent is stored.
    pub(super) fn intend(&mut self, step: usize, attempt: u8) {
        self.set_step(step, StepState::Intent(attempt));
        let moved = self.outputs(step);
        let is_pulse = matches!(self.resolved.steps[step].action, Action::Actuate { is_pulse: true, .. });
        if let Some(run) = self.run_mut() {
            run.unproven.retain(|output| !moved.contains(output));
            run.watched.retain(|output| !moved.contains(output));
            run.moved.extend(moved);
            if is_pulse {
                run.pulsed.insert(step);
            }
        }
        self.disarm_step(step);
        self.forget(&self.resolved.steps[step].touches);
        self.effects.push(Effect::Act { step, turn: ActionPhase::On, attempt });
    }

    pub(super) fn disarm_step(&mut self, step: usize) {
        let rungs = self.resolved.steps[step].escalate.len();
        for timer in [Timer::Settle(step), Timer::Deadline(step)] {
            self.disarm(timer);
        }
        for rung in 0..rungs {
            self.disarm(Timer::Escalate(step, rung));
        }
    }

    /// Claims that the room is ready, once every step is settled.
    fn finish(&mut self) {
        let Some(run) = self.run() else { return };
        // Outputs that were made safe must be proven safe before the claim.
        if !run.steps.iter().all(StepState::is_settled) || !run.unproven.is_empty() {
            return;
        }
        let has_gap = self.has_gap();
        let is_return = run.is_return();
        let left: Vec<usize> =
            run.moved.iter().copied().filter(|output| !self.is_accounted_for(*output)).collect();
        if !left.is_empty() && self.keeps(SafetyRule::LooseEndsAreSafe) {
            // Moved outputs that no step has proven since are made safe before the claim.
            return self.ask_safe(&left);
        }
        if !has_gap && !self.is_proven() && self.keeps(SafetyRule::Drift) {
            // A proof was lost while the other steps ran.
            return self.prove();
        }
        if has_gap {
            self.state.phase = Phase::Degraded;
        } else if is_return {
            self.effects.push(Effect::DisarmAll);
            self.state.run = None;
            self.state.phase = Phase::Peace;
        } else {
            self.state.phase = Phase::Ready;
        }
    }

    /// Returns whether a settled step has proven the state of that output.
    fn is_accounted_for(&self, output: usize) -> bool {
        let setting = &self.resolved.safe[output].setting;
        let stands = |step: &usize| {
            let is_last = match &self.resolved.steps[*step].action {
                Action::Actuate { is_superseded, .. } => !is_superseded,
                Action::Process { .. } => true,
                _ => false,
            };
            is_last && matches!(self.step_state(*step), StepState::Verified(_) | StepState::AlreadyOk)
        };
        (0..self.resolved.steps.len())
            .filter(stands)
            .flat_map(|step| self.resolved.settings(step, ActionPhase::On))
            .any(|set| (set.fixture, set.output) == (setting.fixture, setting.output))
    }
}
