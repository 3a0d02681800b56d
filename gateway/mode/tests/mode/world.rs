//! The room as it really is, beside what the machine believes of it: doors, lamps, air, people,
//! the wires that keep lamps and doors harmless, and everything that can go wrong.

use std::collections::{BTreeMap, BTreeSet};

use linli_domain::Value;
use linli_domain::alarm::Source;
use linli_domain::audit::hex;
use linli_mode::facility::Facility;
use linli_mode::{
    Action, ActionPhase, ActionResult, Actor, Class, Direction, Effect, Event, Fire, OrderRef, Phase,
    Readings, ResolvedPlan, SafetyRules, State, StepState, Timer, Truth, step_under,
};

use super::building::id;
use super::harm::harm_of;

/// What is broken on purpose besides the safety rules: the wires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// The door contact of the lamps.
    Lamps,
    /// The relay by which the fire panel opens doors.
    Fire,
    /// The relay that drops when nobody refreshes it.
    Lease,
}

/// What the world is made of.
pub struct Rules<'r> {
    pub safety_rules: SafetyRules,
    pub wires_cut: &'r [Wire],
    pub enter: &'r ResolvedPlan,
    pub back: &'r ResolvedPlan,
    pub facility: &'r Facility,
    /// Faults at most.
    pub faults: u8,
    /// Decisions of people, other than those of the plan, at most.
    pub human_acts: u8,
    /// Whether time passes: otherwise any span may run out at any moment.
    pub has_time: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sensor {
    Works,
    Silent,
    /// It says that nobody is there.
    Lies,
}

/// Whether somebody secured the door by another way than the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Meddled {
    No,
    /// The machine was not told of it yet.
    Untold,
    /// The room was in peace before the machine was told: it is no longer the run's door.
    InPeace,
}

/// How things stand.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct World {
    pub room: State,
    pub is_up: bool,
    pub is_secured: bool,
    pub uv: bool,
    pub fan: bool,
    pub gate: bool,
    /// The gate has power.
    pub power: bool,
    pub somebody: bool,
    pub sensor: Sensor,
    /// Nothing is heard of the door: neither of its lock nor of its contact.
    pub mute: bool,
    pub fire: bool,
    /// The stove is lit, the fridge is set for stored goods, and food is in the room.
    pub heat: bool,
    pub stored: bool,
    pub food: bool,
    /// Acts that are journaled and on their way.
    pub acts: BTreeSet<Way>,
    pub faults: u8,
    /// Times a person decided otherwise.
    pub human_acts: u8,
    /// A door stands open, just now.
    pub ajar: bool,
    /// The lamps went out in between.
    pub broken: bool,
    /// The lamps ran long enough without going out.
    pub dosed: bool,
    /// How often the gate's button was pressed for one intent.
    pub presses: u8,
    /// Something the machine was not told of yet changed by itself.
    pub tripped: bool,
    /// The run moved the door.
    pub is_touched: bool,
    /// Whether somebody else secured the door.
    pub meddled: Meddled,
    /// Processes whose lease is renewed.
    pub leases: BTreeSet<usize>,
    /// The room was in its emergency role, and nobody has brought it back since.
    pub owed: bool,
    /// Milliseconds since the beginning, and what runs out when; only where time passes.
    pub now: u64,
    pub timers: BTreeMap<Timer, u64>,
    /// What happened that must never happen.
    pub harm: Option<&'static str>,
    /// What the record would say since it was taken: plan, event, hash of the state that it led to.
    /// Only where time passes.
    pub record: Vec<(String, Event, String)>,
}

/// An act on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Way {
    Step(usize, ActionPhase),
    Safe(usize),
}

/// What can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    Enter,
    Leave,
    DoorCloses,
    SensorFails,
    SensorLies,
    SensorRepaired,
    Fire,
    FireOver,
    Crash,
    Restart,
    Order(Direction, Class),
    Cancel,
    Stop,
    Resume(&'static str),
    Commit,
    Do(Way),
    /// The device says yes and does nothing.
    Lost(Way),
    /// The device says no and does nothing.
    Refused(Way),
    /// The device does it, and nobody hears.
    Unheard(Way),
    /// The fan stops by itself.
    Trip,
    /// Somebody secures the door, by another way than the plan.
    Meddle,
    /// Nothing is heard of the door any more.
    DoorMute,
    DoorHeard,
    /// The lease of a process is renewed.
    Renew(usize),
    /// Somebody carries food back.
    FoodBack,
    /// The lamps go out by themselves.
    LampsFail,
    /// The gate loses its power, where it stands.
    GateFails,
    GateRepaired,
    /// Nothing is heard of the fire panel any more.
    PanelSilent,
    PanelHeard,
    /// Everything is read and told.
    Report,
    Confirm(usize, &'static str),
    Cannot(usize),
    /// Of a drill: it was only made believe.
    Simulate(usize),
    Waive(usize),
    Retry(usize),
    Reject,
    Elapsed(Timer),
}

pub fn actor(name: &str) -> Actor {
    let roles: &[&str] = match name {
        "an" => &["staff", "site_lead"],
        "bo" => &["staff"],
        "chen" => &["site_lead"],
        _ => &[],
    };
    Actor { id: id(name), roles: roles.iter().map(|role| (*role).to_owned()).collect() }
}

impl Readings for World {
    fn value(&self, point: &Source) -> Option<Value> {
        let on = |is: bool| Some(Value::Integer(i64::from(is)));
        match (point.device.as_str(), point.point.as_str()) {
            ("lock", _) if self.mute => None,
            ("lock", "entry") => on(self.is_secured),
            ("heat", "power") => on(self.heat),
            ("fridge", "setpoint") => on(self.stored),
            ("lock", "contact") => on(self.ajar),
            ("uv", "irradiance") => Some(Value::Bool(self.uv)),
            ("uv", "power") => on(self.uv),
            ("fan", "flow") => Some(Value::Float(if self.fan { 900.0 } else { 100.0 })),
            ("gate", "position") => on(self.gate),
            ("gate", "power") => Some(Value::Bool(self.power)),
            ("pir", "occupied") => match self.sensor {
                Sensor::Works => Some(Value::Bool(self.somebody)),
                Sensor::Silent => None,
                Sensor::Lies => Some(Value::Bool(false)),
            },
            _ => None,
        }
    }
}

impl World {
    pub fn new() -> Self {
        let room = State { fire: Fire::Normal, ..State::default() };
        Self {
            room,
            is_up: true,
            is_secured: false,
            uv: false,
            fan: false,
            gate: false,
            power: true,
            somebody: true,
            sensor: Sensor::Works,
            mute: false,
            fire: false,
            heat: true,
            stored: false,
            food: true,
            acts: BTreeSet::new(),
            faults: 0,
            human_acts: 0,
            ajar: false,
            broken: false,
            dosed: false,
            presses: 0,
            tripped: false,
            is_touched: false,
            meddled: Meddled::No,
            leases: BTreeSet::new(),
            owed: false,
            now: 0,
            timers: BTreeMap::new(),
            harm: None,
            record: Vec::new(),
        }
    }

    /// The plan of the run.
    pub fn resolved<'r>(&self, rules: &Rules<'r>) -> &'r ResolvedPlan {
        match &self.room.run {
            Some(run) if run.is_return() => rules.back,
            _ => rules.enter,
        }
    }

    pub fn phase(&self) -> Phase {
        self.room.phase
    }

    /// Makes a move. None when the machine refused it and nothing changed.
    pub fn made(&self, rules: &Rules<'_>, made: Move) -> Option<Self> {
        let mut next = self.clone();
        let fault = match made {
            Move::Enter => self.is_secured,
            Move::SensorFails | Move::SensorLies | Move::Fire | Move::Crash | Move::Trip => true,
            Move::LampsFail | Move::PanelSilent | Move::GateFails | Move::Meddle | Move::DoorMute => true,
            Move::Lost(_) | Move::Refused(_) | Move::Unheard(_) => true,
            _ => false,
        };
        next.faults += u8::from(fault);
        let human_act = matches!(
            made,
            Move::Cannot(_) | Move::Simulate(_) | Move::Waive(_) | Move::Reject | Move::Cancel
        );
        next.human_acts += u8::from(human_act);
        let told = next.apply(rules, made);
        told.then_some(next)
    }

    fn apply(&mut self, rules: &Rules<'_>, made: Move) -> bool {
        match made {
            Move::Enter => {
                (self.somebody, self.ajar) = (true, true);
                if !rules.wires_cut.contains(&Wire::Lamps) {
                    self.lamps(false);
                }
                self.sense(rules)
            }
            Move::Leave | Move::DoorCloses | Move::SensorFails | Move::SensorLies | Move::SensorRepaired => {
                match made {
                    Move::Leave => self.somebody = false,
                    Move::DoorCloses => self.ajar = false,
                    Move::SensorFails => self.sensor = Sensor::Silent,
                    Move::SensorLies => self.sensor = Sensor::Lies,
                    _ => self.sensor = Sensor::Works,
                }
                self.sense(rules)
            }
            Move::Fire | Move::FireOver => self.burn(rules, made == Move::Fire),
            Move::Crash => {
                self.crash(rules);
                true
            }
            Move::Restart => {
                self.is_up = true;
                self.tell(rules, &Event::Restarted)
                    && self.tell(rules, &Event::Fire(self.fire.into()))
                    && self.sense(rules)
            }
            Move::Trip => {
                (self.fan, self.tripped) = (false, true);
                true
            }
            Move::LampsFail => {
                self.lamps(false);
                true
            }
            Move::Meddle => {
                (self.is_secured, self.meddled) = (true, Meddled::Untold);
                true
            }
            Move::DoorMute | Move::DoorHeard => {
                self.mute = made == Move::DoorMute;
                self.sense(rules)
            }
            Move::Renew(_) => {
                let is_shut = !self.somebody && !self.fire;
                self.lamps(is_shut || rules.wires_cut.contains(&Wire::Lamps));
                true
            }
            Move::FoodBack => {
                self.food = true;
                true
            }
            Move::GateFails | Move::GateRepaired => {
                self.power = made == Move::GateRepaired;
                true
            }
            Move::PanelSilent => self.tell(rules, &Event::Fire(Truth::Unknown)),
            Move::PanelHeard => self.tell(rules, &Event::Fire(self.fire.into())),
            Move::Do(act) => self.act(rules, act, true, Some(ActionResult::Done)),
            Move::Lost(act) => self.act(rules, act, false, Some(ActionResult::Done)),
            Move::Refused(act) => self.act(rules, act, false, Some(ActionResult::Failed)),
            Move::Unheard(act) => self.act(rules, act, true, Some(ActionResult::Failed)),
            Move::Report => self.report(rules),
            other => self.asked(rules, other),
        }
    }

    /// A fire begins or ends.
    fn burn(&mut self, rules: &Rules<'_>, is_fire: bool) -> bool {
        self.fire = is_fire;
        if is_fire && !rules.wires_cut.contains(&Wire::Fire) {
            self.is_secured = false;
            self.lamps(false);
        }
        !self.is_up || self.tell(rules, &Event::Fire(is_fire.into()))
    }

    fn crash(&mut self, rules: &Rules<'_>) {
        self.is_up = false;
        self.acts.clear();
        self.leases.clear();
        self.timers.clear();
        // What is kept is what was written.
        let kept = serde_json::to_string(&self.room).expect("a state is written");
        self.room = serde_json::from_str(&kept).expect("a state is read");
        if !rules.wires_cut.contains(&Wire::Lease) {
            self.lamps(false);
        }
    }

    fn report(&mut self, rules: &Rules<'_>) -> bool {
        self.tripped = false;
        if self.meddled == Meddled::Untold {
            self.meddled = Meddled::No;
        }
        for predicate in self.resolved(rules).urgency() {
            let resolved = self.resolved(rules);
            let Some(read) = resolved.predicates.get(predicate) else { continue };
            let truth = read.truth(rules.facility, self);
            let known = self.room.run.as_ref().and_then(|run| run.truths.get(predicate)).copied();
            if known.is_some_and(|known| known != truth) {
                self.tell(rules, &Event::Truth(predicate, truth));
            }
        }
        true
    }

    fn asked(&mut self, rules: &Rules<'_>, made: Move) -> bool {
        let why = || "so ordered".to_owned();
        let event = match made {
            Move::Order(direction, class) => {
                return self.order(rules, direction, class);
            }
            Move::Cancel => Event::Cancel { by: why() },
            Move::Stop => Event::Stop { by: why() },
            Move::Resume(who) => Event::Resume { who: actor(who), why: why() },
            Move::Commit => Event::Commit { who: actor("chen") },
            Move::Confirm(step, who) => {
                // People who wait for lamps to have burnt long enough.
                let is_waited = self.resolved(rules).steps[step].id.as_str() == "wait";
                self.dosed |= is_waited && self.uv && !self.broken;
                let clears =
                    |action: &Action| matches!(action, Action::Human { clears, .. } if !clears.is_empty());
                self.food &= !clears(&self.resolved(rules).steps[step].action);
                Event::Confirm { step, who: actor(who) }
            }
            Move::Simulate(step) => Event::Simulate { step, who: actor("an") },
            Move::Cannot(step) => Event::Cannot { step, who: actor("an"), why: why() },
            Move::Waive(step) => {
                let span = std::time::Duration::from_secs(60);
                Event::Waive { step, who: actor("chen"), why: why(), span, until: None }
            }
            Move::Retry(step) => {
                self.presses = 0;
                Event::Retry { step, who: actor("chen") }
            }
            Move::Reject => Event::Reject { who: actor("chen"), why: why() },
            Move::Elapsed(timer) => {
                if let Some(due) = self.timers.remove(&timer) {
                    self.now = self.now.max(due);
                }
                if matches!(timer, Timer::Dwell(_)) && !self.broken {
                    self.dosed = true;
                }
                Event::Elapsed(timer)
            }
            _ => return false,
        };
        self.tell(rules, &event)
    }

    fn order(&mut self, rules: &Rules<'_>, direction: Direction, class: Class) -> bool {
        let resolved = if direction == Direction::Enter { rules.enter } else { rules.back };
        let order = OrderRef { id: "o".to_owned(), class, direction, plan: resolved.plan.key() };
        let told = self.tell_with(rules, resolved, &Event::Order(order));
        if told {
            (self.dosed, self.presses) = (false, 0);
            // What an earlier run still had on its way is not sent any more.
            self.acts.retain(|act| matches!(act, Way::Safe(_)));
            return self.sense(rules);
        }
        told
    }

    /// An act reaches its device, unless it is no longer wanted.
    fn act(&mut self, rules: &Rules<'_>, act: Way, moves: bool, acted: Option<ActionResult>) -> bool {
        self.acts.remove(&act);
        let resolved = self.resolved(rules);
        match act {
            Way::Safe(output) => {
                if moves && resolved.safe.get(output).is_some() {
                    match rules.facility.fixtures[resolved.safe[output].setting.fixture].id.as_str() {
                        "lock" => (self.is_secured, self.meddled) = (false, Meddled::No),
                        "uv" => self.lamps(false),
                        "heat" => self.heat = false,
                        _ => {}
                    }
                }
                true
            }
            Way::Step(step, turn) => {
                let Some(run) = &self.room.run else { return true };
                let wanted = match turn {
                    ActionPhase::On => matches!(run.steps.get(step), Some(StepState::Intent(_))),
                    ActionPhase::Off | ActionPhase::Compensate => true,
                };
                if !wanted {
                    return true;
                }
                if moves {
                    self.drive(rules, resolved, step, turn);
                }
                acted.is_none_or(|acted| self.tell(rules, &Event::Acted { step, turn, acted }))
            }
        }
    }

    fn drive(&mut self, rules: &Rules<'_>, resolved: &ResolvedPlan, step: usize, turn: ActionPhase) {
        if self.room.is_exercise() {
            self.harm = Some("D a drill moved something");
        }
        match (resolved.steps[step].id.as_str(), turn) {
            ("secure", _) => {
                // The fire panel's relay wins over whatever is commanded.
                self.is_secured = !self.fire || rules.wires_cut.contains(&Wire::Fire);
                if self.somebody {
                    self.harm = Some("F a room was secured with a person inside");
                }
            }
            ("open", _) => (self.is_secured, self.meddled) = (false, Meddled::No),
            ("heat" | "fridge", _) if self.food => self.harm = Some("O food lost what it needs"),
            ("heat", _) => self.heat = false,
            ("fridge", _) => self.stored = !self.room.run.as_ref().is_some_and(|run| run.is_return()),
            ("dose", ActionPhase::On) => {
                let is_shut = !self.somebody && !self.fire;
                self.lamps(is_shut || rules.wires_cut.contains(&Wire::Lamps));
                self.broken = !self.uv;
            }
            ("dose" | "off", _) => self.lamps(false),
            ("fan", ActionPhase::Compensate) => self.fan = false,
            ("fan", _) => self.fan = !self.room.run.as_ref().is_some_and(|run| run.is_return()),
            ("gate", _) => {
                self.gate = !self.gate;
                self.presses += 1;
                if self.presses > 1 {
                    self.harm = Some("Q a pulse was driven twice for one intent");
                }
            }
            _ => {}
        }
    }

    fn lamps(&mut self, on: bool) {
        if self.uv && !on {
            self.broken = true;
        }
        self.uv = on;
    }

    /// What says that somebody is there, and that a door is open, is told at once.
    fn sense(&mut self, rules: &Rules<'_>) -> bool {
        if !self.is_up || self.room.run.is_none() {
            return true;
        }
        let resolved = self.resolved(rules);
        for predicate in resolved.opened.iter().chain(&resolved.occupied) {
            let truth = resolved.predicates[*predicate].truth(rules.facility, self);
            let known = self.room.run.as_ref().and_then(|run| run.truths.get(*predicate)).copied();
            if known != Some(truth) {
                self.tell(rules, &Event::Truth(*predicate, truth));
            }
        }
        true
    }

    fn tell(&mut self, rules: &Rules<'_>, event: &Event) -> bool {
        self.tell_with(rules, self.resolved(rules), event)
    }

    fn tell_with(&mut self, rules: &Rules<'_>, resolved: &ResolvedPlan, event: &Event) -> bool {
        let Ok((next, effects)) = step_under(rules.safety_rules, resolved, &self.room, event) else {
            return false;
        };
        let before = std::mem::replace(&mut self.room, next);
        if rules.has_time {
            self.record.push((resolved.plan.key(), event.clone(), hex(&self.room.hash())));
        }
        self.harm =
            self.harm.or_else(|| harm_of(rules, resolved, &before, &self.room, event, &effects, self));
        for effect in effects {
            match effect {
                Effect::Act { step, turn, .. } => drop(self.acts.insert(Way::Step(step, turn))),
                Effect::Safe(output) => drop(self.acts.insert(Way::Safe(output))),
                Effect::Lease(step) => drop(self.leases.insert(step)),
                Effect::Unlease(step) => drop(self.leases.remove(&step)),
                Effect::Arm(timer, span) if rules.has_time => {
                    let due = self.now + u64::try_from(span.as_millis()).expect("a span of a plan is short");
                    self.timers.insert(timer, due);
                }
                Effect::Disarm(timer) => drop(self.timers.remove(&timer)),
                Effect::DisarmAll => self.timers.clear(),
                _ => {}
            }
        }
        match (&before.run, &self.room.run) {
            (_, Some(run)) => {
                let is_used = self.phase() == Phase::Running && !run.is_return();
                self.owed |= is_used && !self.room.is_exercise();
                let is_lock = |output: &usize| {
                    let fixture = resolved.safe[*output].setting.fixture;
                    rules.facility.fixtures[fixture].id.as_str() == "lock"
                };
                self.is_touched |= run.moved.iter().any(is_lock);
            }
            (Some(run), None) => {
                self.owed &= !run.is_return();
                self.is_touched = false;
                // In peace people cook again, and whoever secured the door by hand goes on to do so.
                (self.food, self.heat) = (true, true);
                if self.meddled == Meddled::Untold {
                    self.meddled = Meddled::InPeace;
                }
            }
            (None, None) => {}
        }
        // What was on its way is not sent any more once it is not wanted.
        if self.phase() == Phase::Held {
            self.acts.retain(|act| !matches!(act, Way::Step(_, ActionPhase::On)));
        }
        true
    }
}
