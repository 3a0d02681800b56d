//! No plan removes the last way out of a room.

use linli_mode::facility::{Facility, Fixture, Opening, Way};
use linli_mode::{OnFail, Plan, ResolvedPlan, Step, Work, check_exits, closed_rooms};

use super::building::{facility, id, plan, step, sweep, verify, word};

/// The building with a door on each opening, of which each can be made for coming in only.
fn doors(count: usize) -> Facility {
    let mut facility = facility();
    let lock = facility.fixtures[0].clone();
    facility.openings.clear();
    facility.fixtures.remove(0);
    for number in 0..count {
        let opening = Opening { id: id(&format!("door-{number}")), room: 0, to: None, way: Way::Both };
        facility.openings.push(opening);
        let name = id(&format!("lock-{number}"));
        facility.fixtures.push(Fixture { id: name, opening: Some(number), ..lock.clone() });
    }
    facility
}

fn set(name: &str, door: usize, to: &str, after: &[&str]) -> Step {
    let work = Work::Actuate {
        device: format!("lock-{door}"),
        set: vec![("entry".to_owned(), word(to))],
        verify: Some(verify(&[&format!("lock-{door}.entry == {to}")])),
        retry: linli_mode::Retry { times: 0, gap: std::time::Duration::ZERO },
        compensate: None,
        is_reasserted: false,
    };
    step(name, after, &[], OnFail::Degrade, work)
}

/// What is told of a plan with these steps; nothing if it is good.
fn told(facility: &Facility, steps: Vec<Step>) -> String {
    let steps = std::iter::once(sweep()).chain(steps).collect();
    let resolved = ResolvedPlan::new(plan(steps), facility).unwrap_or_else(|faults| panic!("{faults:?}"));
    check_exits(&resolved, &[], facility).into_iter().map(|fault| fault.message).collect()
}

#[test]
fn one_of_two_doors_may_let_people_in_only() {
    let two = doors(2);
    assert_eq!(told(&two, vec![set("a", 0, "in_only", &[])]), "");
    let both = vec![set("a", 0, "in_only", &[]), set("b", 1, "in_only", &[])];
    assert!(told(&two, both).contains("nobody gets out of kitchen"));
    assert!(told(&doors(1), vec![set("a", 0, "in_only", &[])]).contains("nobody gets out"));
}

#[test]
fn a_door_that_is_given_back_first_counts_and_one_that_may_be_later_does_not() {
    let two = doors(2);
    let ordered =
        vec![set("a", 0, "in_only", &[]), set("c", 0, "public", &["a"]), set("b", 1, "in_only", &["c"])];
    assert_eq!(told(&two, ordered), "");
    let any =
        vec![set("a", 0, "in_only", &[]), set("c", 0, "public", &["a"]), set("b", 1, "in_only", &["a"])];
    assert!(told(&two, any).contains("nobody gets out"));
    let before =
        vec![set("c", 0, "public", &[]), set("a", 0, "in_only", &["c"]), set("b", 1, "in_only", &["a"])];
    assert!(told(&two, before).contains("nobody gets out"), "it was free only before it was closed");
}

#[test]
fn doors_that_only_lead_in_are_no_way_out() {
    for (way, is_exit) in [(Way::Entry, false), (Way::Exit, true), (Way::Both, true), (Way::FireExit, true)] {
        let mut two = doors(2);
        two.openings[1].way = way;
        let told = told(&two, vec![set("a", 0, "in_only", &[])]);
        assert_eq!(told.is_empty(), is_exit, "{way:?}");
    }
}

#[test]
fn the_way_out_may_lead_through_another_room_in_its_direction() {
    for (way, closed) in
        [(Way::Entry, vec![0]), (Way::Exit, vec![]), (Way::Both, vec![]), (Way::FireExit, vec![])]
    {
        // The kitchen leads into a hall, which leads outside.
        let mut facility = doors(2);
        facility.rooms.push(facility.rooms[0].clone());
        facility.openings[0] = Opening { to: Some(1), way, ..facility.openings[0].clone() };
        facility.openings[1].room = 1;
        assert_eq!(closed_rooms(&facility), closed, "{way:?}");
        // The other way round: the door belongs to the hall.
        facility.openings[0] = Opening { room: 1, to: Some(0), way, ..facility.openings[0].clone() };
        let behind = if matches!(way, Way::Entry | Way::Both) { vec![] } else { vec![0] };
        assert_eq!(closed_rooms(&facility), behind, "{way:?} from behind");
    }
}

#[test]
fn what_another_rooms_plan_closes_counts_as_closed() {
    let mut facility = doors(2);
    facility.rooms.push(linli_mode::facility::Room {
        id: id("hall"),
        emergency_roles: vec!["warehouse".to_owned()],
        ..facility.rooms[0].clone()
    });
    // The kitchen leads into the hall; the hall leads outside, by a door of its own.
    facility.openings[0].to = Some(1);
    facility.openings[1].room = 1;
    let door = facility.fixture("lock-1").unwrap();
    facility.fixtures[door].room = 1;
    let kitchen = ResolvedPlan::new(plan(vec![sweep()]), &facility).unwrap();
    let steps = vec![sweep(), set("a", 1, "in_only", &[])];
    let hall = Plan { room: id("hall"), id: id("hall-plan"), ..plan(steps) };
    let hall = ResolvedPlan::new(hall, &facility).unwrap();
    assert_eq!(check_exits(&kitchen, &[], &facility), []);
    assert_eq!(check_exits(&kitchen, &[&hall], &facility).len(), 1);
}

#[test]
fn plans_of_one_room_are_not_carried_out_together() {
    let two = doors(2);
    let resolved = |door: usize| {
        let steps = vec![sweep(), set("a", door, "in_only", &[])];
        ResolvedPlan::new(plan(steps), &two).unwrap()
    };
    assert_eq!(check_exits(&resolved(0), &[&resolved(0), &resolved(1)], &two), []);
}

#[test]
fn more_doors_than_can_be_looked_through_are_refused() {
    let all = |count: usize| -> Vec<Step> {
        (0..count).map(|door| set(&format!("s{door}"), door, "in_only", &[])).collect()
    };
    // One door more stays a way out.
    assert_eq!(told(&doors(13), all(12)), "");
    assert!(told(&doors(14), all(13)).contains("at most 12"));
}
