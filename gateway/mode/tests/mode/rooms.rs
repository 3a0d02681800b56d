//! The model check of several rooms under one desk: the function that ships for each of them, and
//! the rules that ship for all of them together. What is broken here on purpose is what binds
//! rooms to each other; the safety rules of one room are broken in `model`.
//!
//! `LINLI_MODEL_FAULTS=1 LINLI_MODEL_LATE=1 cargo test -p linli-mode --test mode rooms` looks
//! further than the test does by itself.

use std::collections::BTreeSet;

use linli_domain::Value;
use linli_domain::alarm::Source;
use linli_mode::facility::Facility;
use linli_mode::{
    ActionPhase, ActionResult, Class, Effect, Event, Fire, OrderRef, Phase, Plan, Pressure, Readings,
    ResolvedPlan, Stage, State, StepState, Timer, Truth, air_conflict, check_exits, flows, fold, run_flows,
    step,
};

use super::explore::{Found, System, explore};
use super::wing::{back, enter, facility, resolved};
use super::world::{Way, actor};

/// States at most.
const MOST: usize = 40_000_000;

/// What is left out on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Without {
    /// Rooms of one air handler are not compared.
    Comparing,
    /// Rooms of one order are not compared with each other.
    ComparingOfOneOrder,
    /// A room on its way back counts as if it was there.
    WayBack,
    /// An order that amends another is not compared.
    ComparingAmended,
    /// The first room of a part of the fire panel hears of a fire, the others do not.
    TellingEverybody,
    /// A stop stops every room.
    StoppingOne,
    /// What holds one room holds all.
    HoldingOne,
    /// An order becomes durable room by room.
    OneTransaction,
    /// Rooms together are as far as the one that is farthest.
    TheLeastFar,
    /// A held room does not count among the others.
    CountingHeld,
    /// Plans are not looked through for the last way out.
    LookingForExits,
}

const EACH: [(Without, u8, bool); 11] = [
    (Without::Comparing, 0, true),
    (Without::ComparingOfOneOrder, 0, true),
    (Without::WayBack, 0, true),
    (Without::ComparingAmended, 0, true),
    (Without::TellingEverybody, 1, true),
    (Without::StoppingOne, 0, true),
    (Without::HoldingOne, 1, true),
    (Without::OneTransaction, 1, true),
    (Without::TheLeastFar, 0, true),
    (Without::CountingHeld, 0, true),
    (Without::LookingForExits, 0, false),
];

/// The wing and what may happen in it.
struct Wing {
    facility: Facility,
    /// Per room, its ways in and its way back.
    ways: Vec<(Vec<ResolvedPlan>, ResolvedPlan)>,
    without: Option<Without>,
    faults: u8,
    /// Whether what is read is told late; otherwise at once. (In the model of one room it is late.)
    is_late: bool,
}

/// A room as it is, and what is believed of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Part {
    /// Which way in it goes or went.
    way: usize,
    shut: bool,
    air: i8,
    acts: BTreeSet<Way>,
    state: State,
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
    /// Rooms of one order, each by one of its ways in.
    Enter([Option<usize>; 3]),
    /// The same, and the gateway dies while it is written.
    EnterCrash([Option<usize>; 3]),
    /// A room that has not begun goes another way.
    Amend(usize, usize),
    /// Back to peace: one room, or all that can.
    Back(Option<usize>),
    Stop(usize),
    Resume(usize),
    Do(usize, Way),
    Lost(usize, Way),
    Report(usize),
    Confirm(usize, usize),
    Retry(usize, usize),
    Elapsed(usize, Timer),
}

// === impl Part ===

impl Readings for Part {
    fn value(&self, point: &Source) -> Option<Value> {
        match point.device.as_str().split('-').next() {
            Some("door") => Some(Value::Integer(i64::from(self.shut))),
            Some("air") => Some(Value::Integer(i64::from(self.air))),
            _ => None,
        }
    }
}

impl Part {
    fn phase(&self) -> Phase {
        self.state.phase
    }

    fn resolved<'w>(&self, wing: &'w Wing, room: usize) -> &'w ResolvedPlan {
        let (enter, back) = &wing.ways[room];
        match &self.state.run {
            Some(run) if run.is_return() => back,
            _ => &enter[self.way],
        }
    }

    /// Claims of which there is something to tell. What is just being moved is told when it moved.
    fn news(&self, wing: &Wing, resolved: &ResolvedPlan) -> Vec<(usize, Truth)> {
        let Some(run) = &self.state.run else { return Vec::new() };
        let moving = |predicate: &usize| {
            self.acts.iter().any(|act| match act {
                Way::Step(step, _) => resolved.steps[*step].touches.contains(predicate),
                Way::Safe(output) => resolved.safe[*output].touches.contains(predicate),
            })
        };
        let all = (0..resolved.predicates.len()).filter(|predicate| !moving(predicate));
        let read =
            all.map(|predicate| (predicate, resolved.predicates[predicate].truth(&wing.facility, self)));
        read.filter(|(predicate, truth)| run.truths.get(*predicate).is_some_and(|known| known != truth))
            .collect()
    }

    fn stage(&self, wing: &Wing, room: usize) -> Stage {
        self.state.stage(self.resolved(wing, room))
    }
}

// === impl Wing ===

impl Wing {
    /// Rooms by the ways in which their air may flow.
    fn new(rooms: &[&[Pressure]], without: Option<Without>, faults: u8, has_fire_exit: bool) -> Self {
        let facility = facility(rooms.len(), has_fire_exit);
        let of = |(room, pressures): (usize, &&[Pressure])| {
            let enter =
                pressures.iter().map(|pressure| resolved(enter(room, *pressure), &facility)).collect();
            (enter, resolved(back(room), &facility))
        };
        let ways: Vec<(Vec<ResolvedPlan>, ResolvedPlan)> = rooms.iter().enumerate().map(of).collect();
        Self { facility, ways, without, faults, is_late: number("LINLI_MODEL_LATE").is_some() }
    }

    fn is_without(&self, what: Without) -> bool {
        self.without == Some(what)
    }

    fn plans(&self) -> impl Iterator<Item = &Plan> {
        self.ways.iter().flat_map(|(enter, back)| enter.iter().chain([back])).map(|resolved| &resolved.plan)
    }

    /// What the loader says of all plans together.
    fn lock_in(&self) -> bool {
        let all: Vec<&ResolvedPlan> =
            self.ways.iter().flat_map(|(enter, back)| enter.iter().chain([back])).collect();
        all.iter().any(|resolved| !check_exits(resolved, &all, &self.facility).is_empty())
    }

    fn conflicts(&self, world: &Together, room: usize, way: usize, beside: &[(usize, usize)]) -> bool {
        if self.is_without(Without::Comparing) {
            return false;
        }
        let flow = |plan: &Plan| match self.is_without(Without::WayBack) {
            true => vec![plan.pressure],
            false => flows(plan, self.plans()),
        };
        let stands = |part: &Part, room: usize| {
            let plan = &part.resolved(self, room).plan;
            match &part.state.run {
                Some(run) if !self.is_without(Without::WayBack) => run_flows(run, plan, self.plans()),
                _ => flow(plan),
            }
        };
        let under_way = world.parts.iter().enumerate().filter(|(_, part)| part.state.run.is_some());
        let mut others: Vec<(usize, Vec<Pressure>)> =
            under_way.map(|(other, part)| (other, stands(part, other))).collect();
        if !self.is_without(Without::ComparingOfOneOrder) {
            others.extend(beside.iter().map(|(other, way)| (*other, flow(&self.ways[*other].0[*way].plan))));
        }
        let pressure = self.ways[room].0[way].plan.pressure;
        air_conflict(&self.facility, room, pressure, others).is_some()
    }

    /// Something happens in one room. Whether it was taken.
    fn tell(&self, world: &mut Together, room: usize, event: &Event) -> bool {
        let resolved = world.parts[room].resolved(self, room);
        self.tell_by(world, room, resolved, event)
    }

    fn tell_by(&self, world: &mut Together, room: usize, resolved: &ResolvedPlan, event: &Event) -> bool {
        let part = &mut world.parts[room];
        let Ok((next, effects)) = step(resolved, &part.state, event) else { return false };
        let was_held = part.phase() == Phase::Held;
        part.state = next;
        for effect in effects {
            match effect {
                Effect::Act { step, turn, .. } => drop(part.acts.insert(Way::Step(step, turn))),
                Effect::Safe(output) => drop(part.acts.insert(Way::Safe(output))),
                _ => {}
            }
        }
        if part.phase() == Phase::Held {
            part.acts.retain(|act| !matches!(act, Way::Step(_, ActionPhase::On)));
            let spreads = !was_held && self.is_without(Without::HoldingOne);
            for other in (0..world.parts.len()).filter(|other| spreads && *other != room) {
                world.parts[other].state.phase = Phase::Held;
            }
        }
        true
    }

    /// The fire panel is looked at, as the desk does it: every room of the zone, one after the other.
    fn look(&self, world: &mut Together) {
        let told = Truth::from(world.fire);
        let all = if self.is_without(Without::TellingEverybody) { 1 } else { world.parts.len() };
        for room in 0..all {
            if world.parts[room].state.fire.is_news(told) {
                self.tell(world, room, &Event::Fire(told));
            }
        }
    }

    fn order(&self, world: &mut Together, asked: [Option<usize>; 3], dies: bool) -> bool {
        let mut taken: Vec<(usize, usize)> = Vec::new();
        let before = world.clone();
        for (room, way) in asked.iter().enumerate().filter_map(|(room, way)| Some((room, (*way)?))) {
            if self.conflicts(&before, room, way, &taken) {
                continue;
            }
            let (resolved, event) = (&self.ways[room].0[way], ordered(&self.ways[room].0[way]));
            if self.tell_by(world, room, resolved, &event) {
                world.parts[room].way = way;
                // What an earlier run still had on its way is not sent any more.
                world.parts[room].acts.retain(|act| matches!(act, Way::Safe(_)));
                taken.push((room, way));
            }
        }
        if dies {
            // It is one transaction: all of it is on the disk, or nothing.
            let kept = usize::from(self.is_without(Without::OneTransaction)).min(taken.len());
            for (room, _) in &taken[kept..] {
                world.parts[*room] = before.parts[*room].clone();
            }
            if kept > 0 && kept < taken.len() {
                world.harm = Some("W an order was taken for half of its rooms");
            }
            crash(world);
            return true;
        }
        !taken.is_empty()
    }

    fn amend(&self, world: &mut Together, room: usize, way: usize) -> bool {
        let is_compared = !self.is_without(Without::ComparingAmended);
        if is_compared && self.conflicts(world, room, way, &[]) {
            return false;
        }
        let (resolved, event) = (&self.ways[room].0[way], ordered(&self.ways[room].0[way]));
        let is_back = self.tell(world, room, &Event::Cancel { by: "o".to_owned() });
        is_back && self.tell_by(world, room, resolved, &event) && {
            world.parts[room].way = way;
            true
        }
    }

    fn stop(&self, world: &mut Together, room: usize) -> bool {
        let before = world.parts.clone();
        let event = Event::Stop { by: String::new() };
        let is_stopped = self.tell(world, room, &event);
        for (other, before) in before.iter().enumerate().filter(|(other, _)| *other != room) {
            if self.is_without(Without::StoppingOne) {
                self.tell(world, other, &event);
            }
            if world.parts[other] != *before {
                world.harm = Some("X a stop of one room touched another");
            }
        }
        is_stopped
    }

    fn restart(&self, world: &mut Together) {
        world.is_up = true;
        for room in 0..world.parts.len() {
            self.tell(world, room, &Event::Restarted);
        }
        self.look(world);
    }

    fn act(&self, world: &mut Together, room: usize, act: Way, moves: bool) -> bool {
        world.parts[room].acts.remove(&act);
        let part = &world.parts[room];
        let resolved = part.resolved(self, room);
        let settings: Vec<_> = match act {
            Way::Safe(output) => resolved.safe.get(output).map(|safe| &safe.setting).into_iter().collect(),
            Way::Step(step, turn) => {
                let run = part.state.run.as_ref();
                let is_wanted = run
                    .and_then(|run| run.steps.get(step))
                    .is_some_and(|state| turn != ActionPhase::On || matches!(state, StepState::Intent(_)));
                if is_wanted { resolved.settings(step, turn).iter().collect() } else { Vec::new() }
            }
        };
        let is_sent = !settings.is_empty();
        for set in settings.into_iter().filter(|_| moves) {
            let Some(value) = set.value.as_f64() else { continue };
            let part = &mut world.parts[room];
            match self.facility.fixtures[set.fixture].id.as_str().split('-').next() {
                Some("door") => part.shut = value > 0.0,
                #[expect(clippy::cast_possible_truncation, reason = "it is -1, 0 or 1")]
                _ => part.air = value as i8,
            }
        }
        match act {
            Way::Step(step, turn) if is_sent => {
                self.tell(world, room, &Event::Acted { step, turn, acted: ActionResult::Done })
            }
            _ => true,
        }
    }

    fn report(&self, world: &mut Together, room: usize) -> bool {
        let part = &world.parts[room];
        for (predicate, truth) in part.news(self, part.resolved(self, room)) {
            self.tell(world, room, &Event::Truth(predicate, truth));
        }
        true
    }

    /// Whether somebody in a room gets out, by the doors as they really are.
    fn gets_out(&self, world: &Together, room: usize) -> bool {
        let (mut seen, mut front) = (BTreeSet::from([room]), vec![room]);
        while let Some(room) = front.pop() {
            for opening in &self.facility.openings {
                let is_shut = opening.to.is_none()
                    && opening.id.as_str().starts_with("out-")
                    && world.parts[opening.room].shut;
                if is_shut || (opening.room != room && opening.to != Some(room)) {
                    continue;
                }
                let behind = if opening.room == room { opening.to } else { Some(opening.room) };
                match behind {
                    None => return true,
                    Some(next) if seen.insert(next) => front.push(next),
                    Some(_) => {}
                }
            }
        }
        false
    }

    fn together(&self, world: &Together) -> Stage {
        let stages =
            || world.parts.iter().enumerate().map(|(room, part)| (part.stage(self, room), &part.state));
        match self.without {
            Some(Without::TheLeastFar) => {
                let far = |stage: &Stage| *stage == Stage::Ready;
                stages().map(|(stage, _)| stage).find(far).unwrap_or_else(|| fold(stages()).stage)
            }
            Some(Without::CountingHeld) => fold(stages().filter(|(stage, _)| *stage != Stage::Held)).stage,
            _ => fold(stages()).stage,
        }
    }

    fn of_room(&self, world: &Together, room: usize, moves: &mut Vec<Move>) {
        let (part, may_fail) = (&world.parts[room], world.faults < self.faults);
        let resolved = part.resolved(self, room);
        let Some(run) = &part.state.run else { return };
        for act in &part.acts {
            moves.push(Move::Do(room, *act));
            moves.extend(may_fail.then_some(Move::Lost(room, *act)));
        }
        let is_new = !part.news(self, resolved).is_empty();
        moves.extend(is_new.then_some(Move::Report(room)));
        match part.phase() {
            Phase::Preview => {
                moves.push(Move::Elapsed(room, Timer::Grace));
                let others = (0..self.ways[room].0.len()).filter(|way| *way != part.way);
                moves.extend(others.filter(|_| !run.is_return()).map(|way| Move::Amend(room, way)));
            }
            Phase::Held => moves.push(Move::Resume(room)),
            Phase::Proving => moves.push(Move::Elapsed(room, Timer::Prove)),
            _ => {}
        }
        if part.phase() != Phase::Held {
            moves.push(Move::Stop(room));
        }
        if !run.is_return() {
            moves.push(Move::Back(Some(room)));
        }
        if !run.unproven.is_empty() && part.acts.is_empty() {
            moves.push(Move::Elapsed(room, Timer::Safe));
        }
        for (index, state) in run.steps.iter().enumerate() {
            moves.extend(match state {
                StepState::Asked => Some(Move::Confirm(room, index)),
                StepState::Blocked if !is_new => Some(Move::Elapsed(room, Timer::Settle(index))),
                StepState::Sent(_) if !is_new => Some(Move::Elapsed(room, Timer::Verify(index))),
                StepState::Failed | StepState::Stuck => Some(Move::Retry(room, index)),
                _ => None,
            });
        }
    }
}

fn ordered(resolved: &ResolvedPlan) -> Event {
    let direction = resolved.plan.direction;
    Event::Order(OrderRef { id: "o".to_owned(), class: Class::Actual, direction, plan: resolved.plan.key() })
}

fn crash(world: &mut Together) {
    world.is_up = false;
    for part in &mut world.parts {
        part.acts.clear();
        let kept = serde_json::to_string(&part.state).expect("a state is written");
        part.state = serde_json::from_str(&kept).expect("a state is read");
    }
}

impl System for Wing {
    type World = Together;
    type Move = Move;

    fn start(&self) -> Together {
        let state = State { fire: Fire::Normal, ..State::default() };
        let parts = vec![Part { state, ..Part::default() }; self.ways.len()];
        Together { parts, is_up: true, fire: false, faults: 0, harm: None }
    }

    fn moves(&self, world: &Together) -> Vec<Move> {
        let mut moves = Vec::new();
        let may_fail = world.faults < self.faults;
        moves.extend(match world.fire {
            true => Some(Move::FireOver),
            false => may_fail.then_some(Move::Fire),
        });
        if !world.is_up {
            moves.push(Move::Restart);
            return moves;
        }
        moves.extend(may_fail.then_some(Move::Crash));
        // One order for every choice of rooms that are in peace or on their way back, by any of their ways in.
        let mut choices: Vec<[Option<usize>; 3]> = vec![[None; 3]];
        for (room, (enter, _)) in self.ways.iter().enumerate() {
            if world.parts[room].state.run.as_ref().is_some_and(|run| !run.is_return()) {
                continue;
            }
            let more = choices.iter().flat_map(|choice| {
                (0..enter.len()).map(|way| {
                    let mut choice = *choice;
                    choice[room] = Some(way);
                    choice
                })
            });
            choices.extend(more.collect::<Vec<_>>());
        }
        for choice in choices.into_iter().filter(|choice| choice.iter().any(Option::is_some)) {
            moves.push(Move::Enter(choice));
            let is_several = choice.iter().flatten().count() > 1;
            moves.extend((may_fail && is_several).then_some(Move::EnterCrash(choice)));
        }
        let entered = |part: &Part| part.state.run.as_ref().is_some_and(|run| !run.is_return());
        if world.parts.iter().filter(|part| entered(part)).count() > 1 {
            moves.push(Move::Back(None));
        }
        for room in 0..world.parts.len() {
            self.of_room(world, room, &mut moves);
        }
        moves
    }

    fn made(&self, world: &Together, made: Move) -> Option<Together> {
        let mut next = world.clone();
        let is_fault = matches!(made, Move::Fire | Move::Crash | Move::EnterCrash(_) | Move::Lost(..));
        next.faults += u8::from(is_fault);
        let is_told = match made {
            Move::Fire | Move::FireOver => {
                next.fire = made == Move::Fire;
                if next.is_up {
                    self.look(&mut next);
                }
                true
            }
            Move::Crash => {
                crash(&mut next);
                true
            }
            Move::Restart => {
                self.restart(&mut next);
                true
            }
            Move::Enter(rooms) => self.order(&mut next, rooms, false),
            Move::EnterCrash(rooms) => self.order(&mut next, rooms, true),
            Move::Amend(room, way) => self.amend(&mut next, room, way),
            Move::Back(room) => {
                let rooms: Vec<usize> =
                    room.map_or_else(|| (0..next.parts.len()).collect(), |room| vec![room]);
                let back = |room: &&usize| {
                    let resolved = &self.ways[**room].1;
                    self.tell_by(&mut next, **room, resolved, &ordered(resolved))
                };
                // Each is told, whatever the others say.
                rooms.iter().filter(back).count() > 0
            }
            Move::Stop(room) => self.stop(&mut next, room),
            Move::Resume(room) => self.tell(
                &mut next,
                room,
                &Event::Resume { who: actor("chen"), why: "so ordered".to_owned() },
            ),
            Move::Do(room, act) => self.act(&mut next, room, act, true),
            Move::Lost(room, act) => self.act(&mut next, room, act, false),
            Move::Report(room) => self.report(&mut next, room),
            Move::Confirm(room, step) => {
                let is_lead = world.parts[room].resolved(self, room).steps[step].id.as_str() == "accept";
                let who = actor(if is_lead { "chen" } else { "bo" });
                self.tell(&mut next, room, &Event::Confirm { step, who })
            }
            Move::Retry(room, step) => self.tell(&mut next, room, &Event::Retry { step, who: actor("chen") }),
            Move::Elapsed(room, timer) => self.tell(&mut next, room, &Event::Elapsed(timer)),
        };
        let is_told_at_once = next.is_up && !self.is_late;
        for room in (0..next.parts.len()).filter(|_| is_told_at_once) {
            self.report(&mut next, room);
        }
        is_told.then_some(next)
    }

    fn violated(&self, world: &Together) -> Option<&'static str> {
        if world.harm.is_some() {
            return world.harm;
        }
        let airs = || world.parts.iter().map(|part| part.air);
        if airs().any(|air| air < 0) && airs().any(|air| air > 0) {
            return Some("M two rooms of one air handler flow opposite ways");
        }
        if !(0..world.parts.len()).all(|room| self.gets_out(world, room)) {
            return Some("N nobody gets out of a room any more");
        }
        let knows = |part: &Part| part.state.fire == Fire::Alarm;
        if world.is_up && world.parts.iter().any(knows) {
            let is_held = |part: &Part| matches!(part.phase(), Phase::Held | Phase::Peace);
            if !world.parts.iter().all(|part| knows(part) && is_held(part)) {
                return Some("B a fire of the zone does not hold every room of it");
            }
        }
        let is_spread = |part: &Part| {
            let run = part.state.run.as_ref();
            part.phase() == Phase::Held && run.is_none_or(|run| run.causes.is_empty())
        };
        if world.parts.iter().any(is_spread) {
            return Some("Y a room is held because another is");
        }
        if self.together(world) == Stage::Ready {
            let is_ready = |part: &Part| matches!(part.phase(), Phase::Ready | Phase::Peace);
            let has_run = world.parts.iter().any(|part| part.state.run.is_some());
            if !has_run || !world.parts.iter().all(is_ready) {
                return Some("Z together they are told to be ready and one is not");
            }
        }
        // Ready rests on what is really so.
        let lies = |(room, part): (usize, &Part)| {
            let resolved = part.resolved(self, room);
            let wanted = f64::from(part.air);
            let air = resolved.settings(1, ActionPhase::On).first().and_then(|set| set.value.as_f64());
            part.phase() == Phase::Ready && world.is_up && (!part.shut || air != Some(wanted))
        };
        if world.parts.iter().enumerate().any(lies) {
            return Some("C a room is told to be ready and is not so");
        }
        None
    }

    fn is_settled(&self, world: &Together) -> bool {
        let is_settled = |part: &Part| matches!(part.phase(), Phase::Peace | Phase::Ready);
        !world.fire && world.is_up && world.parts.iter().all(is_settled)
    }

    fn seen(&self, world: &Together) -> [bool; 3] {
        let count = |phase: Phase| world.parts.iter().filter(|part| part.phase() == phase).count();
        [
            count(Phase::Ready) == world.parts.len(),
            count(Phase::Held) == world.parts.len(),
            count(Phase::Held) > 0 && count(Phase::Ready) > 0,
        ]
    }
}

use Pressure::{Negative, Positive};

/// A room that pulls, and one beside it that can pull or push.
const TWO: [&[Pressure]; 2] = [&[Negative], &[Negative, Positive]];
/// Two that pull, and one that pushes.
const THREE: [&[Pressure]; 3] = [&[Negative], &[Negative], &[Positive]];

fn whole(rooms: &[&[Pressure]], faults: u8, most: usize) {
    let wing = Wing::new(rooms, None, faults, true);
    assert!(!wing.lock_in(), "the plans are refused");
    let found = explore(&wing, most);
    assert!(found.violated.is_none(), "{:?}", found.violated);
    assert_eq!(found.stuck, 0, "{} of {} states can no longer settle", found.stuck, found.states);
    let [ready, held, apart] = found.seen;
    println!(
        "{} rooms, {faults} faults: {} states{}, {} moves, no violation; \
         all ready {ready}, all held {held}, one held beside one that is ready {apart}",
        rooms.len(),
        found.states,
        if found.is_whole { ", all can settle" } else { ", the nearest ones" },
        found.moves
    );
    if rooms.len() == 2 {
        assert!(found.is_whole, "more than {most} states: the model grew");
        assert!(ready > 0 && held > 0 && apart > 0, "the model reaches nothing: {:?}", found.seen);
    }
}

fn number(name: &str) -> Option<u8> {
    std::env::var(name).ok().and_then(|number| number.parse().ok())
}

#[test]
fn rooms_together_harm_nobody() {
    whole(&TWO, number("LINLI_MODEL_FAULTS").unwrap_or(0), MOST);
}

/// All states of three rooms are too many: those that take the fewest moves are looked at.
#[test]
fn three_rooms_together_harm_nobody_as_far_as_one_looks() {
    let most = number("LINLI_MODEL_MILLIONS").map_or(200_000, |millions| usize::from(millions) * 1_000_000);
    whole(&THREE, number("LINLI_MODEL_FAULTS").unwrap_or(1), most);
}

#[test]
fn nothing_that_binds_rooms_together_can_be_spared() {
    let mut spared = Vec::new();
    for (without, faults, has_fire_exit) in EACH {
        let wing = Wing::new(&TWO, Some(without), faults, has_fire_exit);
        assert_eq!(wing.lock_in(), !has_fire_exit, "the loader sees who is locked in");
        let found: Found<Move> = explore(&wing, MOST);
        match found.violated {
            Some((what, way)) => {
                println!(
                    "without {without:?}: {what}, {} moves, {} states: {way:?}",
                    way.len(),
                    found.states
                );
            }
            None => spared.push(without),
        }
    }
    assert!(spared.is_empty(), "nothing is violated without {spared:?}");
}
