//! Everything that can happen in a state of the world.

use linli_mode::{Action, ActionPhase, Class, Direction, Fire, Phase, StepState, Timer};

use super::world::{Move, Rules, Sensor, Way, World};

impl World {
    /// Everything that can happen now.
    pub fn moves(&self, rules: &Rules<'_>) -> Vec<Move> {
        let mut moves = Vec::new();
        let may_fail = self.faults < rules.faults;
        if rules.facility.fixture("lock").is_some() {
            self.of_door(may_fail, &mut moves);
        }
        if self.fire {
            moves.push(Move::FireOver);
        } else {
            moves.extend(may_fail.then_some(Move::Fire));
        }
        if !self.is_up {
            moves.push(Move::Restart);
            return moves;
        }
        if may_fail {
            moves.push(Move::Crash);
        }
        self.of_orders(rules, &mut moves);
        // While lamps are meant to be on, a renewal changes nothing: lamps that failed stay dark.
        let is_off = !self.uv && self.phase() == Phase::Held;
        moves.extend(self.leases.iter().filter(|_| is_off).map(|step| Move::Renew(*step)));
        for act in self.acts.iter().filter(|act| self.is_next(rules, act)) {
            moves.push(Move::Do(*act));
            if may_fail {
                moves.extend([Move::Lost(*act), Move::Refused(*act), Move::Unheard(*act)]);
            }
        }
        let claims = matches!(self.phase(), Phase::Ready | Phase::Degraded);
        if may_fail && self.fan && claims {
            moves.push(Move::Trip);
        }
        moves.extend((may_fail && self.uv).then_some(Move::LampsFail));
        let is_gate_sent = self.room.run.as_ref().is_some_and(|run| {
            let step = self.resolved(rules).step("gate");
            matches!(step.and_then(|step| run.steps.get(step)), Some(StepState::Sent(_)))
        });
        match self.power {
            true => moves.extend((may_fail && is_gate_sent).then_some(Move::GateFails)),
            false => moves.push(Move::GateRepaired),
        }
        match self.room.fire {
            Fire::Normal | Fire::Alarm if may_fail => moves.push(Move::PanelSilent),
            Fire::Unknown => moves.push(Move::PanelHeard),
            _ => {}
        }
        self.of_evidence(rules, &mut moves);
        self.of_steps(rules, &mut moves);
        moves
    }

    /// People who go in and out, what is seen of them, and what is heard of the door.
    fn of_door(&self, may_fail: bool, moves: &mut Vec<Move>) {
        if self.somebody {
            moves.push(Move::Leave);
        } else {
            // Through a secured door only somebody with a key.
            moves.extend((!self.is_secured || may_fail).then_some(Move::Enter));
        }
        moves.extend(self.ajar.then_some(Move::DoorCloses));
        match self.sensor {
            Sensor::Works if may_fail => moves.extend([Move::SensorFails, Move::SensorLies]),
            Sensor::Works => {}
            Sensor::Silent | Sensor::Lies => moves.push(Move::SensorRepaired),
        }
        match self.mute {
            true => moves.push(Move::DoorHeard),
            false => moves.extend(may_fail.then_some(Move::DoorMute)),
        }
        // What the run never moved is not its own.
        let is_held = self.phase() == Phase::Held && self.is_touched;
        let may_meddle = may_fail && !self.is_secured && !self.fire && is_held;
        moves.extend(may_meddle.then_some(Move::Meddle));
    }

    fn of_orders(&self, rules: &Rules<'_>, moves: &mut Vec<Move>) {
        match &self.room.run {
            None => moves.extend([
                Move::Order(Direction::Enter, Class::Actual),
                Move::Order(Direction::Enter, Class::Exercise),
            ]),
            Some(run) => {
                if !run.is_return() {
                    moves.push(Move::Order(Direction::Return, run.order.class));
                    moves.extend((self.human_acts < rules.human_acts).then_some(Move::Cancel));
                }
                if run.order.class == Class::Exercise && !run.is_return() {
                    moves.push(Move::Order(Direction::Enter, Class::Actual));
                }
                if run.is_return() {
                    moves.push(Move::Order(Direction::Enter, run.order.class));
                }
                if self.phase() != Phase::Held {
                    moves.push(Move::Stop);
                }
                let is_kitchen = !self.resolved(rules).contents.is_empty();
                moves.extend(
                    (is_kitchen && !self.food && self.phase() == Phase::Held).then_some(Move::FoodBack),
                );
            }
        }
        match self.phase() {
            Phase::Preview => moves.extend([Move::Commit, Move::Elapsed(Timer::Grace)]),
            Phase::Held => moves.extend([Move::Resume("chen"), Move::Resume("bo")]),
            Phase::Proving => moves.push(Move::Elapsed(Timer::Prove)),
            _ => {}
        }
        let claims = matches!(self.phase(), Phase::Ready | Phase::Degraded | Phase::Proving);
        moves.extend((claims && self.room.fire == Fire::Unknown).then_some(Move::Elapsed(Timer::Silent)));
    }

    /// What the machine could be told: everything that it does not know as it is.
    fn of_evidence(&self, rules: &Rules<'_>, moves: &mut Vec<Move>) {
        let Some(run) = &self.room.run else { return };
        let resolved = self.resolved(rules);
        let mut predicates = resolved.predicates.iter().zip(&run.truths);
        let is_new = predicates.any(|(predicate, known)| predicate.truth(rules.facility, self) != *known);
        moves.extend(is_new.then_some(Move::Report));
    }

    fn of_steps(&self, rules: &Rules<'_>, moves: &mut Vec<Move>) {
        let Some(run) = &self.room.run else { return };
        let resolved = self.resolved(rules);
        let may_decide = self.human_acts < rules.human_acts;
        moves.extend((!run.unproven.is_empty()).then_some(Move::Elapsed(Timer::Safe)));
        for (step, state) in run.steps.iter().enumerate() {
            let resolved_step = &resolved.steps[step];
            match state {
                StepState::Asked => {
                    // Nobody says that a room is empty while somebody stands in it.
                    let is_sweep = matches!(resolved_step.action, Action::Human { is_sweep: true, .. });
                    if !is_sweep || !self.somebody {
                        moves.extend(["an", "bo", "chen", "dou"].map(|who| Move::Confirm(step, who)));
                    }
                    if may_decide {
                        moves.extend([Move::Cannot(step), Move::Waive(step), Move::Simulate(step)]);
                    }
                    if may_decide && resolved_step.id.as_str() == "accept" {
                        moves.push(Move::Reject);
                    }
                }
                StepState::Verified(_)
                    if matches!(resolved_step.action, Action::Human { is_sweep: true, .. }) =>
                {
                    moves.push(Move::Elapsed(Timer::Void(step)));
                }
                StepState::Blocked => {
                    moves.push(Move::Elapsed(Timer::Settle(step)));
                    moves.extend(may_decide.then_some(Move::Waive(step)));
                }
                StepState::Sent(_) | StepState::Closing | StepState::Ending => {
                    moves.push(Move::Elapsed(Timer::Verify(step)))
                }
                StepState::Pause(_) => moves.push(Move::Elapsed(Timer::Gap(step))),
                StepState::Running => moves.push(Move::Elapsed(Timer::Dwell(step))),
                StepState::Failed | StepState::Stuck => {
                    moves.push(Move::Retry(step));
                    moves.extend(may_decide.then_some(Move::Waive(step)));
                }
                StepState::Pending if may_decide && resolved_step.id.as_str() == "open" => {
                    moves.push(Move::Waive(step));
                }
                StepState::Waived(_) => moves.push(Move::Elapsed(Timer::Waiver(step))),
                _ => {}
            }
        }
    }

    /// Whether nothing else is on its way to the same device: each is told one thing after the other.
    fn is_next(&self, rules: &Rules<'_>, act: &Way) -> bool {
        let Way::Step(step, ActionPhase::On) = act else { return true };
        let resolved = self.resolved(rules);
        let fixture = resolved.settings(*step, ActionPhase::On).first().map(|set| set.fixture);
        !self.acts.iter().any(|other| match other {
            Way::Safe(output) => Some(resolved.safe[*output].setting.fixture) == fixture,
            Way::Step(_, ActionPhase::On) => false,
            Way::Step(other, turn) => {
                resolved.settings(*other, *turn).first().map(|set| set.fixture) == fixture
            }
        })
    }
}
