//! A room with food, lamps, a lock and everything else that a plan moves; and one step for each of them.

use std::collections::BTreeMap;
use std::time::Duration;

use linli_domain::alarm::Source;
use linli_domain::{Id, Value};
use linli_mode::facility::{
    Contents, Facility, FireZone, Fixture, Interlock, Kind, Opening, Output, Person, Read, ReadSource, Room,
    Way,
};
use linli_mode::{
    Channel, Compensate, Direction, Drill, HumanTask, Literal, OnFail, Plan, Pressure, Retry, Step, Verify,
    VoidOn, Work,
};

pub const DOSE: Duration = Duration::from_secs(1800);
pub const SWEPT_FOR: Duration = Duration::from_secs(900);

pub fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

/// People by id, with their roles.
pub const PEOPLE: [(&str, &[&str]); 6] = [
    ("an", &["staff"]),
    ("bo", &["staff"]),
    ("chen", &["site_lead"]),
    ("dan", &["staff", "site_lead"]),
    ("eva", &["cook"]),
    ("fei", &["guest"]),
];

fn words(words: &[(&str, i64)]) -> Vec<(String, Value)> {
    words.iter().map(|(word, value)| ((*word).to_owned(), Value::Integer(*value))).collect()
}

fn point(device: &str, point: &str) -> Source {
    Source { device: id(device), point: id(point) }
}

pub fn read(fixture: &str, name: &str, known: &[(&str, i64)]) -> Read {
    let from = ReadSource::Point(point(fixture, name));
    Read { name: name.to_owned(), from, words: words(known), is_per_volume: false, is_independent: true }
}

pub fn output(fixture: &str, name: &str, known: &[(&str, i64)], safe: Option<&str>) -> Output {
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

pub fn fixture(name: &str, kind: Kind, sets: Vec<Output>, reads: Vec<Read>) -> Fixture {
    let interlock = Interlock::Hardwired;
    Fixture { id: id(name), room: 0, kind, interlock, opening: None, sets, reads }
}

const SWITCH: [(&str, i64); 2] = [("off", 0), ("on", 1)];
const DOOR: [(&str, i64); 3] = [("public", 0), ("staff_only", 1), ("in_only", 2)];

fn lock() -> Fixture {
    let entry = Output {
        secures: vec!["staff_only".to_owned()],
        entry_only: vec!["in_only".to_owned()],
        ..output("lock", "entry", &DOOR, Some("public"))
    };
    let reads = vec![
        read("lock", "entry", &DOOR),
        read("lock", "contact", &[("closed", 0), ("open", 1)]),
        read("lock", "egress", &[("free", 0), ("blocked", 1)]),
    ];
    Fixture { opening: Some(0), ..fixture("lock", Kind::Door, vec![entry], reads) }
}

/// Everything that a plan moves or reads.
fn fixtures() -> Vec<Fixture> {
    let shutter = [("shut", 0), ("open", 1)];
    let page = [("usual", 0), ("closed", 1)];
    let press = Output { is_pulse: true, ..output("gate", "button", &[("press", 1)], None) };
    let occupied = |name: &str| fixture(name, Kind::Occupancy, Vec::new(), vec![read(name, "occupied", &[])]);
    let switched = |name: &str, kind: Kind, output_name: &str, known: &[(&str, i64)], safe: &str| {
        let sets = vec![output(name, output_name, known, Some(safe))];
        fixture(name, kind, sets, vec![read(name, output_name, known)])
    };
    let mut lamps = switched("lamps", Kind::Uv, "power", &SWITCH, "off");
    lamps.reads.push(read("lamps", "light", &SWITCH));
    let fan_reads = vec![read("fan", "flow", &[]), read("fan", "power", &SWITCH)];
    let cold = vec![output("fridge", "target", &[], None)];
    vec![
        lock(),
        lamps,
        fixture("fan", Kind::Ventilation, vec![output("fan", "speed", &[], None)], fan_reads),
        switched("shutter", Kind::Supply, "position", &shutter, "shut"),
        fixture("gate", Kind::Barrier, vec![press], vec![read("gate", "position", &shutter)]),
        switched("oven", Kind::Heat, "power", &SWITCH, "off"),
        fixture("fridge", Kind::Fridge, cold, vec![read("fridge", "target", &[])]),
        switched("sign", Kind::Display, "page", &page, "usual"),
        fixture("tank", Kind::Sensor, Vec::new(), vec![read("tank", "level", &[])]),
        occupied("pir-a"),
        occupied("pir-b"),
    ]
}

/// The building: one room, of which the lock stands in the main door.
pub fn facility() -> Facility {
    let person = |(name, roles): &(&str, &[&str])| Person {
        id: id(name),
        name: (*name).to_owned(),
        roles: texts(roles),
    };
    Facility {
        sites: Vec::new(),
        rooms: vec![Room {
            id: id("kitchen"),
            name: "后厨".to_owned(),
            site: None,
            emergency_roles: vec!["warehouse".to_owned()],
            volume: Some(150.0),
            fire_zone: Some(0),
            air_zone: None,
            contents: vec![Contents::HotFood, Contents::Chilled],
        }],
        openings: vec![
            Opening { id: id("door-main"), room: 0, to: None, way: Way::Both },
            Opening { id: id("door-yard"), room: 0, to: None, way: Way::FireExit },
        ],
        fixtures: fixtures(),
        fire_zones: vec![FireZone { id: id("north"), input: point("panel", "alarm") }],
        people: PEOPLE.iter().map(person).collect(),
    }
}

pub fn word(text: &str) -> Literal {
    Literal::Word(text.to_owned())
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

pub fn verify(read: &[&str]) -> Verify {
    Verify { read: texts(read), within: Duration::from_secs(10), channel: Channel::Independent }
}

/// A step with a deadline after ten minutes, of which people hear after five.
pub fn step(name: &str, after: &[&str], pre: &[&str], on_fail: OnFail, work: Work) -> Step {
    Step {
        id: id(name),
        after: texts(after),
        work,
        pre: texts(pre),
        deadline: Duration::from_secs(600),
        escalate: vec![("staff".to_owned(), Duration::from_secs(300))],
        on_fail,
        drill: Drill::Simulate,
    }
}

fn set(device: &str, output: &str, to: Literal, proofs: &[&str]) -> Work {
    Work::Actuate {
        device: device.to_owned(),
        set: vec![(output.to_owned(), to)],
        verify: Some(verify(proofs)),
        retry: Retry { times: 0, gap: Duration::ZERO },
        compensate: None,
        is_reasserted: false,
    }
}

fn task(role: &str, count: u8) -> HumanTask {
    HumanTask { role: role.to_owned(), count, prompt: "清场".to_owned(), ..HumanTask::default() }
}

/// Two of the staff search the room.
pub fn sweep() -> Step {
    let void_on = VoidOn { door_opened: true, presence: true, after: Some(SWEPT_FOR) };
    let task = HumanTask { void_on, is_sweep: true, ..task("staff", 2) };
    step("sweep", &[], &[], OnFail::Human, Work::Human(task))
}

/// The cook takes something away; it counts until a door is opened.
pub fn clear(name: &str, what: &str) -> Step {
    let void_on = VoidOn { door_opened: true, presence: false, after: None };
    let task = HumanTask { clears: texts(&[what]), void_on, ..task("cook", 1) };
    step(name, &[], &[], OnFail::Human, Work::Human(task))
}

/// One of the staff puts up a sheet; nothing rests on it.
pub fn sheet() -> Step {
    step("sheet", &[], &[], OnFail::Human, Work::Human(task("staff", 1)))
}

pub fn secure() -> Step {
    let pre = ["vacant(2)", "fire == normal", "exit_free"];
    let work = set("lock", "entry", word("staff_only"), &["lock.entry == staff_only"]);
    step("secure", &["sweep"], &pre, OnFail::Hold, work)
}

pub fn open(after: &str) -> Step {
    let work = set("lock", "entry", word("public"), &["lock.entry == public"]);
    step("open", &[after], &["fire == normal"], OnFail::Hold, work)
}

pub fn dose(after: &str) -> Step {
    let work = Work::Process {
        device: "lamps".to_owned(),
        set: vec![("power".to_owned(), word("on"))],
        then: Vec::new(),
        verify: Some(verify(&["lamps.light == on"])),
        span: DOSE,
        lease: Some(Duration::from_secs(9)),
        abort_on: texts(&["presence", "door_opened", "fire", "stop"]),
    };
    step("dose", &[after], &["vacant(2)", "fire == normal"], OnFail::Human, work)
}

/// Tried twice, proven by two readings, set again when it falls back, made good by a slower fan.
pub fn fan() -> Step {
    let work = Work::Actuate {
        device: "fan".to_owned(),
        set: vec![("speed".to_owned(), Literal::Number(100.0))],
        verify: Some(verify(&["fan.flow >= 80", "fan.power == on"])),
        retry: Retry { times: 1, gap: Duration::from_secs(5) },
        compensate: Some(Compensate {
            set: vec![("speed".to_owned(), Literal::Number(30.0))],
            pre: texts(&["fire == normal"]),
        }),
        is_reasserted: true,
    };
    step("fan", &[], &["fire == normal"], OnFail::Degrade, work)
}

/// Has a safe state and no compensation.
pub fn shutter() -> Step {
    let work = set("shutter", "position", word("open"), &["shutter.position == open"]);
    step("shutter", &[], &["fire == normal"], OnFail::Degrade, work)
}

pub fn gate() -> Step {
    let mut work = set("gate", "button", word("press"), &["gate.position == open"]);
    if let Work::Actuate { retry, .. } = &mut work {
        retry.times = 2;
    }
    step("gate", &[], &["fire == normal"], OnFail::Human, work)
}

pub fn oven(after: &str) -> Step {
    let work = set("oven", "power", word("off"), &["oven.power == off"]);
    step("oven", &[after], &["free_of(hot_food)", "fire == normal"], OnFail::Degrade, work)
}

pub fn fridge(after: &str) -> Step {
    let work = set("fridge", "target", Literal::Number(12.0), &["fridge.target == 12"]);
    step("fridge", &[after], &["free_of(chilled)", "fire == normal"], OnFail::Degrade, work)
}

pub fn sign() -> Step {
    let work = set("sign", "page", word("closed"), &["sign.page == closed"]);
    Step { drill: Drill::Live, ..step("sign", &[], &[], OnFail::Degrade, work) }
}

/// Moves nothing, only looks.
pub fn look() -> Step {
    step("look", &[], &[], OnFail::Degrade, Work::Verify(verify(&["tank.level >= 5"])))
}

/// A plan of these steps, accepted by somebody who did no step of people before.
pub fn plan(mut steps: Vec<Step>) -> Plan {
    let of_people = steps.iter().filter(|step| matches!(step.work, Work::Human(_)));
    let done_before: Vec<String> = of_people.map(|step| step.id.to_string()).collect();
    let task = HumanTask { not_same_as: done_before, ..task("site_lead", 1) };
    steps.push(step("accept", &["*"], &[], OnFail::Human, Work::Human(task)));
    Plan {
        id: id("kitchen-plan"),
        version: 1,
        direction: Direction::Enter,
        room: id("kitchen"),
        role: "warehouse".to_owned(),
        ready_within: Duration::from_secs(7200),
        lead: "site_lead".to_owned(),
        pressure: Pressure::Negative,
        basis: Vec::new(),
        return_plan: Some("kitchen-back@1".to_owned()),
        alternate: None,
        grace: Duration::from_secs(30),
        params: BTreeMap::new(),
        steps,
    }
}

/// The way back of any plan here: the fan slows down, the door is public.
pub fn back() -> Plan {
    let mut open = open("sheet");
    open.after = texts(&["sheet"]);
    Plan {
        id: id("kitchen-back"),
        direction: Direction::Return,
        return_plan: None,
        ..plan(vec![sheet(), open])
    }
}

/// Everything there is, in one plan.
pub fn everything() -> Plan {
    plan(vec![
        sweep(),
        clear("clear-hot", "hot_food"),
        clear("clear-cold", "chilled"),
        secure(),
        dose("secure"),
        open("dose"),
        fan(),
        shutter(),
        gate(),
        oven("clear-hot"),
        fridge("clear-cold"),
        sign(),
        look(),
    ])
}
