//! One test a row of the rule table: a plan that breaks exactly this rule is refused with its id.

use std::time::Duration;

use linli_domain::Value;
use linli_domain::alarm::Source;
use linli_mode::facility::{
    Contents, Facility, Fixture, Interlock, Kind, Opening, Output, Read, ReadSource, Room, Way,
};
use linli_mode::{
    Channel, Compensate, Drill, Literal, OnFail, Plan, PlanRule, ResolvedPlan, Retry, Step, Verify, Work,
    check_exits,
};

use super::building::{back, enter, facility, id, point, step};

/// A sound plan in a sound building, which a test spoils in one place.
struct Case {
    plan: Plan,
    facility: Facility,
}

impl Case {
    fn sound() -> Self {
        Self { plan: enter(), facility: facility() }
    }

    /// The rules that are broken, each once.
    fn broken(self) -> Vec<PlanRule> {
        let faults = match ResolvedPlan::new(self.plan, &self.facility) {
            Ok(resolved) => check_exits(&resolved, &[], &self.facility),
            Err(faults) => faults,
        };
        let mut rules: Vec<PlanRule> = faults.iter().map(|fault| fault.rule).collect();
        rules.sort_unstable();
        rules.dedup();
        for fault in faults {
            let text = fault.text();
            assert!(text.contains(fault.rule.id()) && text.contains(fault.rule.chinese()), "{text}");
        }
        rules
    }

    /// A step of the plan.
    fn step(&mut self, name: &str) -> &mut Step {
        let found = self.plan.steps.iter_mut().find(|step| step.id.as_str() == name);
        found.unwrap_or_else(|| panic!("no step {name}"))
    }

    fn human(&mut self, name: &str) -> &mut linli_mode::HumanTask {
        match &mut self.step(name).work {
            Work::Human(task) => task,
            other => panic!("{other:?}"),
        }
    }

    fn fixture(&mut self, name: &str) -> &mut Fixture {
        let found = self.facility.fixtures.iter_mut().find(|fixture| fixture.id.as_str() == name);
        found.unwrap_or_else(|| panic!("no fixture {name}"))
    }

    /// Sets the compensation of a step.
    fn compensate(&mut self, name: &str, output: &str, to: &str) {
        if let Work::Actuate { compensate, .. } = &mut self.step(name).work {
            *compensate = Some(remedy(output, to));
        }
    }

    fn reassert(&mut self, name: &str) {
        if let Work::Actuate { is_reasserted, .. } = &mut self.step(name).work {
            *is_reasserted = true;
        }
    }

    /// Adds a device of that kind, `box`, with an output `power` and a step before the acceptance that
    /// switches it.
    fn with_box(&mut self, kind: Kind, contents: Contents) {
        let words = words(&[("off", 0), ("on", 1), ("low", 2)]);
        let output = Output {
            name: "power".to_owned(),
            point: point("box", "power"),
            words: words.clone(),
            safe: Some("off".to_owned()),
            secures: Vec::new(),
            entry_only: Vec::new(),
            is_pulse: false,
        };
        let (sets, reads) = (vec![output], vec![read("power", words, "box")]);
        let interlock = Interlock::Hardwired;
        let fixture = Fixture { id: id("box"), room: 0, kind, interlock, opening: None, sets, reads };
        self.facility.fixtures.push(fixture);
        self.facility.rooms[0].contents = vec![contents];
        let word = serde_json::to_value(contents).expect("a word").as_str().expect("a word").to_owned();
        self.human("sweep").clears = vec![word.clone()];
        let free = format!("free_of({word})");
        let pre = ["fire == normal", free.as_str()];
        let work = actuate("box", "power", "off", "box.power == off");
        let moved = step("box", &["sweep"], &pre, Drill::Simulate, OnFail::Human, work);
        let accept = self.plan.steps.len() - 1;
        self.plan.steps.insert(accept, moved);
    }

    /// Makes the gate a ventilator with a push button, which only the rule of push buttons concerns.
    fn with_button(&mut self) {
        self.fixture("gate").kind = Kind::Supply;
    }

    /// Adds a neighbouring room with a connecting door from there, with or without a contact.
    fn with_neighbour(&mut self, has_contact: bool) {
        let room = Room { id: id("hall"), ..self.facility.rooms[0].clone() };
        self.facility.rooms.push(room);
        let opening = |name: &str, to| Opening { id: id(name), room: 1, to, way: Way::Both };
        self.facility.openings.push(opening("hall-main", None));
        self.facility.openings.push(opening("connecting", Some(0)));
        let contact = read("contact", words(&[("closed", 0), ("open", 1)]), "connecting");
        let reads = if has_contact { vec![contact] } else { Vec::new() };
        self.facility.fixtures.push(Fixture {
            id: id("connecting"),
            room: 1,
            kind: Kind::Door,
            interlock: Interlock::Hardwired,
            opening: Some(3),
            sets: Vec::new(),
            reads,
        });
    }
}

fn words(words: &[(&str, i64)]) -> Vec<(String, Value)> {
    words.iter().map(|(word, value)| ((*word).to_owned(), Value::Integer(*value))).collect()
}

fn read(name: &str, words: Vec<(String, Value)>, device: &str) -> Read {
    let from = ReadSource::Point(point(device, name));
    Read { name: name.to_owned(), from, words, is_per_volume: false, is_independent: false }
}

fn word(text: &str) -> Literal {
    Literal::Word(text.to_owned())
}

fn remedy(output: &str, to: &str) -> Compensate {
    Compensate { set: vec![(output.to_owned(), word(to))], pre: vec!["fire == normal".to_owned()] }
}

fn actuate(device: &str, output: &str, to: &str, proof: &str) -> Work {
    let verify =
        Verify { read: vec![proof.to_owned()], within: Duration::from_secs(10), channel: Channel::Itself };
    Work::Actuate {
        device: device.to_owned(),
        set: vec![(output.to_owned(), word(to))],
        verify: Some(verify),
        retry: Retry { times: 0, gap: Duration::ZERO },
        compensate: None,
        is_reasserted: false,
    }
}

/// One test a row, and the list of the rows that have one.
macro_rules! rows {
    ($($test:ident: $rule:ident, $spoil:expr;)*) => {
        const TESTED: &[PlanRule] = &[$(PlanRule::$rule),*];
        $(
            #[test]
            fn $test() {
                let mut case = Case::sound();
                let spoil: fn(&mut Case) = $spoil;
                spoil(&mut case);
                assert_eq!(case.broken(), [PlanRule::$rule]);
            }
        )*
    };
}

rows! {
    a_guard_that_names_nothing: NamesKnown, |case| case.step("fan").pre.push("wind.speed < 3".to_owned());
    a_condition_that_cannot_be_read: ExpressionsHold, |case| case.step("fan").pre.push("fan.flow is 3".to_owned());
    a_step_in_another_room: OwnRoom, |case| {
        case.with_neighbour(true);
        case.fixture("fan").room = 1;
    };
    a_step_that_moves_the_fire_panel: SafetyUntouched, |case| case.fixture("fan").kind = Kind::Safety;
    a_step_that_sets_nothing: StepActs, |case| {
        if let Work::Actuate { compensate: Some(remedy), .. } = &mut case.step("fan").work {
            remedy.set.clear();
        }
    };
    a_step_that_reads_nothing_back: ReadBack, |case| {
        if let Work::Actuate { verify, .. } = &mut case.step("open").work {
            *verify = None;
        }
    };
    a_proof_by_the_device_that_acts: IndependentProof, |case| case.fixture("fan").reads[0].is_independent = false;
    a_plan_without_steps: HasSteps, |case| case.plan.steps.clear();
    a_version_of_nothing: VersionCounts, |case| case.plan.version = 0;
    a_way_in_without_a_way_back: WayBack, |case| case.plan.return_plan = None;
    a_room_without_a_fire_zone: FireZone, |case| case.facility.rooms[0].fire_zone = None;
    a_role_that_the_room_does_not_have: RoleOfRoom, |case| case.plan.role = "palace".to_owned();
    a_role_that_nobody_has: EnoughPeople, |case| case.plan.lead = "pilot".to_owned();
    different_people_who_are_not_there: DifferentPeople, |case| {
        case.facility.people.retain(|person| person.id.as_str() != "chen");
    };
    a_plan_that_nobody_else_inspects: AcceptedByAnother, |case| {
        case.plan.steps.pop();
    };
    steps_in_a_ring: NoRing, |case| case.step("sweep").after = vec!["open".to_owned()];
    two_steps_without_an_order: FixedOrder, |case| {
        let mut other = case.step("open").clone();
        other.id = id("other");
        case.step("open").after = vec!["sweep".to_owned()];
        other.after = vec!["sweep".to_owned()];
        case.step("secure").after = vec!["open".to_owned()];
        if let Work::Actuate { set, verify: Some(verify), .. } = &mut other.work {
            set[0].1 = word("staff_only");
            verify.read = vec!["lock.entry == staff_only".to_owned()];
        }
        other.pre = vec!["vacant(2)".to_owned(), "fire == normal".to_owned(), "exit_free".to_owned()];
        case.plan.steps.insert(1, other);
    };
    a_time_that_cannot_be_kept: TimeKept, |case| case.plan.ready_within = Duration::from_secs(60);
    a_task_without_a_deadline: DeadlineKept, |case| {
        case.step("sweep").deadline = Duration::ZERO;
        case.step("sweep").escalate.clear();
    };
    a_search_that_nothing_voids: SweepVoidable, |case| case.human("sweep").void_on.presence = false;
    a_sensor_that_always_says_nobody: OccupancySpeaks, |case| {
        let pir = read("occupied", words(&[("vacant", 0), ("present", 1)]), "radar");
        case.facility.fixtures.push(Fixture { id: id("radar"), reads: vec![pir], ..pir_of(case) });
    };
    two_readings_of_one_device: VacancyIndependent, |case| {
        case.facility.fixtures.push(Fixture { id: id("pir-too"), ..pir_of(case) });
    };
    a_neighbours_door_without_a_contact: DoorsWatched, |case| case.with_neighbour(false);
    a_door_secured_without_two_evidences: SecureGuarded, |case| {
        case.step("secure").pre.retain(|pre| pre != "vacant(2)");
    };
    a_compensation_that_secures_a_door: SecuresByStepOnly, |case| case.compensate("open", "entry", "staff_only");
    a_fire_exit_that_is_secured: FireExitUntouched, |case| {
        case.fixture("lock").opening = Some(1);
        case.facility.openings[0].way = Way::Exit;
    };
    a_room_without_a_way_out: ExitRemains, |case| {
        case.fixture("lock").sets[0].entry_only = vec!["staff_only".to_owned()];
        case.facility.openings.truncate(1);
    };
    a_lock_without_an_interlock: Interlocked, |case| case.fixture("lock").interlock = Interlock::None;
    a_lock_without_a_safe_state: SafeStates, |case| case.fixture("lock").sets[0].safe = None;
    lamps_without_a_fire_guard: LampsGuarded, |case| case.step("dose").pre.retain(|pre| pre != "fire == normal");
    lamps_with_a_search_alone: LampsVacancy, |case| case.facility.fixtures.retain(|f| f.id.as_str() != "pir");
    lamps_as_an_on_and_an_off: LampsAreProcess, |case| {
        let work = actuate("uv", "power", "on", "uv.power == on");
        case.step("dose").work = work;
    };
    lamps_that_stay_on: LampsEndOff, |case| {
        if let Work::Process { then, .. } = &mut case.step("dose").work {
            *then = vec![("power".to_owned(), word("on"))];
        }
    };
    lamps_with_a_long_lease: Leased, |case| {
        if let Work::Process { lease, .. } = &mut case.step("dose").work {
            *lease = Some(Duration::from_secs(11));
        }
    };
    lamps_that_presence_does_not_end: AbortsAtOnce, |case| {
        if let Work::Process { abort_on, .. } = &mut case.step("dose").work {
            abort_on.retain(|on| on != "presence");
        }
    };
    a_process_without_a_time: ProcessEnds, |case| {
        if let Work::Process { span, .. } = &mut case.step("dose").work {
            *span = Duration::ZERO;
        }
    };
    a_fridge_moved_before_it_is_cleared: ClearedFirst, |case| {
        case.with_box(Kind::Fridge, Contents::Chilled);
        case.step("box").after.clear();
    };
    gas_that_a_compensation_opens: GasOffOnly, |case| {
        case.with_box(Kind::Heat, Contents::HotFood);
        case.compensate("box", "power", "on");
    };
    a_compensation_without_a_fire_guard: CompensateGuarded, |case| {
        if let Work::Actuate { compensate: Some(remedy), .. } = &mut case.step("fan").work {
            remedy.pre.clear();
        }
    };
    a_push_button_that_is_pressed_again: PulseOnce, |case| {
        case.with_button();
        case.reassert("gate");
    };
    a_lock_that_is_set_again: ReassertNever, |case| case.reassert("open");
    a_lock_moved_in_a_drill: DrillNever, |case| case.step("open").drill = Drill::Live;
}

fn pir_of(case: &Case) -> Fixture {
    case.facility.fixtures.iter().find(|fixture| fixture.id.as_str() == "pir").expect("there is one").clone()
}

#[test]
fn the_sound_plans_break_no_rule() {
    assert_eq!(Case::sound().broken(), []);
    assert_eq!(Case { plan: back(), facility: facility() }.broken(), []);
    for (kind, contents) in [(Kind::Fridge, Contents::Chilled), (Kind::Heat, Contents::HotFood)] {
        let mut case = Case::sound();
        case.with_box(kind, contents);
        assert_eq!(case.broken(), []);
    }
    let mut case = Case::sound();
    case.with_neighbour(true);
    case.with_button();
    assert_eq!(case.broken(), []);
}

#[test]
fn every_rule_has_a_test() {
    assert_eq!(TESTED, PlanRule::ALL);
    let ids: std::collections::BTreeSet<&str> = PlanRule::ALL.iter().map(|rule| rule.id()).collect();
    assert_eq!(ids.len(), PlanRule::ALL.len(), "an id names one rule");
}

/// The documentation has the same rows, in the same order.
#[test]
fn the_documentation_shows_every_rule() {
    let text = include_str!("../../../../docs/mode.md");
    let row = |rule: &PlanRule| format!("| `{rule}` | {} | {} |", rule.refused(), rule.why());
    let table: Vec<String> = PlanRule::ALL.iter().map(row).collect();
    let shown: Vec<&str> = text
        .lines()
        .skip_while(|line| *line != "| rule | refused | behind it |")
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .collect();
    assert_eq!(shown, table, "write these rows into docs/mode.md:\n{}", table.join("\n"));
}

// What other mistakes break the same rules.

fn breaks(rule: PlanRule, spoil: impl Fn(&mut Case)) {
    let mut case = Case::sound();
    spoil(&mut case);
    assert_eq!(case.broken(), [rule]);
}

#[test]
fn lamps_need_a_sensor_that_can_say_nobody_and_fresh_evidence_beside_it() {
    let rule = PlanRule::LampsVacancy;
    breaks(rule, |case| case.human("sweep").void_on.after = None);
    breaks(rule, |case| case.human("sweep").is_sweep = false);
    breaks(PlanRule::OccupancySpeaks, |case| {
        let mut constant = pir_of(case);
        constant.id = id("known");
        constant.reads[0].from = ReadSource::Constant(0.0);
        case.facility.fixtures.push(constant);
    });
    // Two sensors on two devices are two pieces of evidence.
    let mut case = Case::sound();
    case.human("sweep").is_sweep = false;
    let source = ReadSource::Point(Source { device: id("radar"), point: id("occupied") });
    let mut radar = Fixture { id: id("radar"), ..pir_of(&case) };
    radar.reads[0].from = source;
    case.facility.fixtures.push(radar);
    assert_eq!(case.broken(), []);
}

#[test]
fn heat_and_fridges_wait_for_the_task_that_clears_them() {
    for (kind, contents, other) in
        [(Kind::Fridge, Contents::Medical, "dry"), (Kind::Heat, Contents::HotFood, "chilled")]
    {
        breaks(PlanRule::ClearedFirst, |case| {
            case.with_box(kind, contents);
            case.step("box").pre.retain(|pre| !pre.starts_with("free_of"));
        });
        breaks(PlanRule::ClearedFirst, |case| {
            case.with_box(kind, contents);
            case.step("box").pre[1] = format!("free_of({other})");
        });
        breaks(PlanRule::ClearedFirst, |case| {
            case.with_box(kind, contents);
            case.human("sweep").clears.clear();
        });
    }
    breaks(PlanRule::GasOffOnly, |case| {
        case.with_box(Kind::Heat, Contents::HotFood);
        if let Work::Actuate { set, .. } = &mut case.step("box").work {
            set[0].1 = word("low");
        }
    });
}

#[test]
fn what_is_written_as_safe_is_safe() {
    let rule = PlanRule::SafeStates;
    breaks(rule, |case| case.fixture("lock").sets[0].safe = Some("staff_only".to_owned()));
    breaks(rule, |case| {
        case.with_box(Kind::Heat, Contents::HotFood);
        case.fixture("box").sets[0].safe = None;
    });
    breaks(rule, |case| {
        case.with_box(Kind::Heat, Contents::HotFood);
        case.fixture("box").sets[0].safe = Some("on".to_owned());
    });
    breaks(PlanRule::Interlocked, |case| case.fixture("uv").interlock = Interlock::None);
    breaks(PlanRule::Interlocked, |case| case.fixture("gate").interlock = Interlock::None);
}

#[test]
fn nothing_hazardous_moves_in_a_drill_or_again_by_itself() {
    for name in ["secure", "gate"] {
        breaks(PlanRule::DrillNever, |case| case.step(name).drill = Drill::Live);
    }
    breaks(PlanRule::DrillNever, |case| case.step("dose").drill = Drill::Live);
    for kind in [Kind::Fridge, Kind::Heat] {
        let contents = if kind == Kind::Heat { Contents::HotFood } else { Contents::Frozen };
        breaks(PlanRule::DrillNever, |case| {
            case.with_box(kind, contents);
            case.step("box").drill = Drill::Live;
        });
        breaks(PlanRule::ReassertNever, |case| {
            case.with_box(kind, contents);
            case.reassert("box");
        });
    }
}

#[test]
fn a_neighbours_connecting_door_counts_as_a_door_of_this_room() {
    let mut case = Case::sound();
    case.with_neighbour(true);
    let resolved = ResolvedPlan::new(case.plan.clone(), &case.facility).expect("it is sound");
    let doors = |resolved: &ResolvedPlan| -> Vec<String> {
        resolved.opened.iter().map(|door| resolved.predicates[*door].text(&case.facility)).collect()
    };
    assert_eq!(doors(&resolved), ["lock.contact != closed", "connecting.contact != closed"]);
    assert_eq!(resolved.ways_out.len(), 3, "the neighbour's door is a way out too");
    // A contact that never says closed, or is a constant, is none.
    breaks(PlanRule::DoorsWatched, |case| {
        case.with_neighbour(true);
        case.fixture("connecting").reads[0].words = words(&[("open", 1)]);
    });
    breaks(PlanRule::DoorsWatched, |case| {
        case.with_neighbour(true);
        case.fixture("connecting").reads[0].from = ReadSource::Constant(0.0);
    });
    // Out of the neighbour's room only: nobody comes in here.
    let mut case = Case::sound();
    case.with_neighbour(false);
    case.facility.openings[3].way = Way::Entry;
    assert_eq!(case.broken(), []);
}

#[test]
fn a_connecting_door_that_is_secured_is_no_way_out_for_the_room_behind() {
    // The reading room's only other way out leads through the hall, whose plan secures the connecting door.
    let mut case = Case::sound();
    case.with_neighbour(true);
    let lock = case.fixture("lock").clone();
    case.facility.openings.truncate(4);
    case.facility.openings[0].way = Way::Entry;
    case.facility.openings[1].way = Way::Entry;
    let connecting = case.fixture("connecting");
    connecting.sets = lock.sets;
    connecting.reads.push(lock.reads[0].clone());
    let mut plan = enter();
    plan.room = id("hall");
    plan.steps.retain(|step| matches!(step.id.as_str(), "sweep" | "secure" | "accept"));
    if let Work::Actuate { device, verify: Some(verify), .. } = &mut plan.steps[1].work {
        *device = "connecting".to_owned();
        verify.read = vec!["connecting.entry == staff_only".to_owned()];
    }
    let contact = case.fixture("lock").reads[1].clone();
    let outside = Fixture {
        id: id("hall-door"),
        room: 1,
        opening: Some(2),
        sets: Vec::new(),
        reads: vec![contact],
        ..case.fixture("lock").clone()
    };
    case.facility.fixtures.push(outside);
    let hall = Case { plan: plan.clone(), facility: case.facility.clone() };
    assert_eq!(hall.broken(), [PlanRule::ExitRemains]);
    // With a door of its own, nobody is shut in.
    case.facility.openings[1].way = Way::FireExit;
    assert_eq!(Case { plan, facility: case.facility }.broken(), []);
}
