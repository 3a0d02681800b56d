//! A reading room that becomes a sampling area, and goes back: one of every kind of step.

use std::collections::BTreeMap;
use std::time::Duration;

use linli_domain::alarm::Source;
use linli_domain::{Id, Value};
use linli_mode::facility::{
    Contents, Facility, FireZone, Fixture, Interlock, Kind, Opening, Output, Person, Read, ReadSource, Room,
    Way,
};
use linli_mode::{
    Channel, Compensate, Direction, Drill, HumanTask, Literal, OnFail, Plan, Pressure, ResolvedPlan, Retry,
    Step, Verify, VoidOn, Work,
};

pub fn id(text: &str) -> Id {
    Id::new(text).expect("an id of a test is one")
}

pub fn point(device: &str, point: &str) -> Source {
    Source { device: id(device), point: id(point) }
}

fn words(words: &[(&str, i64)]) -> Vec<(String, Value)> {
    words.iter().map(|(word, value)| ((*word).to_owned(), Value::Integer(*value))).collect()
}

fn read(name: &str, words: Vec<(String, Value)>, is_independent: bool, fixture: &str) -> Read {
    let from = ReadSource::Point(point(fixture, name));
    Read { name: name.to_owned(), from, words, is_per_volume: false, is_independent }
}

fn fixture(name: &str, kind: Kind, sets: Vec<Output>, reads: Vec<Read>) -> Fixture {
    let interlock = Interlock::Hardwired;
    Fixture { id: id(name), room: 0, kind, interlock, opening: None, sets, reads }
}

fn output(fixture: &str, name: &str, known: &[(&str, i64)], safe: Option<&str>) -> Output {
    Output {
        name: name.to_owned(),
        point: point(fixture, name),
        words: words(known),
        safe: safe.map(str::to_owned),
        secures: Vec::new(),
        entry_only: Vec::new(),
        is_pulse: false,
    }
}

/// Two doors, lamps, a fan, a gate with a push button, a sensor for people.
pub fn facility() -> Facility {
    let entry = [("public", 0), ("staff_only", 1)];
    let lock =
        Output { secures: vec!["staff_only".to_owned()], ..output("lock", "entry", &entry, Some("public")) };
    let mut door = fixture(
        "lock",
        Kind::Door,
        vec![lock],
        vec![
            read("entry", words(&entry), false, "lock"),
            read("contact", words(&[("closed", 0), ("open", 1)]), true, "lock"),
        ],
    );
    door.opening = Some(0);
    let flow = Read { is_per_volume: true, ..read("flow", Vec::new(), true, "fan") };
    let gate = Output { is_pulse: true, ..output("gate", "button", &[("press", 1)], None) };
    Facility {
        sites: Vec::new(),
        rooms: vec![Room {
            id: id("reading-room"),
            name: "阅览室".to_owned(),
            site: None,
            emergency_roles: vec!["sampling_area".to_owned()],
            volume: Some(150.0),
            fire_zone: Some(0),
            air_zone: None,
            contents: Vec::new(),
        }],
        openings: vec![
            Opening { id: id("door-main"), room: 0, to: None, way: Way::Both },
            Opening { id: id("door-garden"), room: 0, to: None, way: Way::FireExit },
        ],
        fixtures: vec![
            door,
            fixture(
                "uv",
                Kind::Uv,
                vec![output("uv", "power", &[("off", 0), ("on", 1)], Some("off"))],
                vec![
                    read("irradiance", Vec::new(), true, "uv"),
                    read("power", words(&[("off", 0), ("on", 1)]), false, "uv"),
                ],
            ),
            fixture("fan", Kind::Ventilation, vec![output("fan", "outdoor_air", &[], None)], vec![flow]),
            fixture(
                "gate",
                Kind::Barrier,
                vec![gate],
                vec![
                    read("position", words(&[("closed", 0), ("open", 1)]), true, "gate"),
                    read("power", Vec::new(), false, "gate"),
                ],
            ),
            fixture("pir", Kind::Occupancy, Vec::new(), vec![read("occupied", Vec::new(), true, "pir")]),
        ],
        fire_zones: vec![FireZone { id: id("north"), input: point("panel", "alarm") }],
        people: [("an", "staff"), ("bo", "staff"), ("chen", "site_lead")]
            .iter()
            .map(|(name, role)| Person {
                id: id(name),
                name: (*name).to_owned(),
                roles: match *name {
                    // Who sweeps may also lead; then somebody else has to accept.
                    "an" => vec![(*role).to_owned(), "site_lead".to_owned()],
                    _ => vec![(*role).to_owned()],
                },
            })
            .collect(),
    }
}

fn word(text: &str) -> Literal {
    Literal::Word(text.to_owned())
}

fn verify(read: &str, channel: Channel) -> Option<Verify> {
    Some(Verify { read: vec![read.to_owned()], within: Duration::from_secs(10), channel })
}

pub fn step(id_: &str, after: &[&str], pre: &[&str], drill: Drill, on_fail: OnFail, work: Work) -> Step {
    Step {
        id: id(id_),
        after: after.iter().map(|text| (*text).to_owned()).collect(),
        work,
        pre: pre.iter().map(|text| (*text).to_owned()).collect(),
        deadline: Duration::from_secs(600),
        escalate: vec![("site_lead".to_owned(), Duration::from_secs(300))],
        on_fail,
        drill,
    }
}

fn accept(not_same_as: &[&str]) -> Step {
    let task = HumanTask {
        role: "site_lead".to_owned(),
        count: 1,
        prompt: "单向动线走查".to_owned(),
        not_same_as: not_same_as.iter().map(|text| (*text).to_owned()).collect(),
        ..HumanTask::default()
    };
    step("accept", &["*"], &[], Drill::Live, OnFail::Human, Work::Human(task))
}

fn sweep() -> Step {
    let task = HumanTask {
        role: "staff".to_owned(),
        count: 2,
        prompt: "逐排、卫生间、储物间清场".to_owned(),
        void_on: VoidOn { door_opened: true, presence: true, after: Some(Duration::from_secs(900)) },
        is_sweep: true,
        ..HumanTask::default()
    };
    step("sweep", &[], &[], Drill::Live, OnFail::Human, Work::Human(task))
}

fn fan(air: f64, proof: &str, after: &[&str]) -> Step {
    step(
        "fan",
        after,
        &["fire == normal"],
        Drill::Simulate,
        OnFail::Degrade,
        Work::Actuate {
            device: "fan".to_owned(),
            set: vec![("outdoor_air".to_owned(), Literal::Number(air))],
            verify: verify(proof, Channel::Independent),
            retry: Retry { times: 1, gap: Duration::from_secs(5) },
            compensate: Some(Compensate {
                set: vec![("outdoor_air".to_owned(), Literal::Number(30.0))],
                pre: vec!["fire == normal".to_owned()],
            }),
            is_reasserted: air > 50.0,
        },
    )
}

fn entry(id_: &str, to: &str, after: &[&str], pre: &[&str]) -> Step {
    step(
        id_,
        after,
        pre,
        Drill::Simulate,
        OnFail::Hold,
        Work::Actuate {
            device: "lock".to_owned(),
            set: vec![("entry".to_owned(), word(to))],
            verify: verify(&format!("lock.entry == {to}"), Channel::Itself),
            retry: Retry { times: 0, gap: Duration::ZERO },
            compensate: None,
            is_reasserted: false,
        },
    )
}

fn gate(to: &str, after: &[&str]) -> Step {
    step(
        "gate",
        after,
        &["fire == normal"],
        Drill::Simulate,
        OnFail::Human,
        Work::Actuate {
            device: "gate".to_owned(),
            set: vec![("button".to_owned(), word("press"))],
            verify: Some(Verify {
                read: vec![format!("gate.position == {to}"), "gate.power == on".to_owned()],
                within: Duration::from_secs(10),
                channel: Channel::Independent,
            }),
            retry: Retry { times: 2, gap: Duration::from_secs(5) },
            compensate: None,
            is_reasserted: false,
        },
    )
}

fn plan(name: &str, direction: Direction, steps: Vec<Step>) -> Plan {
    Plan {
        id: id(name),
        version: 1,
        direction,
        room: id("reading-room"),
        role: "sampling_area".to_owned(),
        ready_within: Duration::from_secs(7200),
        lead: "site_lead".to_owned(),
        pressure: Pressure::Negative,
        basis: vec!["WS 696-2020".to_owned()],
        return_plan: (direction == Direction::Enter).then(|| "back@1".to_owned()),
        alternate: None,
        grace: Duration::from_secs(30),
        params: BTreeMap::from([("min_ach".to_owned(), Literal::Number(6.0))]),
        steps,
    }
}

/// The same with one person who searches the room.
pub fn enter_alone() -> Plan {
    let mut plan = enter();
    if let Work::Human(task) = &mut plan.steps[0].work {
        task.count = 1;
    }
    plan
}

/// The way in, with lamps.
pub fn enter() -> Plan {
    let dose = step(
        "dose",
        &["secure"],
        &["vacant(2)", "fire == normal"],
        Drill::Skip,
        OnFail::Human,
        Work::Process {
            device: "uv".to_owned(),
            set: vec![("power".to_owned(), word("on"))],
            then: Vec::new(),
            verify: verify("uv.irradiance == on", Channel::Independent),
            span: Duration::from_secs(1800),
            lease: Some(Duration::from_secs(10)),
            abort_on: ["presence", "door_opened", "fire", "stop"].iter().map(|on| (*on).to_owned()).collect(),
        },
    );
    plan(
        "sampling",
        Direction::Enter,
        vec![
            sweep(),
            entry("secure", "staff_only", &["sweep"], &["vacant(2)", "fire == normal", "exit_free"]),
            dose,
            fan(100.0, "fan.flow >= params.min_ach", &["dose"]),
            entry("open", "public", &["fan"], &["fire == normal"]),
            gate("open", &["open"]),
            accept(&["sweep"]),
        ],
    )
}

/// The same room, but its lamps are said to be plain ones.
pub fn with_plain_lamps() -> Facility {
    let mut facility = facility();
    facility.fixtures[1].kind = Kind::Lighting;
    facility
}

/// The way in with a step that switches the lamps on and one that switches them off.
pub fn enter_on_and_off() -> Plan {
    let mut plan = enter();
    let lamps = |name: &str, to: &str, after: &str, proof: &str, channel| {
        let work = Work::Actuate {
            device: "uv".to_owned(),
            set: vec![("power".to_owned(), word(to))],
            verify: verify(proof, channel),
            retry: Retry { times: 0, gap: Duration::ZERO },
            compensate: None,
            is_reasserted: false,
        };
        step(name, &[after], &["vacant(2)", "fire == normal"], Drill::Skip, OnFail::Human, work)
    };
    let task = HumanTask { role: "staff".to_owned(), count: 1, ..HumanTask::default() };
    let wait = step("wait", &["dose"], &[], Drill::Skip, OnFail::Human, Work::Human(task));
    plan.steps[2] = lamps("dose", "on", "secure", "uv.irradiance == on", Channel::Independent);
    plan.steps[3].after = vec!["off".to_owned()];
    plan.steps.insert(3, wait);
    plan.steps.insert(4, lamps("off", "off", "wait", "uv.irradiance == off", Channel::Independent));
    plan
}

/// The way back.
pub fn back() -> Plan {
    let inspect = HumanTask { role: "staff".to_owned(), count: 1, ..HumanTask::default() };
    let inspect = step("inspect", &["fan"], &[], Drill::Live, OnFail::Human, Work::Human(inspect));
    plan("back", Direction::Return, vec![fan(30.0, "fan.flow < 2", &[]), inspect, accept(&["inspect"])])
}

pub fn resolved(plan: Plan) -> ResolvedPlan {
    resolved_in(plan, &facility())
}

pub fn resolved_in(plan: Plan, facility: &Facility) -> ResolvedPlan {
    ResolvedPlan::new(plan, facility).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

/// A kitchen that becomes a store: food in it, a stove and a fridge.
pub fn kitchen() -> Facility {
    let lit = [("off", 0), ("on", 1)];
    let kept = [("food", 0), ("goods", 1)];
    let mut facility = facility();
    facility.rooms[0].contents = vec![Contents::HotFood, Contents::Chilled];
    facility.fixtures = vec![
        fixture(
            "heat",
            Kind::Heat,
            vec![output("heat", "power", &lit, Some("off"))],
            vec![read("power", words(&lit), true, "heat")],
        ),
        fixture(
            "fridge",
            Kind::Fridge,
            vec![output("fridge", "setpoint", &kept, None)],
            vec![read("setpoint", words(&kept), true, "fridge")],
        ),
    ];
    facility
}

fn kitchen_step(device: &str, name: &str, to: &str, after: &[&str], pre: &[&str]) -> Step {
    let work = Work::Actuate {
        device: device.to_owned(),
        set: vec![(name.to_owned(), word(to))],
        verify: verify(&format!("{device}.{name} == {to}"), Channel::Independent),
        retry: Retry { times: 1, gap: Duration::from_secs(5) },
        compensate: None,
        is_reasserted: false,
    };
    step(device, after, pre, Drill::Simulate, OnFail::Human, work)
}

/// The way in of the kitchen: the food is taken out, the stove goes off, the fridge keeps other goods.
pub fn store() -> Plan {
    let clear = HumanTask {
        role: "staff".to_owned(),
        count: 2,
        clears: vec!["hot_food".to_owned(), "chilled".to_owned()],
        ..HumanTask::default()
    };
    let mut plan = enter();
    plan.pressure = Pressure::Neutral;
    plan.steps = vec![
        step("clear", &[], &[], Drill::Live, OnFail::Human, Work::Human(clear)),
        kitchen_step("heat", "power", "off", &["clear"], &["free_of(hot_food)", "fire == normal"]),
        kitchen_step("fridge", "setpoint", "goods", &["clear"], &["free_of(chilled)", "fire == normal"]),
        accept(&["clear"]),
    ];
    plan
}

/// The way back of the kitchen.
pub fn from_store() -> Plan {
    let inspect = HumanTask { role: "staff".to_owned(), count: 1, ..HumanTask::default() };
    let clear = HumanTask { clears: vec!["chilled".to_owned()], ..inspect.clone() };
    let mut plan = back();
    plan.pressure = Pressure::Neutral;
    plan.steps = vec![
        step("clear", &[], &[], Drill::Live, OnFail::Human, Work::Human(clear)),
        kitchen_step("fridge", "setpoint", "food", &["clear"], &["free_of(chilled)", "fire == normal"]),
        step("inspect", &["fridge"], &[], Drill::Live, OnFail::Human, Work::Human(inspect)),
        accept(&["inspect"]),
    ];
    plan
}
