//! A wing of a building: rooms in a row that share an air handler and a part of the fire panel.
//! Each has a door into the open and one into the next room.

use std::collections::BTreeMap;
use std::time::Duration;

use linli_domain::Value;
use linli_mode::facility::{
    Facility, FireZone, Fixture, Interlock, Kind, Opening, Output, Person, Read, ReadSource, Room, Way,
};
use linli_mode::{
    Channel, Direction, Drill, HumanTask, Literal, OnFail, Plan, Pressure, ResolvedPlan, Retry, Step, Verify,
    Work,
};

use super::building::{id, point, step};

/// Rooms, by their place in the row.
const NAMES: [&str; 3] = ["a", "b", "c"];

fn fixture(room: usize, name: &str, kind: Kind, words: &[(&str, i64)], safe: &str) -> Fixture {
    let device = format!("{name}-{}", NAMES[room]);
    let words: Vec<(String, Value)> =
        words.iter().map(|(word, value)| ((*word).to_owned(), Value::Integer(*value))).collect();
    let source = point(&device, "state");
    let read = Read {
        name: "state".to_owned(),
        from: ReadSource::Point(source.clone()),
        words: words.clone(),
        is_per_volume: false,
        is_independent: true,
    };
    let output = Output {
        name: "state".to_owned(),
        point: source,
        words,
        safe: Some(safe.to_owned()),
        secures: Vec::new(),
        entry_only: (kind == Kind::Door).then(|| "in_only".to_owned()).into_iter().collect(),
        is_pulse: false,
    };
    let opening = (kind == Kind::Door).then_some(room);
    let (sets, reads, interlock) = (vec![output], vec![read], Interlock::Hardwired);
    Fixture { id: id(&device), room, kind, interlock, opening, sets, reads }
}

/// That many rooms; with a door for the fire besides, or without.
pub fn facility(rooms: usize, has_fire_exit: bool) -> Facility {
    let room = |name: &&str| Room {
        id: id(name),
        name: (*name).to_owned(),
        site: None,
        emergency_roles: vec!["ward".to_owned()],
        volume: Some(100.0),
        fire_zone: Some(0),
        air_zone: Some(id("handler")),
        contents: Vec::new(),
    };
    let opening = |name: String, room, to, way| Opening { id: id(&name), room, to, way };
    let out = (0..rooms).map(|room| opening(format!("out-{}", NAMES[room]), room, None, Way::Both));
    let between =
        (1..rooms).map(|room| opening(format!("to-{}", NAMES[room]), room - 1, Some(room), Way::Both));
    let fire = has_fire_exit.then(|| opening("fire-exit".to_owned(), rooms - 1, None, Way::FireExit));
    let doors =
        (0..rooms).map(|room| fixture(room, "door", Kind::Door, &[("public", 0), ("in_only", 1)], "public"));
    let flows = [("neutral", 0), ("negative", -1), ("positive", 1)];
    let airs = (0..rooms).map(|room| fixture(room, "air", Kind::Ventilation, &flows, "neutral"));
    let person =
        |name: &str, role: &str| Person { id: id(name), name: name.to_owned(), roles: vec![role.to_owned()] };
    Facility {
        sites: Vec::new(),
        rooms: NAMES[..rooms].iter().map(room).collect(),
        openings: out.chain(between).chain(fire).collect(),
        fixtures: doors.chain(airs).collect(),
        fire_zones: vec![FireZone { id: id("wing"), input: point("panel", "alarm") }],
        people: vec![person("an", "staff"), person("chen", "site_lead")],
    }
}

fn sets(name: &str, device: &str, to: &str, after: &[&str], pre: &[&str], on_fail: OnFail) -> Step {
    let verify = Verify {
        read: vec![format!("{device}.state == {to}")],
        within: Duration::from_secs(10),
        channel: Channel::Itself,
    };
    let work = Work::Actuate {
        device: device.to_owned(),
        set: vec![("state".to_owned(), Literal::Word(to.to_owned()))],
        verify: Some(verify),
        retry: Retry { times: 0, gap: Duration::ZERO },
        compensate: None,
        is_reasserted: false,
    };
    step(name, after, pre, Drill::Simulate, on_fail, work)
}

fn people(name: &str, role: &str, after: &[&str], not_same_as: &[&str]) -> Step {
    let task = HumanTask {
        role: role.to_owned(),
        count: 1,
        not_same_as: not_same_as.iter().map(|step| (*step).to_owned()).collect(),
        ..HumanTask::default()
    };
    step(name, after, &[], Drill::Live, OnFail::Human, Work::Human(task))
}

fn plan(room: usize, name: &str, direction: Direction, pressure: Pressure, steps: Vec<Step>) -> Plan {
    Plan {
        id: id(name),
        version: 1,
        direction,
        room: id(NAMES[room]),
        role: "ward".to_owned(),
        ready_within: Duration::from_secs(7200),
        lead: "site_lead".to_owned(),
        pressure,
        basis: Vec::new(),
        return_plan: (direction == Direction::Enter).then(|| format!("back-{}@1", NAMES[room])),
        alternate: None,
        grace: Duration::from_secs(30),
        params: BTreeMap::new(),
        steps,
    }
}

/// The way in: the air flows so, the door lets nobody out, somebody looks at it.
pub fn enter(room: usize, pressure: Pressure) -> Plan {
    let (word, name) = match pressure {
        Pressure::Negative => ("negative", "pulls"),
        Pressure::Positive => ("positive", "pushes"),
        Pressure::Neutral => ("neutral", "rests"),
    };
    let (air, door) = (format!("air-{}", NAMES[room]), format!("door-{}", NAMES[room]));
    let steps = vec![
        people("notice", "staff", &[], &[]),
        sets("air", &air, word, &["notice"], &["fire == normal"], OnFail::Degrade),
        sets("door", &door, "in_only", &["air"], &["fire == normal", "exit_free"], OnFail::Hold),
        people("accept", "site_lead", &["*"], &["notice"]),
    ];
    plan(room, &format!("{name}-{}", NAMES[room]), Direction::Enter, pressure, steps)
}

/// The way back.
pub fn back(room: usize) -> Plan {
    let (air, door) = (format!("air-{}", NAMES[room]), format!("door-{}", NAMES[room]));
    let steps = vec![
        sets("air", &air, "neutral", &[], &["fire == normal"], OnFail::Human),
        sets("door", &door, "public", &[], &["fire == normal"], OnFail::Human),
        people("inspect", "staff", &["air", "door"], &[]),
        people("accept", "site_lead", &["*"], &["inspect"]),
    ];
    plan(room, &format!("back-{}", NAMES[room]), Direction::Return, Pressure::Neutral, steps)
}

pub fn resolved(plan: Plan, facility: &Facility) -> ResolvedPlan {
    ResolvedPlan::new(plan, facility).unwrap_or_else(|faults| panic!("{faults:#?}"))
}
