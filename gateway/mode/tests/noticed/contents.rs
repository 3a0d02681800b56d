//! Food: nothing that keeps it warm or cold is moved before somebody took it away.

use linli_mode::{Cause, Class, Event, Phase, StepState, Truth, Work};

use super::building::{clear, fridge, oven, plan, sheet, sign};
use super::play::{Play, actor};

const DOOR: &str = "lock.contact != closed";

fn kitchen() -> Play {
    let mut play = Play::begun(plan(vec![
        clear("clear-hot", "hot_food"),
        clear("clear-cold", "chilled"),
        oven("clear-hot"),
        fridge("clear-cold"),
        sheet(),
    ]));
    play.proofs(play.at("oven"), Truth::False);
    play.proofs(play.at("fridge"), Truth::False);
    play
}

#[test]
fn each_waits_for_its_own_clearing() {
    let mut play = kitchen();
    assert_eq!((play.of("oven"), play.of("fridge")), (&StepState::Pending, &StepState::Pending));
    play.finish_step("clear-cold");
    assert_eq!((play.of("oven"), play.of("fridge")), (&StepState::Pending, &StepState::Intent(1)));
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
    assert_eq!(*play.of("fridge"), StepState::Pending, "somebody may have brought something back");
}

#[test]
fn what_moves_ends_when_its_own_clearing_is_void() {
    let mut cold = clear("clear-cold", "chilled");
    if let Work::Human(task) = &mut cold.work {
        task.void_on.door_opened = false;
    }
    let mut play = Play::begun(plan(vec![clear("clear-hot", "hot_food"), cold, oven("clear-hot"), sheet()]));
    play.finish_step("clear-cold");
    play.finish_step("clear-hot");
    play.acts("oven");
    play.reads(DOOR, Truth::True);
    play.expect(Phase::Held);
    assert_eq!(play.causes(), [Cause::Guard]);
}

#[test]
fn a_void_clearing_is_asked_for_again_by_what_comes_after_it() {
    let mut play = Play::begun(plan(vec![clear("clear-cold", "chilled"), fridge("clear-cold")]));
    play.tell(linli_mode::Event::Fire(Truth::Unknown));
    play.finish_step("clear-cold");
    play.reads(DOOR, Truth::True);
    assert_eq!(*play.of("clear-cold"), StepState::Asked);
}

#[test]
fn a_room_that_never_held_it_is_free_of_it() {
    let mut facility = super::building::facility();
    facility.rooms[0].contents.clear();
    let plan = linli_mode::ResolvedPlan::new(plan(vec![sheet(), fridge("sheet")]), &facility).unwrap();
    let mut play = Play::begun_with(plan);
    play.finish_step("sheet");
    play.proofs(play.at("fridge"), Truth::False);
    assert_eq!(*play.of("fridge"), StepState::Intent(1));
}

#[test]
fn what_is_cleared_counts_once_it_is_done_and_never_when_it_was_played() {
    let mut sheet = sign();
    sheet.pre.push("free_of(chilled)".to_owned());
    let mut play = Play::begun(plan(vec![clear("clear-cold", "chilled"), sheet.clone()]));
    play.proofs(play.at("sign"), Truth::False);
    assert_eq!(*play.of("sign"), StepState::Blocked);
    play.finish_step("clear-cold");
    assert_eq!(*play.of("sign"), StepState::Intent(1));

    let mut drill = Play::ordered(plan(vec![clear("clear-cold", "chilled"), sheet]), Class::Exercise);
    drill.calm();
    drill.commit("chen").unwrap();
    drill.proofs(drill.at("sign"), Truth::False);
    drill.tell(Event::Simulate { step: drill.at("clear-cold"), who: actor("eva") });
    assert_eq!(*drill.of("clear-cold"), StepState::Simulated);
    assert_eq!(*drill.of("sign"), StepState::Blocked);
}
