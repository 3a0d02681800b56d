//! What a search of the room is worth, and for how long; and what counts as evidence that nobody is there.

use linli_mode::{Cause, Effect, Event, Phase, Refused, StepState, Timer, Truth};

use super::building::{SWEPT_FOR, dose, plan, secure, shutter, sweep};
use super::play::Play;

const SEEN: [&str; 2] = ["pir-a.occupied == true", "pir-b.occupied == true"];
const DOOR: &str = "lock.contact != closed";

fn searching() -> Play {
    Play::begun(plan(vec![sweep(), secure()]))
}

#[test]
fn a_room_is_searched_by_two_different_people() {
    let mut play = searching();
    play.confirm("sweep", "an").unwrap();
    assert!(play.did(&Effect::Arm(Timer::Void(0), SWEPT_FOR)), "it is worth nothing later");
    play.confirm("sweep", "an").unwrap();
    assert_eq!(*play.of("sweep"), StepState::Asked);
    play.confirm("sweep", "bo").unwrap();
    assert!(matches!(play.of("sweep"), StepState::Verified(_)));
    assert!(play.did(&Effect::Disarm(Timer::Deadline(0))));
}

#[test]
fn no_search_is_confirmed_while_a_door_is_open_or_unknown() {
    for truth in [Truth::True, Truth::Unknown] {
        let mut play = searching();
        play.reads(DOOR, truth);
        assert_eq!(play.confirm("sweep", "an"), Err(Refused::Open), "{truth:?}");
        play.reads(DOOR, Truth::False);
        play.confirm("sweep", "an").unwrap();
    }
}

#[test]
fn a_search_is_void_once_somebody_is_seen_or_a_door_is_not_known_to_be_closed() {
    for (what, truth) in
        [(SEEN[0], Truth::True), (SEEN[1], Truth::True), (DOOR, Truth::True), (DOOR, Truth::Unknown)]
    {
        let mut play = searching();
        play.finish_step("sweep");
        play.reads(what, truth);
        assert_eq!(*play.of("sweep"), StepState::Asked, "{what} {truth:?}");
        play.calm();
        play.confirm("sweep", "an").unwrap();
        assert_eq!(*play.of("sweep"), StepState::Asked, "{what} {truth:?}: both search again");
    }
    let mut play = searching();
    play.finish_step("sweep");
    play.reads(SEEN[0], Truth::Unknown);
    assert!(matches!(play.of("sweep"), StepState::Verified(_)), "a silent sensor saw nobody come in");
}

#[test]
fn half_a_search_is_void_too() {
    let mut play = searching();
    play.confirm("sweep", "an").unwrap();
    play.reads(SEEN[0], Truth::True);
    play.reads(SEEN[0], Truth::False);
    play.confirm("sweep", "bo").unwrap();
    assert_eq!(*play.of("sweep"), StepState::Asked);
}

#[test]
fn a_search_grows_too_old() {
    let mut play = searching();
    play.finish_step("sweep");
    play.elapsed(Timer::Void(0));
    assert_eq!(*play.of("sweep"), StepState::Asked);
    let mut play = searching();
    play.confirm("sweep", "an").unwrap();
    play.elapsed(Timer::Void(0));
    play.confirm("sweep", "bo").unwrap();
    assert_eq!(*play.of("sweep"), StepState::Asked);
}

#[test]
fn a_search_is_as_old_as_what_its_first_person_saw() {
    let mut play = searching();
    play.confirm("sweep", "an").unwrap();
    assert!(play.did(&Effect::Arm(Timer::Void(0), SWEPT_FOR)), "what an saw grows old from now on");
    play.confirm("sweep", "an").unwrap();
    assert!(!play.armed(Timer::Void(0)), "saying it twice makes it no younger");
    play.confirm("sweep", "bo").unwrap();
    assert!(matches!(play.of("sweep"), StepState::Verified(_)));
    assert!(!play.armed(Timer::Void(0)), "nor does the second person");
    play.elapsed(Timer::Void(0));
    assert_eq!(*play.of("sweep"), StepState::Asked);
    play.confirm("sweep", "an").unwrap();
    assert!(play.did(&Effect::Arm(Timer::Void(0), SWEPT_FOR)), "a new search has its own time");
}

#[test]
fn lamps_go_out_when_the_search_behind_them_is_void() {
    let lit = || {
        let mut lamps = dose("secure");
        // Both sensors and one of the people who searched.
        lamps.pre[0] = "vacant(3)".to_owned();
        let mut play = Play::begun(plan(vec![sweep(), secure(), lamps]));
        play.finish_step("sweep");
        play.finish_step("secure");
        play.runs("dose");
        play
    };
    for event in [
        |play: &Play| Event::Truth(play.predicate(DOOR), Truth::True),
        |play: &Play| Event::Truth(play.predicate(DOOR), Truth::Unknown),
        |play: &Play| Event::Truth(play.predicate(SEEN[0]), Truth::True),
        |play: &Play| Event::Truth(play.predicate(SEEN[0]), Truth::Unknown),
        |play: &Play| Event::Truth(play.predicate(SEEN[1]), Truth::Unknown),
        |_: &Play| Event::Elapsed(Timer::Void(0)),
    ] {
        let mut play = lit();
        let event = event(&play);
        play.tell(event.clone());
        play.expect(Phase::Held);
        assert_eq!(play.causes(), [Cause::Guard], "{event:?}");
        assert!(play.did(&Effect::Unlease(play.at("dose"))), "{event:?}");
    }
}

#[test]
fn steps_after_a_void_search_are_open_again() {
    let mut lamps = dose("secure");
    lamps.pre.push("tank.level >= 5".to_owned());
    let mut play = Play::begun(plan(vec![sweep(), secure(), lamps]));
    play.finish_step("sweep");
    play.finish_step("secure");
    assert_eq!(*play.of("dose"), StepState::Blocked);
    play.reads(DOOR, Truth::True);
    assert_eq!(*play.of("sweep"), StepState::Asked);
    assert_eq!(*play.of("secure"), StepState::Pending, "it was secured after a search that is void");
    assert_eq!(*play.of("dose"), StepState::Pending);
}

#[test]
fn vacant_needs_as_many_independent_evidences_as_it_says() {
    // Two sensors that see nobody are two; people who search count each, and never for a silent sensor.
    for (first, second, people, begins) in [
        (Truth::False, Truth::False, 0, true),
        (Truth::False, Truth::Unknown, 0, false),
        (Truth::False, Truth::Unknown, 1, false),
        (Truth::False, Truth::False, 2, true),
        (Truth::False, Truth::Unknown, 2, false),
        (Truth::Unknown, Truth::False, 2, false),
        (Truth::Unknown, Truth::Unknown, 1, false),
        (Truth::Unknown, Truth::Unknown, 2, false),
        (Truth::True, Truth::False, 2, false),
        (Truth::Unknown, Truth::True, 2, false),
    ] {
        let mut guarded = shutter();
        guarded.pre.push("vacant(2)".to_owned());
        let mut play = Play::begun(plan(vec![sweep(), guarded]));
        play.reads(SEEN[0], first);
        play.reads(SEEN[1], second);
        for who in ["an", "bo"].into_iter().take(people) {
            play.confirm("sweep", who).unwrap();
        }
        play.proofs(1, Truth::False);
        let expected = if begins { StepState::Intent(1) } else { StepState::Blocked };
        assert_eq!(*play.of("shutter"), expected, "{first:?} {second:?} {people} people");
    }
}

#[test]
fn a_search_under_way_is_no_evidence() {
    let mut guarded = shutter();
    guarded.pre.push("vacant(3)".to_owned());
    let mut play = Play::begun(plan(vec![sweep(), guarded]));
    play.proofs(1, Truth::False);
    play.confirm("sweep", "an").unwrap();
    assert_eq!(*play.of("shutter"), StepState::Blocked, "an saw half of the room");
    play.confirm("sweep", "bo").unwrap();
    assert_eq!(*play.of("shutter"), StepState::Intent(1));
}
