//! Orders, and the time for objections before a plan begins.

use super::super::event::{Actor, Effect, OrderRef, Refused, Timer};
use super::super::plan::{Class, Direction};
use super::super::state::{Cause, Fire, Phase, Run, State, StepState};
use super::{Room, SafetyRule};

// === impl Room ===

impl Room<'_> {
    pub(super) fn order(&mut self, order: &OrderRef) -> Result<(), Refused> {
        let yields = self.keeps(SafetyRule::HoldOutranksOrders);
        if self.state.fire == Fire::Alarm && yields {
            return Err(Refused::Fire);
        }
        let held = |run: &Run| run.causes.iter().any(|cause| matches!(cause, Cause::Fire | Cause::Stop));
        match (order.direction, self.run()) {
            (Direction::Enter, None) => self.begin(order, &State::default()),
            // An actual order arrived: results that were simulated do not count.
            (Direction::Enter, Some(run))
                if run.order.class == Class::Exercise && order.class == Class::Actual =>
            {
                self.effects.extend([Effect::DisarmAll, Effect::DrillEnded]);
                let before = self.state.clone();
                self.begin(order, &before);
            }
            (Direction::Enter, Some(run)) if run.order.class == order.class && run.is_return() => {
                if held(run) && yields {
                    return Err(self.meaningless("an order to enter before somebody resumes"));
                }
                self.effects.push(Effect::DisarmAll);
                let before = self.state.clone();
                self.begin(order, &before);
                let owes = self.keeps(SafetyRule::ReturnIsOwed);
                if let Some(run) = self.run_mut() {
                    run.is_over_return = owes;
                }
            }
            (Direction::Return, Some(run)) if run.order.class == order.class && !run.is_return() => {
                if held(run) && yields {
                    return Err(self.meaningless("an order to return before somebody resumes"));
                }
                self.effects.push(Effect::DisarmAll);
                let before = self.state.clone();
                self.begin(order, &before);
            }
            (Direction::Enter, Some(_)) => return Err(self.meaningless("an order to enter")),
            (Direction::Return, _) => return Err(self.meaningless("an order to return")),
        }
        Ok(())
    }

    /// Begins a new run. It begins from the outputs as an earlier run left them: what that run was just
    /// moving is made safe, and what is not proven safe stays so.
    fn begin(&mut self, order: &OrderRef, before: &State) {
        let begins_safe = self.keeps(SafetyRule::SafeFirst);
        let mut run = Run::new(order.clone(), self.resolved.steps.len(), self.resolved.predicates.len());
        let mut leased = Vec::new();
        if let Some(old) = &before.run {
            run.moved.clone_from(&old.moved);
            if begins_safe {
                run.unproven.clone_from(&old.unproven);
                run.watched.clone_from(&old.watched);
                leased.extend((0..old.steps.len()).filter(|step| old.steps[*step].is_in_flight()));
            }
        }
        self.state.run = Some(run);
        self.state.phase = Phase::Preview;
        self.effects.extend(leased.into_iter().map(Effect::Unlease));
        if begins_safe {
            match before.phase {
                Phase::Running => self.make_safe(),
                _ => self.ask_safe_again(),
            }
        }
        self.effects.push(Effect::Reread((0..self.resolved.predicates.len()).collect()));
        if order.class == Class::Actual {
            let grace = self.resolved.plan.grace;
            self.arm(Timer::Grace, grace);
        }
    }

    /// Ends the time for objections: an actual plan begins, a drill waits for a person.
    pub(super) fn grace_over(&mut self) {
        if self.state.phase == Phase::Preview && !self.state.is_exercise() {
            self.start();
        }
    }

    pub(super) fn commit(&mut self, who: &Actor) -> Result<(), Refused> {
        if self.state.phase != Phase::Preview {
            return Err(self.meaningless("committing"));
        }
        self.needs("committing", &self.resolved.plan.lead, who)?;
        self.disarm(Timer::Grace);
        self.start();
        Ok(())
    }

    fn start(&mut self) {
        self.state.phase = Phase::Running;
        let unheard = self.doubt_watched();
        self.ask_safe(&unheard);
        self.await_safety();
        if self.state.fire == Fire::Alarm && self.keeps(SafetyRule::FireHolds) {
            self.hold(Cause::Fire);
        }
    }

    pub(super) fn cancel(&mut self) -> Result<(), Refused> {
        match (self.state.phase, self.run()) {
            (_, None) => Err(self.meaningless("cancelling")),
            (_, Some(run)) if run.is_return() => Err(self.meaningless("cancelling the way back")),
            (Phase::Preview, Some(run)) if run.moved.is_empty() && !run.is_over_return => {
                self.effects.push(Effect::DisarmAll);
                self.state.run = None;
                self.state.phase = Phase::Peace;
                Ok(())
            }
            _ => {
                self.hold(Cause::Cancel);
                Ok(())
            }
        }
    }

    /// Begins at the first step: steps that already hold are recognised, waivers are decided again.
    pub(super) fn rewalk(&mut self) {
        let Some(run) = self.run_mut() else { return };
        run.steps.fill(StepState::Pending);
        run.doers.clear();
        run.voided.clear();
        run.settled.clear();
        run.waivers.clear();
    }
}
