//! What each state of a step means to the steps after it and to the room, and how rooms add up.

use std::collections::BTreeSet;

use linli_mode::{Channel, Class, Fire, Phase, Pressure, Run, Stage, State, StepState, Truth, fold};

use super::building::{id, plan, sheet};
use super::play::{Play, order_of};

#[test]
fn settled_and_in_flight_are_told_apart() {
    use StepState::{
        AlreadyOk, Asked, Blocked, Closing, Ending, Failed, Intent, Pause, Pending, Running, Sent, Simulated,
        Skipped, Stuck, Verified, Waived,
    };
    let who = id("chen");
    for (state, is_settled, is_in_flight) in [
        (Pending, false, false),
        (Blocked, false, false),
        (Asked, false, false),
        (Intent(1), false, true),
        (Sent(1), false, true),
        (Pause(1), false, false),
        (Running, false, true),
        (Closing, false, true),
        (Ending, false, true),
        (Verified(Channel::Human), true, false),
        (AlreadyOk, true, false),
        (Failed, true, false),
        (Stuck, false, false),
        (Waived(who), true, false),
        (Simulated, true, false),
        (Skipped, true, false),
    ] {
        assert_eq!((state.is_settled(), state.is_in_flight()), (is_settled, is_in_flight), "{state:?}");
    }
}

#[test]
fn what_was_read_is_not_stored() {
    let mut play = Play::begun(plan(vec![sheet()]));
    play.elapsed(linli_mode::Timer::Settle(0));
    let mut run: Run = play.state.run.unwrap();
    run.settled = BTreeSet::from([1]);
    run.truths = vec![Truth::True];
    let kept: Run = serde_json::from_str(&serde_json::to_string(&run).unwrap()).unwrap();
    assert_eq!((kept.truths.len(), kept.settled.len()), (0, 0));
    assert_eq!((kept.order, kept.steps), (run.order, run.steps));
}

fn state(class: Class) -> State {
    let play = Play::in_peace(plan(vec![sheet()]));
    let run = Run::new(order_of(&play.plan, class), 1, 0);
    State { phase: Phase::Running, fire: Fire::Normal, run: Some(run) }
}

#[test]
fn of_several_rooms_the_one_that_needs_people_is_shown() {
    use Stage::{Acting, Checking, Clearing, Degraded, Held, Notice, Peace, Preview, Proving, Ready};
    let order = [Held, Preview, Notice, Clearing, Acting, Checking, Proving, Degraded, Ready, Peace];
    let room = state(Class::Actual);
    for (rank, first) in order.iter().enumerate() {
        for later in &order[rank..] {
            let both = fold([(*later, &room), (*first, &room)]);
            assert_eq!(both.stage, *first, "{first:?} beside {later:?}");
        }
    }
    assert_eq!(fold([]).stage, Peace);
    let counted = fold([(Ready, &room), (Ready, &room), (Peace, &room)]);
    assert_eq!((counted.rooms[&Ready], counted.rooms[&Peace]), (2, 1));
}

#[test]
fn one_room_in_a_drill_makes_it_a_drill() {
    let (actual, drill) = (state(Class::Actual), state(Class::Exercise));
    let is_exercise = |rooms: &[&State]| fold(rooms.iter().map(|room| (Stage::Acting, *room))).is_exercise;
    assert!(is_exercise(&[&drill, &actual]) && is_exercise(&[&actual, &drill]));
    assert!(!is_exercise(&[&actual, &actual]) && !is_exercise(&[]));
}

#[test]
fn opposite_pressures_do_not_go_together() {
    use Pressure::{Negative, Neutral, Positive};
    for (one, other, goes) in [
        (Negative, Positive, false),
        (Positive, Negative, false),
        (Negative, Negative, true),
        (Positive, Positive, true),
        (Neutral, Negative, true),
        (Positive, Neutral, true),
    ] {
        assert_eq!(one.goes_with(other), goes, "{one:?} {other:?}");
    }
}
