//! Plans that must not be loaded, each with what is said of it.

use std::time::Duration;

use linli_mode::facility::{Facility, Interlock, Kind};
use linli_mode::{Channel, Direction, Drill, Literal, Plan, ResolvedPlan, Work, forecast};

use super::building::{everything, facility, fan, id, plan, sheet, shutter, sweep};

fn told_in(facility: &Facility, plan: Plan) -> String {
    match ResolvedPlan::new(plan, facility) {
        Ok(_) => String::new(),
        Err(faults) => faults.iter().map(|fault| format!("{}: {}; ", fault.key, fault.message)).collect(),
    }
}

/// What is told of the plan of everything with one change.
fn changed(change: impl Fn(&mut Plan)) -> String {
    let mut plan = everything();
    change(&mut plan);
    told_in(&facility(), plan)
}

fn at<'p>(plan: &'p mut Plan, name: &str) -> &'p mut linli_mode::Step {
    plan.steps.iter_mut().find(|step| step.id.as_str() == name).expect("a step")
}

fn task<'p>(plan: &'p mut Plan, name: &str) -> &'p mut linli_mode::HumanTask {
    match &mut at(plan, name).work {
        Work::Human(task) => task,
        _ => panic!("{name} is done by a device"),
    }
}

fn without(name: &'static str, pre: &'static str) -> impl Fn(&mut Plan) {
    move |plan| at(plan, name).pre.retain(|text| text != pre)
}

/// A change of the plan of everything, and what is told of it.
type Wrong = (&'static str, Box<dyn Fn(&mut Plan)>);

fn wrong_plans() -> Vec<Wrong> {
    let mut wrong: Vec<Wrong> = Vec::new();
    let mut case = |told, change: Box<dyn Fn(&mut Plan)>| wrong.push((told, change));
    for pre in ["vacant(2)", "fire == normal", "exit_free"] {
        case("nobody may be shut in", Box::new(without("secure", pre)));
    }
    for pre in ["vacant(2)", "fire == normal"] {
        case("lamps harm people", Box::new(without("dose", pre)));
    }
    case("lamps harm people", Box::new(|plan| at(plan, "dose").pre[0] = "vacant(1)".to_owned()));
    case("hot food must not cool", Box::new(without("oven", "free_of(hot_food)")));
    case("hot food must not cool", Box::new(|plan| at(plan, "oven").pre[0] = "free_of(chilled)".to_owned()));
    case("must be out before its set-point", Box::new(without("fridge", "free_of(chilled)")));
    for device in ["dose", "oven", "fridge", "gate"] {
        case("a drill must not move", Box::new(move |plan| at(plan, device).drill = Drill::Live));
    }
    case("versions count from 1", Box::new(|plan| plan.version = 0));
    case("the way back", Box::new(|plan| plan.return_plan = None));
    case("cannot become", Box::new(|plan| plan.role = "palace".to_owned()));
    case("nobody in facility.toml has the role \"king\"", Box::new(|plan| plan.lead = "king".to_owned()));
    case("there is no room", Box::new(|plan| plan.room = id("cellar")));
    case("somebody else looks at it", Box::new(|plan| task(plan, "accept").not_same_as.clear()));
    case("somebody else looks at it", Box::new(|plan| at(plan, "accept").after.retain(|_| false)));
    case("ring", Box::new(|plan| at(plan, "sweep").after = vec!["secure".to_owned()]));
    case("stand before itself", Box::new(|plan| at(plan, "sweep").after = vec!["sweep".to_owned()]));
    case("at least one person", Box::new(|plan| task(plan, "sweep").count = 0));
    case("4 people with the role", Box::new(|plan| task(plan, "sweep").count = 4));
    case(
        "5 different people",
        Box::new(|plan| {
            task(plan, "sweep").count = 3;
            task(plan, "accept").count = 2;
        }),
    );
    case("is not done by people", Box::new(|plan| task(plan, "accept").not_same_as[0] = "secure".to_owned()));
    for void_on in [true, false] {
        case(
            "a sweep is worth nothing",
            Box::new(move |plan| match void_on {
                true => task(plan, "sweep").void_on.presence = false,
                false => task(plan, "sweep").void_on.door_opened = false,
            }),
        );
    }
    case("nobody would notice", Box::new(|plan| at(plan, "sweep").deadline = Duration::ZERO));
    case("after the deadline", Box::new(|plan| at(plan, "sweep").escalate[0].1 = Duration::from_secs(601)));
    case("has the role \"king\"", Box::new(|plan| at(plan, "sweep").escalate[0].0 = "king".to_owned()));
    case("neither waits for the other", Box::new(|plan| at(plan, "open").after = vec!["sweep".to_owned()]));
    case("cannot be kept", Box::new(|plan| plan.ready_within = Duration::from_secs(600)));
    case("has nothing called", Box::new(|plan| set(plan, "shutter")[0].0 = "volume".to_owned()));
    case("cannot be \"ajar\"", Box::new(|plan| set(plan, "shutter")[0].1 = Literal::Word("ajar".to_owned())));
    case("sets nothing", Box::new(|plan| set(plan, "shutter").clear()));
    wrong
}

fn set<'p>(plan: &'p mut Plan, name: &str) -> &'p mut Vec<(String, Literal)> {
    match &mut at(plan, name).work {
        Work::Actuate { set, .. } | Work::Process { set, .. } => set,
        _ => panic!("{name} sets nothing"),
    }
}

#[test]
fn the_plan_of_everything_is_good() {
    assert_eq!(changed(|_| {}), "");
    assert_eq!(changed(|plan| at(plan, "sweep").escalate[0].0 = "district".to_owned()), "");
    assert_eq!(told_in(&facility(), super::building::back()), "");
}

#[test]
fn one_wrong_thing_is_told() {
    for (index, (expected, change)) in wrong_plans().into_iter().enumerate() {
        let told = changed(change);
        assert!(told.contains(expected), "case {index}: expected {expected:?} in {told:?}");
    }
}

#[test]
fn locks_gates_and_lamps_need_an_interlock_in_hardware() {
    for name in ["lock", "lamps", "gate"] {
        let mut soft = facility();
        let fixture = soft.fixture(name).unwrap();
        soft.fixtures[fixture].interlock = Interlock::None;
        let told = told_in(&soft, everything());
        assert!(told.contains(&format!("{name} has interlock = \"none\"")), "{told}");
        soft.fixtures[fixture].interlock = Interlock::InDevice;
        assert_eq!(told_in(&soft, everything()), "");
    }
}

#[test]
fn a_lease_is_short_and_lamps_have_a_time() {
    let process = |lease: u64, span: Duration| {
        changed(|plan| {
            if let Work::Process { lease: given, span: time, .. } = &mut at(plan, "dose").work {
                (*given, *time) = (Some(Duration::from_secs(lease)), span);
            }
        })
    };
    assert_eq!(process(10, Duration::from_secs(1)), "");
    assert!(process(11, Duration::from_secs(1)).contains("longer than 10s"));
    assert!(process(10, Duration::ZERO).contains("longer than nothing"));
}

#[test]
fn lamps_are_no_output_that_is_switched() {
    let told = changed(|plan| {
        let Work::Actuate { retry, .. } = at(plan, "secure").work.clone() else { return };
        let Work::Process { device, set, verify, .. } = at(plan, "dose").work.clone() else { return };
        at(plan, "dose").work =
            Work::Actuate { device, set, verify, retry, compensate: None, is_reasserted: false };
    });
    assert!(told.contains("lamps are a process"), "{told}");
}

#[test]
fn a_compensation_has_a_fire_guard() {
    let told = changed(|plan| {
        if let Work::Actuate { compensate: Some(remedy), .. } = &mut at(plan, "fan").work {
            remedy.pre = vec!["tank.level >= 5".to_owned()];
        }
    });
    assert!(told.contains("guard of its own"), "{told}");
}

#[test]
fn an_independent_proof_reads_an_independent_device() {
    let mut facility = facility();
    for fixture in &mut facility.fixtures {
        fixture.reads.iter_mut().for_each(|read| read.is_independent = false);
    }
    for step in [shutter(), super::building::look()] {
        let mut plan = plan(vec![sheet(), step]);
        assert!(told_in(&facility, plan.clone()).contains("marked independent"));
        match &mut plan.steps[1].work {
            Work::Actuate { verify: Some(verify), .. } | Work::Verify(verify) => {
                verify.channel = Channel::Itself
            }
            _ => panic!("a proof"),
        }
        assert_eq!(told_in(&facility, plan), "");
    }
}

#[test]
fn a_room_without_a_fire_zone_has_no_plan() {
    let mut facility = facility();
    facility.rooms[0].fire_zone = None;
    assert!(told_in(&facility, plan(vec![sheet()])).contains("no fire_zone"));
}

#[test]
fn the_way_back_needs_no_role_and_no_way_back() {
    let plan = Plan { role: "anything".to_owned(), return_plan: None, ..super::building::back() };
    assert_eq!(plan.direction, Direction::Return);
    assert_eq!(told_in(&facility(), plan), "");
}

#[test]
fn two_steps_that_set_the_same_to_the_same_need_no_order() {
    let mut other = shutter();
    other.id = id("again");
    assert_eq!(told_in(&facility(), plan(vec![sheet(), shutter(), other])), "");
}

#[test]
fn a_step_that_a_later_one_undoes_is_superseded_and_no_other() {
    let resolved = ResolvedPlan::new(everything(), &facility()).unwrap();
    let superseded: Vec<&str> = resolved
        .steps
        .iter()
        .filter(|step| matches!(step.action, linli_mode::Action::Actuate { is_superseded: true, .. }))
        .map(|step| step.id.as_str())
        .collect();
    assert_eq!(superseded, ["secure"]);
    let open = resolved.step("open").unwrap();
    let before = ["sweep", "secure", "dose"].map(|name| resolved.step(name).unwrap());
    assert_eq!(resolved.steps[open].before, before, "everything before it, not only what it names");
}

#[test]
fn the_longest_way_is_the_longest() {
    let resolved = ResolvedPlan::new(plan(vec![sweep(), sheet(), fan()]), &facility()).unwrap();
    let forecast = forecast(&resolved);
    assert_eq!(forecast.at_most, Duration::from_secs(30 + 600 + 600));
    assert_eq!(forecast.critical.len(), 2);
    assert_eq!(Kind::Uv.as_str(), "uv");
}
