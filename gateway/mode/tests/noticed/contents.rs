//! Food: nothing that keeps it warm or cold is moved before somebody took it away.

use linli_mode::{StepState, Truth};

use super::building::{clear, fridge, oven, plan, sheet};
use super::play::Play;

const DOOR: &str = "lock.contact != closed";

fn kitchen() -> Play {
    let mut play = Play::begun(plan(vec![
        clear("clear-hot", "hot_food"),
        clear("clear-cold", "chilled"),
        oven(),
        fridge(),
        sheet(),
    ]));
    play.proofs(play.at("oven"), Truth::False);
    play.proofs(play.at("fridge"), Truth::False);
    play
}

#[test]
fn each_waits_for_its_own_clearing() {
    let mut play = kitchen();
    assert_eq!((play.of("oven"), play.of("fridge")), (&StepState::Blocked, &StepState::Blocked));
    play.finish_step("clear-cold");
    assert_eq!((play.of("oven"), play.of("fridge")), (&StepState::Blocked, &StepState::Intent(1)));
    play.finish_step("clear-hot");
    assert_eq!(*play.of("oven"), StepState::Intent(1));
}

#[test]
fn a_clearing_that_is_void_does_not_count() {
    let mut play = kitchen();
    play.tell(linli_mode::Event::Fire(Truth::Unknown));
    play.finish_step("clear-cold");
    assert_eq!(*play.of("fridge"), StepState::Blocked, "nothing is known of the panel");
    play.reads(DOOR, Truth::True);
    play.tell(linli_mode::Event::Fire(Truth::False));
    assert_eq!(*play.of("fridge"), StepState::Blocked, "somebody may have brought something back");
}

#[test]
fn a_void_clearing_is_asked_for_again_by_what_comes_after_it() {
    let mut after = fridge();
    after.after = vec!["clear-cold".to_owned()];
    let mut play = Play::begun(plan(vec![clear("clear-cold", "chilled"), after]));
    play.tell(linli_mode::Event::Fire(Truth::Unknown));
    play.finish_step("clear-cold");
    play.reads(DOOR, Truth::True);
    assert_eq!(*play.of("clear-cold"), StepState::Asked);
}

#[test]
fn a_room_that_never_held_it_is_free_of_it() {
    let mut facility = super::building::facility();
    facility.rooms[0].contents.clear();
    let plan = linli_mode::ResolvedPlan::new(plan(vec![sheet(), fridge()]), &facility).unwrap();
    let mut play = Play::begun_with(plan);
    play.proofs(play.at("fridge"), Truth::False);
    assert_eq!(*play.of("fridge"), StepState::Intent(1));
}
