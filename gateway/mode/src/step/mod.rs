//! The state machine of a room.
//!
//! [`step`] takes a state and an event and returns the next state and its effects. The gateway stores
//! the transition before it executes the effects, so that every action has a journaled intent. Nothing
//! here reads a clock or a sensor.

mod advance;
mod claim;
mod device;
mod evidence;
mod hold;
mod order;
mod people;
mod safe;
mod silence;

use super::event::{Effect, Event, Refused, Timer};
use super::resolved_plan::{Action, Condition, ResolvedPlan};
use super::safety_rule::{SafetyRule, SafetyRules};
use super::state::{Fire, Phase, Run, Stage, State, StepState};
use super::truth::Truth;

/// Applies an event. `resolved` is the plan of the run, or of the order. Returns the next state and effects.
pub fn step(resolved: &ResolvedPlan, state: &State, event: &Event) -> Result<(State, Vec<Effect>), Refused> {
    step_under(SafetyRules::KEPT, resolved, state, event)
}

/// Does the same with some safety rules disabled, for the model checker.
pub fn step_under(
    safety_rules: SafetyRules,
    resolved: &ResolvedPlan,
    state: &State,
    event: &Event,
) -> Result<(State, Vec<Effect>), Refused> {
    let mut room = Room { safety_rules, resolved, state: state.clone(), effects: Vec::new() };
    room.take(event)?;
    room.go_on();
    room.watch_panel(state, event);
    Ok((room.state, room.effects))
}

/// A room while an event is applied.
struct Room<'b> {
    safety_rules: SafetyRules,
    resolved: &'b ResolvedPlan,
    state: State,
    effects: Vec<Effect>,
}

// === impl Room ===

impl Room<'_> {
    fn take(&mut self, event: &Event) -> Result<(), Refused> {
        match event {
            Event::Fire(alarm) => self.fire(*alarm),
            Event::Stop { .. } => return self.stop(),
            Event::Restarted => self.restarted(),
            Event::Order(order) => return self.order(order),
            Event::Cancel { .. } => return self.cancel(),
            Event::Truth(predicate, truth) => self.learn(*predicate, *truth),
            Event::Acted { step, turn, acted } => self.acted(*step, *turn, *acted),
            Event::Confirm { step, who } => return self.confirm(*step, who),
            Event::Simulate { step, who } => return self.simulate(*step, who),
            Event::Cannot { step, who, why } => return self.cannot(*step, who, why),
            Event::Waive { step, who, why, span, until } => {
                return self.waive(*step, who, why, (*span, *until));
            }
            Event::Retry { step, who } => return self.retry(*step, who),
            Event::Commit { who } => return self.commit(who),
            Event::Resume { who, why } => return self.resume(who, why),
            Event::Reject { who, why } => return self.reject(who, why),
            Event::Elapsed(timer) => self.elapsed(*timer),
        }
        Ok(())
    }

    fn elapsed(&mut self, timer: Timer) {
        match timer {
            Timer::Grace => self.grace_over(),
            Timer::Settle(step) => self.settled(step),
            Timer::Verify(step) => self.not_proven(step),
            Timer::Gap(step) => self.again(step),
            Timer::Dwell(step) => self.dwelt(step),
            Timer::Deadline(step) => self.overdue(step),
            Timer::Escalate(step, rung) => self.escalate(step, rung),
            Timer::Void(step) => self.too_old(step),
            Timer::Waiver(step) => self.waiver_over(step),
            Timer::Safe => self.ask_safe_again(),
            Timer::Prove => self.prove_over(),
            Timer::Silent => self.silence_over(),
        }
    }

    fn run(&self) -> Option<&Run> {
        self.state.run.as_ref()
    }

    fn run_mut(&mut self) -> Option<&mut Run> {
        self.state.run.as_mut()
    }

    fn step_state(&self, step: usize) -> &StepState {
        const NONE: &StepState = &StepState::Pending;
        self.run().and_then(|run| run.steps.get(step)).unwrap_or(NONE)
    }

    fn set_step(&mut self, step: usize, to: StepState) {
        if let Some(slot) = self.run_mut().and_then(|run| run.steps.get_mut(step)) {
            *slot = to;
        }
    }

    fn truth(&self, predicate: usize) -> Truth {
        self.run().and_then(|run| run.truths.get(predicate)).copied().unwrap_or_default()
    }

    /// Evaluates a condition of the room.
    fn cond(&self, cond: Condition) -> Truth {
        match cond {
            Condition::Predicate(predicate) => self.truth(predicate),
            Condition::NoFire => match self.state.fire {
                Fire::Normal => Truth::True,
                Fire::Alarm => Truth::False,
                Fire::Unknown => Truth::Unknown,
            },
            Condition::Vacant(count) => self.vacant(count),
            Condition::ExitFree => self
                .resolved
                .ways_out
                .iter()
                .map(|way| way.iter().fold(Truth::True, |all, predicate| all.and(self.truth(*predicate))))
                .fold(Truth::False, Truth::or),
            Condition::FreeOf(contents) => self.free_of(contents),
        }
    }

    fn all(&self, conds: &[Condition]) -> Truth {
        conds.iter().fold(Truth::True, |all, cond| all.and(self.cond(*cond)))
    }

    fn arm(&mut self, timer: Timer, span: std::time::Duration) {
        self.effects.push(Effect::Arm(timer, span));
    }

    fn disarm(&mut self, timer: Timer) {
        self.effects.push(Effect::Disarm(timer));
    }

    fn keeps(&self, rule: SafetyRule) -> bool {
        self.safety_rules.keep(rule)
    }

    fn stage(&self) -> &'static str {
        self.state.stage(self.resolved).as_str()
    }

    fn meaningless(&self, what: &'static str) -> Refused {
        Refused::Meaningless { stage: self.stage(), what }
    }
}

// === impl State ===

impl State {
    /// Returns the stage as shown to people. `resolved` is the plan of the run.
    #[must_use]
    pub fn stage(&self, resolved: &ResolvedPlan) -> Stage {
        let Some(run) = &self.run else { return Stage::Peace };
        match self.phase {
            Phase::Peace => return Stage::Peace,
            Phase::Preview => return Stage::Preview,
            Phase::Ready => return Stage::Ready,
            Phase::Degraded => return Stage::Degraded,
            Phase::Proving => return Stage::Proving,
            Phase::Held => return Stage::Held,
            Phase::Running => {}
        }
        let all = || 0..resolved.steps.len();
        let open = |step: &usize| run.steps.get(*step).is_some_and(|state| !state.is_settled());
        let sweeps =
            |step: &usize| matches!(&resolved.steps[*step].action, Action::Human { is_sweep: true, .. });
        if let Some(sweep) = all().filter(sweeps).find(open) {
            let before = resolved.steps[sweep].after.iter().any(open);
            return if before { Stage::Notice } else { Stage::Clearing };
        }
        let accepts = |step: usize| matches!(&resolved.steps[step].action, Action::Human { not_same_as, .. } if !not_same_as.is_empty());
        let mut left = all().filter(open).peekable();
        if left.peek().is_some() && left.all(accepts) { Stage::Checking } else { Stage::Acting }
    }
}
