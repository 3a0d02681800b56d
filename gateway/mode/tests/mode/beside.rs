//! The model check of drills beside actual runs: two rooms, orders of every kind, class and authority in any sequence,
//! a fire and a gateway that is killed at any moment. What an order may touch is decided by the table that ships, what
//! follows in a room by the function that ships.

use linli_domain::alarm::Source;
use linli_domain::{Timestamp, Value};
use linli_mode::facility::Facility;
use linli_mode::order::{Authority, Demand, Demands, Followed, Kind, Order, may_touch_under};
use linli_mode::{
    ActionPhase, ActionResult, Class, Direction, Effect, Event, Fire, OrderRef, Phase, Pressure, Readings,
    ResolvedPlan, SafetyRule, SafetyRules, Stage, State, StepState, Timer, fold, step_under,
};

use super::explore::{Found, System, explore};
use super::wing::{back, enter, facility, resolved};
use super::world::{Way, actor};

/// States at most.
const MOST: usize = 4_000_000;

const ROOMS: usize = 2;

/// The rooms and what is left out on purpose.
struct Beside {
    facility: Facility,
    /// Per room its way in and its way back.
    ways: Vec<[ResolvedPlan; 2]>,
    demands: Demands,
    safety_rules: SafetyRules,
    faults: u8,
}

/// A room as it is, and what is believed of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Part {
    shut: bool,
    air: i8,
    acts: Vec<Way>,
    state: State,
    /// Whether the order that it follows was given on the spot.
    is_local: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Together {
    parts: Vec<Part>,
    is_up: bool,
    fire: bool,
    faults: u8,
    harm: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Move {
    Fire,
    FireOver,
    Crash,
    Restart,
    /// An order for one room; whether it names the one that the room follows.
    Order(usize, Kind, Class, Authority, bool),
    Commit(usize),
    Resume(usize),
    Do(usize, Way),
    Confirm(usize, usize),
    Elapsed(usize, Timer),
}

impl Readings for Part {
    fn value(&self, point: &Source) -> Option<Value> {
        match point.device.as_str().split('-').next() {
            Some("door") => Some(Value::Integer(i64::from(self.shut))),
            Some("air") => Some(Value::Integer(i64::from(self.air))),
            _ => None,
        }
    }
}

// === impl Part ===

impl Part {
    fn resolved<'b>(&self, beside: &'b Beside, room: usize) -> &'b ResolvedPlan {
        let is_return = self.state.run.as_ref().is_some_and(linli_mode::Run::is_return);
        &beside.ways[room][usize::from(is_return)]
    }

    fn authority(&self) -> Authority {
        if self.is_local { Authority::Local } else { Authority::District }
    }

    fn class(&self) -> Option<Class> {
        self.state.run.as_ref().map(|run| run.order.class)
    }
}

// === impl Beside ===

impl Beside {
    fn new(left_out: &[Demand], broken: &[SafetyRule], faults: u8) -> Self {
        let facility = facility(ROOMS, true);
        let of =
            |room| [resolved(enter(room, Pressure::Negative), &facility), resolved(back(room), &facility)];
        let ways = (0..ROOMS).map(of).collect();
        let (demands, safety_rules) = (Demands::without(left_out), SafetyRules::without(broken));
        Self { facility, ways, demands, safety_rules, faults }
    }

    fn tell(&self, world: &mut Together, room: usize, event: &Event) -> bool {
        let resolved = world.parts[room].resolved(self, room);
        self.tell_by(world, room, resolved, event)
    }

    fn tell_by(&self, world: &mut Together, room: usize, resolved: &ResolvedPlan, event: &Event) -> bool {
        let part = &mut world.parts[room];
        let Ok((next, effects)) = step_under(self.safety_rules, resolved, &part.state, event) else {
            return false;
        };
        part.state = next;
        let acts = effects.into_iter().filter_map(|effect| match effect {
            Effect::Act { step, turn, .. } => Some(Way::Step(step, turn)),
            Effect::Safe(output) => Some(Way::Safe(output)),
            _ => None,
        });
        part.acts.extend(acts);
        part.acts.sort_unstable();
        part.acts.dedup();
        part.is_local &= part.state.run.is_some();
        if part.state.phase == Phase::Held {
            part.acts.retain(|act| !matches!(act, Way::Step(_, ActionPhase::On)));
        }
        true
    }

    /// What is read is told at once.
    fn report(&self, world: &mut Together, room: usize) {
        loop {
            let part = &world.parts[room];
            let (resolved, Some(run)) = (part.resolved(self, room), &part.state.run) else { return };
            let moving = |predicate: usize| {
                part.acts.iter().any(|act| match act {
                    Way::Step(step, _) => resolved.steps[*step].touches.contains(&predicate),
                    Way::Safe(output) => resolved.safe[*output].touches.contains(&predicate),
                })
            };
            let news = (0..resolved.predicates.len()).filter(|predicate| !moving(*predicate)).find_map(
                |predicate| {
                    let truth = resolved.predicates[predicate].truth(&self.facility, part);
                    (run.truths.get(predicate).is_some_and(|known| *known != truth))
                        .then_some((predicate, truth))
                },
            );
            let Some((predicate, truth)) = news else { return };
            self.tell(world, room, &Event::Truth(predicate, truth));
        }
    }

    /// Whether the table lets an order touch what the room follows.
    fn may_touch(
        &self,
        part: &Part,
        (kind, class, authority, is_named): (Kind, Class, Authority, bool),
    ) -> bool {
        let Some(run) = &part.state.run else { return true };
        let supersedes = if is_named { vec![run.order.id.clone()] } else { Vec::new() };
        let order = Order {
            id: "next".to_owned(),
            seq: 1,
            kind,
            class,
            authority,
            targets: Vec::new(),
            mode: String::new(),
            not_before: Timestamp(0),
            expires: Timestamp(0),
            sent: Timestamp(0),
            reference: None,
            supersedes,
            cap: None,
        };
        let (id, is_return) = (run.order.id.as_str(), run.is_return());
        let followed = Followed { id, class: run.order.class, authority: part.authority(), is_return };
        may_touch_under(self.demands, &order, &followed).is_ok()
    }

    fn order(
        &self,
        world: &mut Together,
        room: usize,
        asked @ (kind, class, authority, is_named): (Kind, Class, Authority, bool),
    ) -> bool {
        if !self.may_touch(&world.parts[room], asked) {
            return false;
        }
        let before = world.clone();
        let begins = |direction: Direction| {
            let resolved = &self.ways[room][usize::from(direction == Direction::Return)];
            let plan = resolved.plan.key();
            (resolved, Event::Order(OrderRef { id: "o".to_owned(), class, direction, plan }))
        };
        let by = || "so ordered".to_owned();
        let is_taken = match kind {
            Kind::Enter => {
                let (resolved, event) = begins(Direction::Enter);
                self.tell_by(world, room, resolved, &event)
            }
            Kind::Return | Kind::StandDown => {
                let (resolved, event) = begins(Direction::Return);
                self.tell_by(world, room, resolved, &event)
            }
            Kind::Cancel | Kind::Amend => self.tell(world, room, &Event::Cancel { by: by() }),
            Kind::Stop => self.tell(world, room, &Event::Stop { by: by() }),
        };
        if !is_taken {
            return false;
        }
        if matches!(kind, Kind::Enter | Kind::Return | Kind::StandDown) {
            world.parts[room].is_local = authority == Authority::Local;
            world.parts[room].acts.retain(|act| matches!(act, Way::Safe(_)));
        }
        world.harm =
            world.harm.or_else(|| wrongly_touched(&before, world, room, (kind, class, authority, is_named)));
        true
    }

    fn act(&self, world: &mut Together, room: usize, act: Way) {
        world.parts[room].acts.retain(|other| *other != act);
        let part = &world.parts[room];
        let resolved = part.resolved(self, room);
        let settings: Vec<_> = match act {
            Way::Safe(output) => {
                resolved.safe.get(output).map(|safe| safe.setting.clone()).into_iter().collect()
            }
            Way::Step(step, turn) => {
                let state = part.state.run.as_ref().and_then(|run| run.steps.get(step));
                let is_wanted = state
                    .is_some_and(|state| turn != ActionPhase::On || matches!(state, StepState::Intent(_)));
                if is_wanted { resolved.settings(step, turn).to_vec() } else { Vec::new() }
            }
        };
        let is_step = matches!(act, Way::Step(..));
        if is_step && !settings.is_empty() && part.class() == Some(Class::Exercise) {
            world.harm = Some("D a drill moves something");
        }
        for set in &settings {
            let Some(value) = set.value.as_f64() else { continue };
            let part = &mut world.parts[room];
            match self.facility.fixtures[set.fixture].id.as_str().split('-').next() {
                Some("door") => part.shut = value > 0.0,
                #[expect(clippy::cast_possible_truncation, reason = "it is -1, 0 or 1")]
                _ => part.air = value as i8,
            }
        }
        if let (Way::Step(step, turn), false) = (act, settings.is_empty()) {
            self.tell(world, room, &Event::Acted { step, turn, acted: ActionResult::Done });
        }
    }

    fn look(&self, world: &mut Together) {
        for room in 0..ROOMS {
            if world.parts[room].state.fire.is_news(world.fire.into()) {
                self.tell(world, room, &Event::Fire(world.fire.into()));
            }
        }
    }

    fn of_room(&self, world: &Together, room: usize, moves: &mut Vec<Move>) {
        use Authority::{District, Local};
        use Kind::{Amend, Cancel, Enter, Return, StandDown, Stop};
        let part = &world.parts[room];
        for class in [Class::Actual, Class::Exercise] {
            moves.push(Move::Order(room, Enter, class, District, false));
            if part.state.run.is_none() {
                moves.push(Move::Order(room, Enter, class, Local, false));
                continue;
            }
            for authority in [District, Local] {
                let each =
                    [(Return, false), (StandDown, false), (Cancel, true), (Cancel, false), (Stop, false)];
                moves.extend(each.map(|(kind, named)| Move::Order(room, kind, class, authority, named)));
                if part.state.phase == Phase::Preview {
                    moves.push(Move::Order(room, Amend, class, authority, true));
                }
            }
        }
        let Some(run) = &part.state.run else { return };
        moves.extend(part.acts.iter().map(|act| Move::Do(room, *act)));
        moves.extend(match part.state.phase {
            Phase::Preview if run.order.class == Class::Actual => Some(Move::Elapsed(room, Timer::Grace)),
            Phase::Preview => Some(Move::Commit(room)),
            Phase::Held => Some(Move::Resume(room)),
            Phase::Proving => Some(Move::Elapsed(room, Timer::Prove)),
            _ => None,
        });
        if !run.unproven.is_empty() && part.acts.is_empty() {
            moves.push(Move::Elapsed(room, Timer::Safe));
        }
        for (index, state) in run.steps.iter().enumerate() {
            moves.extend(match state {
                StepState::Asked => Some(Move::Confirm(room, index)),
                StepState::Blocked => Some(Move::Elapsed(room, Timer::Settle(index))),
                _ => None,
            });
        }
    }

    fn together(&self, world: &Together) -> linli_mode::Fold {
        let stages = world
            .parts
            .iter()
            .enumerate()
            .map(|(room, part)| (part.state.stage(part.resolved(self, room)), &part.state));
        fold(stages)
    }
}

/// What an order changed although it must not.
fn wrongly_touched(
    before: &Together,
    after: &Together,
    room: usize,
    (kind, class, authority, is_named): (Kind, Class, Authority, bool),
) -> Option<&'static str> {
    if (0..ROOMS).any(|other| other != room && before.parts[other] != after.parts[other]) {
        return Some("X an order for one room touched another");
    }
    let (was, followed) = (&before.parts[room], before.parts[room].class()?);
    if followed == Class::Actual && class == Class::Exercise {
        return Some("D2 a drill touched what an actual order did");
    }
    if followed == Class::Exercise && class == Class::Actual && !matches!(kind, Kind::Enter | Kind::Stop) {
        return Some("D3 an actual order took a drill back");
    }
    let is_above = was.authority() == Authority::District && authority == Authority::Local;
    if is_above && kind != Kind::Stop && followed == class {
        return Some("D4 people on the spot ended what the district ordered");
    }
    (matches!(kind, Kind::Cancel | Kind::Amend) && !is_named)
        .then_some("D5 an order was cancelled that was not named")
}

impl System for Beside {
    type World = Together;
    type Move = Move;

    fn start(&self) -> Together {
        let state = State { fire: Fire::Normal, ..State::default() };
        let part = Part { shut: false, air: 0, acts: Vec::new(), state, is_local: false };
        Together { parts: vec![part; ROOMS], is_up: true, fire: false, faults: 0, harm: None }
    }

    fn moves(&self, world: &Together) -> Vec<Move> {
        let mut moves = Vec::new();
        let may_fail = world.faults < self.faults;
        moves.extend(if world.fire { Some(Move::FireOver) } else { may_fail.then_some(Move::Fire) });
        if !world.is_up {
            moves.push(Move::Restart);
            return moves;
        }
        moves.extend(may_fail.then_some(Move::Crash));
        (0..ROOMS).for_each(|room| self.of_room(world, room, &mut moves));
        moves
    }

    fn made(&self, world: &Together, made: Move) -> Option<Together> {
        let mut next = world.clone();
        next.faults += u8::from(matches!(made, Move::Fire | Move::Crash));
        let is_told = match made {
            Move::Fire | Move::FireOver => {
                next.fire = made == Move::Fire;
                if next.is_up {
                    self.look(&mut next);
                }
                true
            }
            Move::Crash => {
                next.is_up = false;
                for part in &mut next.parts {
                    part.acts.clear();
                    let kept = serde_json::to_string(&part.state).expect("a state is written");
                    part.state = serde_json::from_str(&kept).expect("a state is read");
                }
                true
            }
            Move::Restart => {
                next.is_up = true;
                for room in 0..ROOMS {
                    self.tell(&mut next, room, &Event::Restarted);
                }
                self.look(&mut next);
                true
            }
            Move::Order(room, kind, class, authority, is_named) => {
                self.order(&mut next, room, (kind, class, authority, is_named))
            }
            Move::Commit(room) => self.tell(&mut next, room, &Event::Commit { who: actor("chen") }),
            Move::Resume(room) => {
                let event = Event::Resume { who: actor("chen"), why: "so ordered".to_owned() };
                self.tell(&mut next, room, &event)
            }
            Move::Do(room, act) => {
                self.act(&mut next, room, act);
                true
            }
            Move::Confirm(room, step) => {
                let is_lead = world.parts[room].resolved(self, room).steps[step].id.as_str() == "accept";
                let who = actor(if is_lead { "chen" } else { "bo" });
                self.tell(&mut next, room, &Event::Confirm { step, who })
            }
            Move::Elapsed(room, timer) => self.tell(&mut next, room, &Event::Elapsed(timer)),
        };
        if next.is_up {
            (0..ROOMS).for_each(|room| self.report(&mut next, room));
        }
        is_told.then_some(next)
    }

    fn violated(&self, world: &Together) -> Option<&'static str> {
        if world.harm.is_some() {
            return world.harm;
        }
        for part in &world.parts {
            let is_drill = part.class() == Some(Class::Exercise);
            if is_drill && part.state.is_verified_ready() {
                return Some("D6 a drill is told to be proven");
            }
            let knows = part.state.fire == Fire::Alarm && world.is_up;
            if knows && !matches!(part.state.phase, Phase::Held | Phase::Peace) {
                return Some("B a fire does not hold a room");
            }
            let is_ready = part.state.phase == Phase::Ready && world.is_up && !is_drill;
            if is_ready && (!part.shut || part.air != -1) {
                return Some("C a room is told to be ready and is not so");
            }
            let is_peace = part.state.phase == Phase::Peace && world.is_up;
            if is_peace && (part.shut || part.air != 0) && part.acts.is_empty() {
                return Some("C' a room is told to be in peace and is not so");
            }
        }
        let is_drill = world.parts.iter().any(|part| part.class() == Some(Class::Exercise));
        let together = self.together(world);
        (together.is_exercise != is_drill).then_some("D7 together the rooms do not say that one drills")
    }

    fn is_settled(&self, world: &Together) -> bool {
        let is_settled = |part: &Part| matches!(part.state.phase, Phase::Peace | Phase::Ready);
        !world.fire && world.is_up && world.parts.iter().all(is_settled)
    }

    fn seen(&self, world: &Together) -> [bool; 3] {
        let is_ready = |class| {
            let mut parts = world.parts.iter();
            parts.any(|part| part.state.phase == Phase::Ready && part.class() == Some(class))
        };
        let both = is_ready(Class::Actual) && is_ready(Class::Exercise);
        let is_held = |class| {
            let mut parts = world.parts.iter();
            parts.any(|part| part.state.phase == Phase::Held && part.class() == Some(class))
        };
        let apart = is_held(Class::Exercise) && is_ready(Class::Actual);
        [both, apart, self.together(world).stage == Stage::Held]
    }
}

/// Every state without a fault; with a fire or a kill, those that take the fewest moves.
#[test]
fn drills_beside_actual_runs_touch_nothing_of_each_other() {
    for (faults, most) in [(0, MOST), (1, 100_000)] {
        let found = explore(&Beside::new(&[], &[], faults), most);
        assert!(found.violated.is_none(), "{:?}", found.violated);
        assert_eq!(found.stuck, 0, "{} of {} states can no longer settle", found.stuck, found.states);
        let [both, apart, held] = found.seen;
        println!(
            "{faults} faults: {} states{}, {} moves, no violation; ready in both classes {both}, a drill held beside \
             a room that is ready {apart}, held {held}",
            found.states,
            if found.is_whole { ", all can settle" } else { ", the nearest ones" },
            found.moves
        );
        assert!(faults > 0 || (found.is_whole && both > 0 && apart > 0), "the model reaches nothing");
    }
}

#[test]
fn without_what_keeps_classes_and_authorities_apart_something_is_touched() {
    let each: [(&[Demand], &[SafetyRule]); 4] = [
        (&[Demand::SameClass], &[]),
        (&[Demand::OwnAuthority], &[]),
        (&[Demand::Named], &[]),
        (&[], &[SafetyRule::DrillIsSimulated]),
    ];
    for (left_out, broken) in each {
        let found: Found<Move> = explore(&Beside::new(left_out, broken, 0), MOST);
        let Some((what, way)) = found.violated else {
            panic!("nothing is violated without {left_out:?} {broken:?}")
        };
        println!(
            "without {left_out:?}{broken:?}: {what}, {} moves, {} states: {way:?}",
            way.len(),
            found.states
        );
    }
}
