//! Plays events to the state machine, and keeps what it answered last.

use std::collections::BTreeSet;

use linli_mode::{
    Action, ActionPhase, ActionResult, Actor, Class, Direction, Effect, Event, OrderRef, Phase, Plan,
    Refused, ResolvedPlan, State, StepState, Timer, Truth, step,
};

use super::building::{PEOPLE, facility, id};

/// A room that follows a plan.
pub struct Play {
    pub plan: ResolvedPlan,
    pub state: State,
    /// Effects of the last event.
    pub effects: Vec<Effect>,
}

pub fn resolved(plan: Plan) -> ResolvedPlan {
    ResolvedPlan::new(plan, &facility()).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

pub fn actor(name: &str) -> Actor {
    let (_, roles) = PEOPLE.iter().find(|(known, _)| *known == name).expect("one of the people");
    Actor { id: id(name), roles: roles.iter().map(|role| (*role).to_owned()).collect() }
}

pub fn order_of(plan: &ResolvedPlan, class: Class) -> OrderRef {
    let Plan { direction, .. } = plan.plan;
    OrderRef { id: "2026-117".to_owned(), class, direction, plan: plan.plan.key() }
}

pub fn stop() -> Event {
    Event::Stop { by: "an".to_owned() }
}

pub fn cancel() -> Event {
    Event::Cancel { by: "2026-118".to_owned() }
}

impl Play {
    /// A room in peace, with a fire panel that says that all is well.
    pub fn in_peace(plan: Plan) -> Self {
        Self::of_plan(resolved(plan))
    }

    fn of_plan(plan: ResolvedPlan) -> Self {
        let mut play = Self { plan, state: State::default(), effects: Vec::new() };
        play.tell(Event::Fire(Truth::False));
        play
    }

    /// An order of this class arrived.
    pub fn ordered(plan: Plan, class: Class) -> Self {
        let mut play = Self::in_peace(plan);
        play.tell(Event::Order(order_of(&play.plan, class)));
        play
    }

    /// An actual order was committed; nobody is there, the door is closed and free to leave by.
    pub fn begun(plan: Plan) -> Self {
        Self::begun_with(resolved(plan))
    }

    /// The same with a plan that was resolved against another building.
    pub fn begun_with(plan: ResolvedPlan) -> Self {
        let mut play = Self::of_plan(plan);
        play.tell(Event::Order(order_of(&play.plan, Class::Actual)));
        play.calm();
        play.commit("chen").unwrap();
        play
    }

    /// The same, and every step but the last is settled.
    pub fn checking(plan: Plan) -> Self {
        let mut play = Self::begun(plan);
        for step in 0..play.plan.steps.len() - 1 {
            play.finish(step);
        }
        play
    }

    /// Every step is settled and accepted.
    pub fn ready(plan: Plan) -> Self {
        let mut play = Self::checking(plan);
        play.finish(play.plan.steps.len() - 1);
        play.expect(Phase::Ready);
        play
    }

    pub fn try_tell(&mut self, event: Event) -> Result<(), Refused> {
        self.tell_as_stored(&event);
        let (state, effects) = step(&self.plan, &self.state, &event)?;
        (self.state, self.effects) = (state, effects);
        Ok(())
    }

    /// Between its start and the end of its restart a gateway has the state as it was stored, without what was read: a
    /// stop and a fire are then taken as well, and make safe at least what they do otherwise. So is every other event.
    fn tell_as_stored(&self, event: &Event) {
        let stored = serde_json::to_string(&self.state).expect("a state is stored as JSON");
        let stored: State = serde_json::from_str(&stored).expect("a stored state is read");
        let _ = step(&self.plan, &stored, event);
        for urgent in [Event::Fire(Truth::True), stop()] {
            let Some(expected) = self.made_safe(&self.state, &urgent) else { continue };
            let found = self.made_safe(&stored, &urgent);
            let found = found.unwrap_or_else(|| panic!("{urgent:?} is refused by {stored:?}"));
            assert!(found.is_superset(&expected), "{urgent:?} in {stored:?}: {found:?}, not {expected:?}");
        }
    }

    /// The outputs that an event makes safe; none where it is refused.
    fn made_safe(&self, state: &State, event: &Event) -> Option<BTreeSet<usize>> {
        let (_, effects) = step(&self.plan, state, event).ok()?;
        let output = |effect| if let Effect::Safe(output) = effect { Some(output) } else { None };
        Some(effects.into_iter().filter_map(output).collect())
    }

    pub fn tell(&mut self, event: Event) {
        self.try_tell(event.clone()).unwrap_or_else(|refused| panic!("{event:?}: {refused}"));
    }

    pub fn elapsed(&mut self, timer: Timer) {
        self.tell(Event::Elapsed(timer));
    }

    pub fn commit(&mut self, who: &str) -> Result<(), Refused> {
        self.try_tell(Event::Commit { who: actor(who) })
    }

    pub fn confirm(&mut self, id: &str, who: &str) -> Result<(), Refused> {
        self.try_tell(Event::Confirm { step: self.at(id), who: actor(who) })
    }

    pub fn resume(&mut self, who: &str) -> Result<(), Refused> {
        self.try_tell(Event::Resume { who: actor(who), why: "it is over".to_owned() })
    }

    pub fn retry(&mut self, id: &str, who: &str) -> Result<(), Refused> {
        self.try_tell(Event::Retry { step: self.at(id), who: actor(who) })
    }

    /// Position of a step.
    pub fn at(&self, id: &str) -> usize {
        self.plan.step(id).unwrap_or_else(|| panic!("no step {id}"))
    }

    pub fn of(&self, id: &str) -> &StepState {
        &self.state.run.as_ref().expect("a run").steps[self.at(id)]
    }

    /// Position of a predicate, by its text.
    pub fn predicate(&self, text: &str) -> usize {
        let facility = facility();
        let found = self.plan.predicates.iter().position(|predicate| predicate.text(&facility) == text);
        found.unwrap_or_else(|| panic!("nobody asks for {text}"))
    }

    /// Position of an output's safe state.
    pub fn safe(&self, fixture: &str) -> usize {
        let facility = facility();
        let is_of = |fixture: &str, at: usize| facility.fixtures[at].id.as_str() == fixture;
        self.plan.safe.iter().position(|safe| is_of(fixture, safe.setting.fixture)).expect("a safe state")
    }

    pub fn truth(&self, text: &str) -> Truth {
        self.state.run.as_ref().expect("a run").truths[self.predicate(text)]
    }

    /// A fresh reading.
    pub fn reads(&mut self, text: &str, truth: Truth) {
        self.tell(Event::Truth(self.predicate(text), truth));
    }

    /// Fresh readings of all proofs of a step.
    pub fn proofs(&mut self, step: usize, truth: Truth) {
        let (Action::Actuate { verify, .. } | Action::Process { verify, .. } | Action::Verify { verify, .. }) =
            self.plan.steps[step].action.clone()
        else {
            panic!("people prove nothing by readings")
        };
        verify.into_iter().for_each(|predicate| self.tell(Event::Truth(predicate, truth)));
    }

    /// Nobody is there, the doors are closed, the ways out are free.
    pub fn calm(&mut self) {
        for predicate in self.plan.occupied.clone().into_iter().chain(self.plan.opened.clone()) {
            self.tell(Event::Truth(predicate, Truth::False));
        }
        for predicate in self.plan.ways_out.concat() {
            self.tell(Event::Truth(predicate, Truth::True));
        }
    }

    /// The command of a step ended.
    pub fn acted(&mut self, id: &str, acted: ActionResult) {
        let step = self.at(id);
        self.tell(Event::Acted { step, turn: ActionPhase::On, acted });
    }

    /// Brings an output step to its action: what it proves is known not to hold yet.
    pub fn acts(&mut self, id: &str) {
        let step = self.at(id);
        self.proofs(step, Truth::False);
        assert!(matches!(self.of(id), StepState::Intent(_)), "{id} is {:?}", self.of(id));
    }

    /// Brings a process to where it runs.
    pub fn runs(&mut self, id: &str) {
        assert_eq!(*self.of(id), StepState::Intent(1), "{id}");
        self.acted(id, ActionResult::Done);
        self.proofs(self.at(id), Truth::True);
        assert_eq!(*self.of(id), StepState::Running, "{id}");
    }

    /// Does a step, however it is done.
    pub fn finish(&mut self, step: usize) {
        let id = self.plan.steps[step].id.to_string();
        match self.plan.steps[step].action.clone() {
            Action::Human { role, count, .. } => {
                let able = PEOPLE.iter().filter(|(_, roles)| roles.contains(&role.as_str()));
                for (name, _) in able.take(count) {
                    self.confirm(&id, name).unwrap();
                }
            }
            Action::Actuate { .. } => {
                self.acts(&id);
                self.acted(&id, ActionResult::Done);
                self.proofs(step, Truth::True);
            }
            Action::Process { .. } => {
                self.runs(&id);
                self.elapsed(Timer::Dwell(step));
                self.proofs(step, Truth::True);
                self.proofs(step, Truth::False);
            }
            Action::Verify { .. } => self.proofs(step, Truth::True),
        }
        assert!(self.of(&id).is_settled(), "{id} is {:?}", self.of(&id));
    }

    pub fn finish_step(&mut self, id: &str) {
        self.finish(self.at(id));
    }

    /// Whether the last event had this effect.
    pub fn did(&self, effect: &Effect) -> bool {
        self.effects.contains(effect)
    }

    pub fn armed(&self, timer: Timer) -> bool {
        self.effects.iter().any(|effect| matches!(effect, Effect::Arm(armed, _) if *armed == timer))
    }

    /// Whether the last event writes the settings of any step.
    pub fn moves(&self) -> bool {
        self.effects.iter().any(|effect| matches!(effect, Effect::Act { turn: ActionPhase::On, .. }))
    }

    pub fn rereads(&self, text: &str) -> bool {
        let predicate = self.predicate(text);
        self.effects
            .iter()
            .any(|effect| matches!(effect, Effect::Reread(predicates) if predicates.contains(&predicate)))
    }

    pub fn expect(&self, phase: Phase) {
        assert_eq!(self.state.phase, phase, "{:?}", self.state.run);
    }

    pub fn causes(&self) -> Vec<linli_mode::Cause> {
        self.state.run.as_ref().expect("a run").causes.iter().copied().collect()
    }

    pub fn moved(&self) -> Vec<usize> {
        self.state.run.as_ref().expect("a run").moved.iter().copied().collect()
    }

    pub fn unproven(&self) -> Vec<usize> {
        self.state.run.as_ref().expect("a run").unproven.iter().copied().collect()
    }

    /// The process dies; what is kept is what was stored.
    pub fn restarts(&mut self) {
        let kept = serde_json::to_string(&self.state).unwrap();
        self.state = serde_json::from_str(&kept).unwrap();
        self.tell(Event::Restarted);
    }

    /// Follows another plan with the same room.
    pub fn follow(&mut self, plan: Plan, class: Class) -> Result<(), Refused> {
        let before = std::mem::replace(&mut self.plan, resolved(plan));
        let order = OrderRef { id: "2026-119".to_owned(), ..order_of(&self.plan, class) };
        let told = self.try_tell(Event::Order(order));
        if told.is_err() {
            self.plan = before;
        }
        told
    }

    pub fn direction(&self) -> Direction {
        self.state.run.as_ref().expect("a run").order.direction
    }
}
