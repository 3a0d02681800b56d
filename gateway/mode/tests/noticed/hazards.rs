//! Hazards that a plan or a building must not have, each with what is said of it.

use std::time::Duration;

use linli_domain::Value;
use linli_mode::facility::{Facility, Fixture, Opening, Output, ReadSource, Room, Way};
use linli_mode::{Compensate, Literal, Plan, ResolvedPlan, Step, Work};

use super::building::{dose, everything, facility, gate, id, plan, secure, sheet, sweep, word};

fn told(building: impl Fn(&mut Facility), change: impl Fn(&mut Plan)) -> String {
    let (mut facility, mut plan) = (facility(), everything());
    building(&mut facility);
    change(&mut plan);
    match ResolvedPlan::new(plan, &facility) {
        Ok(_) => String::new(),
        Err(faults) => faults.iter().map(|fault| format!("{}; ", fault.message)).collect(),
    }
}

fn of_plan(change: impl Fn(&mut Plan)) -> String {
    told(|_| {}, change)
}

fn of_building(building: impl Fn(&mut Facility)) -> String {
    told(building, |_| {})
}

fn at<'p>(plan: &'p mut Plan, name: &str) -> &'p mut Step {
    plan.steps.iter_mut().find(|step| step.id.as_str() == name).unwrap()
}

fn fixture<'f>(facility: &'f mut Facility, name: &str) -> &'f mut Fixture {
    facility.fixtures.iter_mut().find(|fixture| fixture.id.as_str() == name).unwrap()
}

fn output<'f>(facility: &'f mut Facility, name: &str) -> &'f mut Output {
    &mut fixture(facility, name).sets[0]
}

/// What is told when the step makes good by this setting.
fn made_good(name: &'static str, output: &'static str, to: &'static str) -> String {
    of_plan(|plan| {
        if let Work::Actuate { compensate, .. } = &mut at(plan, name).work {
            let pre = vec!["fire == normal".to_owned()];
            *compensate = Some(Compensate { set: vec![(output.to_owned(), word(to))], pre });
        }
    })
}

/// The lamps are so after their process.
fn ends(plan: &mut Plan, to: &str) {
    if let Work::Process { then, .. } = &mut at(plan, "dose").work {
        *then = vec![("power".to_owned(), word(to))];
    }
}

fn kept(name: &'static str) -> String {
    of_plan(|plan| {
        if let Work::Actuate { is_reasserted, .. } = &mut at(plan, name).work {
            *is_reasserted = true;
        }
    })
}

#[test]
fn doors_are_closed_by_steps_and_fire_exits_never() {
    for to in ["staff_only", "in_only"] {
        assert!(made_good("secure", "entry", to).contains("closes a door when"), "{to}");
    }
    assert_eq!(made_good("secure", "entry", "public"), "");
    let exit = of_building(|facility| fixture(facility, "lock").opening = Some(1));
    assert!(exit.contains("lock is a fire exit"), "{exit}");
}

#[test]
fn what_endangers_is_not_set_again_by_itself() {
    for name in ["secure", "gate", "oven", "fridge"] {
        assert!(kept(name).contains("is never set again by itself"), "{name}");
    }
    assert_eq!(kept("shutter"), "");
}

#[test]
fn a_push_button_is_pressed_once() {
    const ONCE: &str = "each write to it moves something once more";
    assert!(made_good("gate", "button", "press").contains(ONCE) && kept("gate").contains(ONCE));
    let Work::Process { verify, span, lease, abort_on, .. } = dose("sweep").work else { panic!("a process") };
    let Work::Actuate { device, set, .. } = gate().work else { panic!("a setting") };
    let process = Work::Process { device, then: set.clone(), set, verify, span, lease, abort_on };
    let told = of_plan(|plan| at(plan, "gate").work = process.clone());
    assert!(told.contains(ONCE), "{told}");
}

#[test]
fn lamps_are_off_afterwards_and_gas_is_never_lit() {
    let ends = |to: &'static str| of_plan(|plan| ends(plan, to));
    assert!(ends("on").contains("the lamps are not off at the end"));
    assert_eq!(ends("off"), "");
    let lit = of_plan(|plan| {
        if let Work::Actuate { set, .. } = &mut at(plan, "oven").work {
            set[0].1 = Literal::Word("on".to_owned());
        }
    });
    assert!(lit.contains("heat and gas are only switched off"), "{lit}");
}

#[test]
fn food_is_taken_away_by_a_task_before() {
    for (name, what) in [("oven", "HotFood"), ("fridge", "Chilled")] {
        let told = of_plan(|plan| at(plan, name).after = vec!["sweep".to_owned()]);
        assert!(told.contains(&format!("no task before it clears {what}")), "{told}");
    }
}

#[test]
fn safe_states_are_there_and_safe() {
    for (name, wrong) in [("lamps", "on"), ("oven", "on"), ("lock", "staff_only"), ("lock", "in_only")] {
        let unsafe_state = of_building(|facility| output(facility, name).safe = Some(wrong.to_owned()));
        assert!(unsafe_state.contains(&format!("the safe state {wrong} of {name}.")), "{unsafe_state}");
        let none = told(|facility| output(facility, name).safe = None, |plan| ends(plan, "off"));
        assert!(none.contains("has no safe state in facility.toml"), "{name}: {none}");
    }
}

#[test]
fn sensors_speak_for_themselves_and_doors_are_watched() {
    let spoken = |words: &'static [(&'static str, i64)]| {
        of_building(|facility| {
            let words = words.iter().map(|(word, value)| ((*word).to_owned(), Value::Integer(*value)));
            fixture(facility, "pir-a").reads[0].words = words.collect();
        })
    };
    for words in [&[("true", 1)][..], &[("false", 0)]] {
        assert!(spoken(words).contains("cannot say both"), "{words:?}");
    }
    assert_eq!(spoken(&[("true", 1), ("false", 0)]), "");
    let same = of_building(|facility| {
        let from = fixture(facility, "pir-a").reads[0].from.clone();
        fixture(facility, "pir-b").reads[0].from = from;
    });
    assert!(same.contains("like another occupancy sensor"), "{same}");
    let unseen =
        of_building(|facility| fixture(facility, "lock").reads.retain(|read| read.name != "contact"));
    assert!(unseen.contains("has no door contact"), "{unseen}");
    let neighbour = of_building(|facility| {
        let store = Room { id: id("store"), contents: Vec::new(), ..facility.rooms[0].clone() };
        facility.rooms.push(store);
        facility.openings.push(Opening { id: id("between"), room: 1, to: Some(0), way: Way::Both });
    });
    assert!(neighbour.contains("between leads in and has no door contact"), "{neighbour}");
}

#[test]
fn lamps_need_a_sensor_and_something_else_that_grows_old() {
    let lamps = |sensors: &'static [&'static str], grows_old: bool| {
        let mut facility = facility();
        let is_there = |fixture: &Fixture| {
            !fixture.id.as_str().starts_with("pir") || sensors.contains(&fixture.id.as_str())
        };
        facility.fixtures.retain(is_there);
        assert!(
            facility.fixtures.iter().flat_map(|f| &f.reads).all(|r| matches!(r.from, ReadSource::Point(_)))
        );
        let mut sweep = sweep();
        if let Work::Human(task) = &mut sweep.work {
            task.void_on.after = grows_old.then_some(Duration::from_secs(900));
        }
        let steps = vec![sheet(), sweep, secure(), dose("secure")];
        let faults = ResolvedPlan::new(plan(steps), &facility).err().unwrap_or_default();
        !faults.iter().any(|fault| fault.message.contains("who could be there?"))
    };
    assert!(lamps(&["pir-a", "pir-b"], false) && lamps(&["pir-a"], true));
    assert!(!lamps(&["pir-a"], false) && !lamps(&[], true));
}
