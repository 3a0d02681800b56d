//! Operations of people. The caller has authenticated the person; this module decides whether they may
//! do it.

use std::time::Duration;

use super::super::event::{Actor, Effect, Refused, Timer};
use super::super::plan::Channel;
use super::super::resolved_plan::Action;
use super::super::state::{Phase, StepState, Waiver};
use super::{Room, SafetyRule};
use linli_domain::Timestamp;

/// Longest waiver; what is needed for longer is decided again.
const LONGEST_WAIVER: Duration = Duration::from_hours(7 * 24);

// === impl Room ===

impl Room<'_> {
    pub(super) fn needs(&self, what: &'static str, role: &str, who: &Actor) -> Result<(), Refused> {
        if who.roles.iter().any(|has| has == role) || !self.keeps(SafetyRule::Role) {
            return Ok(());
        }
        let has = if who.roles.is_empty() { "none".to_owned() } else { who.roles.join(", ") };
        Err(Refused::Role { what, needed: role.to_owned(), who: who.id.clone(), has })
    }

    fn known(&self, step: usize, what: &'static str) -> Result<(), Refused> {
        if self.run().is_none() || self.state.phase == Phase::Held {
            return Err(self.meaningless(what));
        }
        if step < self.resolved.steps.len() { Ok(()) } else { Err(Refused::NoStep) }
    }

    /// Confirms a step; the last required person settles it.
    pub(super) fn confirm(&mut self, step: usize, who: &Actor) -> Result<(), Refused> {
        self.known(step, "confirming")?;
        let Action::Human { role, count, not_same_as, is_sweep, .. } = &self.resolved.steps[step].action
        else {
            return Err(self.meaningless("confirming what a device does"));
        };
        if *self.step_state(step) != StepState::Asked {
            return Err(self.meaningless("confirming a step whose turn it is not"));
        }
        self.needs("confirming", role, who)?;
        let did = |other: &usize| {
            self.run().and_then(|run| run.doers.get(other)).is_some_and(|doers| doers.contains(&who.id))
        };
        if not_same_as.iter().any(did) && self.keeps(SafetyRule::SecondPerson) {
            return Err(Refused::SamePerson { who: who.id.clone() });
        }
        if !self.all(&self.resolved.steps[step].pre).holds() && self.keeps(SafetyRule::GuardBefore) {
            return Err(Refused::Guard);
        }
        if *is_sweep && !self.is_shut() && self.keeps(SafetyRule::SweepIsVoided) {
            return Err(Refused::Open);
        }
        let needed = if self.keeps(SafetyRule::Count) { *count } else { 1 };
        let Some(run) = self.run_mut() else { return Ok(()) };
        let doers = run.doers.entry(step).or_default();
        let is_first = doers.is_empty();
        doers.insert(who.id.clone());
        if doers.len() >= needed {
            self.set_step(step, StepState::Verified(Channel::Human));
            self.disarm_step(step);
        }
        // The evidence is as old as what the first of them saw.
        if is_first {
            self.arm_void(step);
        }
        Ok(())
    }

    /// Marks a step as simulated in a drill: counted separately, and no evidence.
    pub(super) fn simulate(&mut self, step: usize, who: &Actor) -> Result<(), Refused> {
        self.known(step, "simulating")?;
        if !self.state.is_exercise() {
            return Err(self.meaningless("simulating outside a drill"));
        }
        let Action::Human { role, .. } = &self.resolved.steps[step].action else {
            return Err(self.meaningless("simulating what a device does"));
        };
        if *self.step_state(step) != StepState::Asked {
            return Err(self.meaningless("simulating a step whose turn it is not"));
        }
        self.needs("simulating", role, who)?;
        self.set_step(step, StepState::Simulated);
        self.disarm_step(step);
        Ok(())
    }

    /// Marks a step that cannot be done; it waits for a decision.
    pub(super) fn cannot(&mut self, step: usize, who: &Actor, why: &str) -> Result<(), Refused> {
        self.known(step, "saying that it cannot be done")?;
        let Action::Human { role, .. } = &self.resolved.steps[step].action else {
            return Err(self.meaningless("saying so of what a device does"));
        };
        if *self.step_state(step) != StepState::Asked {
            return Err(self.meaningless("saying so of a step whose turn it is not"));
        }
        self.needs("saying that it cannot be done", role, who)?;
        if why.trim().is_empty() {
            return Err(Refused::NoReason);
        }
        self.set_step(step, StepState::Stuck);
        self.effects.push(Effect::Ask(step));
        Ok(())
    }

    /// Waives a step for a time; `until` is its end for people. Steps that safety or acceptance depends on
    /// cannot be waived.
    pub(super) fn waive(
        &mut self,
        step: usize,
        who: &Actor,
        why: &str,
        (span, until): (Duration, Option<Timestamp>),
    ) -> Result<(), Refused> {
        self.known(step, "waiving")?;
        self.needs("waiving", &self.resolved.plan.lead, who)?;
        if why.trim().is_empty() {
            return Err(Refused::NoReason);
        }
        if span.is_zero() || span > LONGEST_WAIVER {
            return Err(Refused::Span);
        }
        let resolved_step = &self.resolved.steps[step];
        let rests = match &resolved_step.action {
            Action::Human { is_sweep, not_same_as, clears, .. } => {
                *is_sweep || !not_same_as.is_empty() || !clears.is_empty()
            }
            _ => false,
        };
        if rests && self.keeps(SafetyRule::NotWaivable) {
            return Err(Refused::NotWaivable);
        }
        let is_open = matches!(
            self.step_state(step),
            StepState::Asked | StepState::Blocked | StepState::Stuck | StepState::Failed | StepState::Pending
        );
        if !is_open {
            return Err(self.meaningless("waiving a step that is done or moves"));
        }
        self.disarm_step(step);
        self.set_step(step, StepState::Waived(who.id.clone()));
        if let Some(run) = self.run_mut() {
            run.waiver_count = run.waiver_count.saturating_add(1);
            let (number, by) = (run.waiver_count, who.id.clone());
            run.waivers.insert(step, Waiver { number, by, why: why.trim().to_owned(), until });
        }
        self.arm(Timer::Waiver(step), span);
        if self.state.phase == Phase::Degraded {
            self.judge();
        }
        Ok(())
    }

    /// Ends a waiver: the step is a gap again.
    pub(super) fn waiver_over(&mut self, step: usize) {
        if !matches!(self.step_state(step), StepState::Waived(_)) {
            return;
        }
        if let Some(run) = self.run_mut() {
            run.waivers.remove(&step);
        }
        match self.state.phase {
            Phase::Ready | Phase::Degraded | Phase::Proving => {
                self.set_step(step, StepState::Failed);
                if self.state.phase != Phase::Proving {
                    self.judge();
                }
            }
            _ => self.set_step(step, StepState::Pending),
        }
    }

    /// Starts another attempt of a failed step.
    pub(super) fn retry(&mut self, step: usize, who: &Actor) -> Result<(), Refused> {
        self.known(step, "trying again")?;
        self.needs("trying again", &self.resolved.plan.lead, who)?;
        if !matches!(self.step_state(step), StepState::Failed | StepState::Stuck | StepState::Waived(_)) {
            return Err(self.meaningless("trying a step again that did not fail"));
        }
        if self.state.phase == Phase::Proving {
            return Err(self.meaningless("trying again while everything is proven anew"));
        }
        // A person who repeats a pulse has checked whether the first one acted.
        if let Some(run) = self.run_mut() {
            run.pulsed.remove(&step);
            run.waivers.remove(&step);
        }
        self.disarm(Timer::Waiver(step));
        self.set_step(step, StepState::Pending);
        // In a preview nothing begins before the plan does.
        if self.state.phase != Phase::Preview {
            self.state.phase = Phase::Running;
        }
        Ok(())
    }

    /// Rejects the result: all steps are checked again from the first; those that hold are recognised.
    pub(super) fn reject(&mut self, who: &Actor, why: &str) -> Result<(), Refused> {
        if self.stage() != "checking" {
            return Err(self.meaningless("rejecting"));
        }
        let role = self.resolved.steps.iter().enumerate().find_map(|(step, resolved_step)| {
            match &resolved_step.action {
                Action::Human { role, not_same_as, .. }
                    if !not_same_as.is_empty() && *self.step_state(step) == StepState::Asked =>
                {
                    Some(role.clone())
                }
                _ => None,
            }
        });
        self.needs("rejecting", role.as_ref().unwrap_or(&self.resolved.plan.lead), who)?;
        if why.trim().is_empty() {
            return Err(Refused::NoReason);
        }
        self.effects.push(Effect::DisarmAll);
        // Outputs that were made safe are still to be proven.
        self.ask_safe_again();
        self.rewalk();
        self.effects.push(Effect::Reread((0..self.resolved.predicates.len()).collect()));
        Ok(())
    }
}
