//! Which orders a room takes, and what becomes of what an earlier run moved.

use linli_mode::{Class, Direction, Effect, Event, Phase, Refused, StepState, Timer, Truth};

use super::building::{back, plan, shutter, sign, sweep};
use super::play::{Play, cancel, order_of, stop};

fn refused(told: Result<(), Refused>) -> bool {
    matches!(told, Err(Refused::Meaningless { .. }))
}

#[test]
fn an_actual_order_begins_by_itself_after_its_grace_and_a_drill_never() {
    let mut play = Play::ordered(plan(vec![sweep()]), Class::Actual);
    assert!(play.armed(Timer::Grace) && play.rereads("pir-a.occupied == true"));
    play.elapsed(Timer::Grace);
    play.expect(Phase::Running);

    let mut drill = Play::ordered(plan(vec![sweep()]), Class::Exercise);
    assert!(!drill.armed(Timer::Grace));
    drill.elapsed(Timer::Grace);
    drill.expect(Phase::Preview);
    drill.commit("chen").unwrap();
    drill.expect(Phase::Running);
}

#[test]
fn only_the_lead_commits_and_only_in_the_preview() {
    let mut play = Play::ordered(plan(vec![sweep()]), Class::Actual);
    for who in ["an", "fei"] {
        assert!(matches!(play.commit(who), Err(Refused::Role { .. })), "{who}");
    }
    play.commit("chen").unwrap();
    assert!(play.did(&Effect::Disarm(Timer::Grace)));
    assert!(refused(play.commit("chen")));
    let mut peace = Play::in_peace(plan(vec![sweep()]));
    assert!(refused(peace.commit("chen")));
}

#[test]
fn a_room_follows_one_order_and_an_actual_one_ends_a_drill() {
    let again = |first: Class, second: Class| {
        let mut play = Play::ordered(plan(vec![sweep()]), first);
        let told = play.follow(plan(vec![sweep()]), second);
        (refused(told), play.did(&Effect::DrillEnded))
    };
    assert_eq!(again(Class::Actual, Class::Actual), (true, false));
    assert_eq!(again(Class::Actual, Class::Exercise), (true, false));
    assert_eq!(again(Class::Exercise, Class::Exercise), (true, false));
    assert_eq!(again(Class::Exercise, Class::Actual), (false, true));
}

#[test]
fn a_room_returns_by_an_order_of_its_own_class_once() {
    for (class, other) in [(Class::Actual, Class::Exercise), (Class::Exercise, Class::Actual)] {
        let mut play = Play::ordered(plan(vec![sweep()]), class);
        play.calm();
        play.commit("chen").unwrap();
        assert!(refused(play.follow(back(), other)), "{class:?} returned by {other:?}");
        play.follow(back(), class).unwrap();
        assert_eq!(play.direction(), Direction::Return);
        assert!(refused(play.follow(back(), class)), "it returns already");
        assert!(refused(play.try_tell(cancel())), "and is not cancelled");
    }
    let mut peace = Play::in_peace(plan(vec![sweep()]));
    assert!(refused(peace.follow(back(), Class::Actual)));
}

#[test]
fn nobody_returns_over_a_stop_or_a_fire() {
    let mut play = Play::begun(plan(vec![sweep()]));
    play.tell(stop());
    assert!(refused(play.follow(back(), Class::Actual)));
    play.resume("chen").unwrap();
    play.follow(back(), Class::Actual).unwrap();

    let mut play = Play::begun(plan(vec![sweep()]));
    play.tell(Event::Fire(Truth::True));
    play.tell(Event::Fire(Truth::False));
    assert!(refused(play.follow(back(), Class::Actual)));
}

#[test]
fn what_was_moved_stays_known_on_the_way_back() {
    let mut play = Play::ready(plan(vec![sweep(), shutter(), sign()]));
    let moved = vec![play.safe("shutter"), play.safe("sign")];
    play.follow(back(), Class::Actual).unwrap();
    assert_eq!(play.moved(), moved);
    assert!(play.did(&Effect::DisarmAll));
    play.calm();
    play.commit("chen").unwrap();
    play.finish_step("sheet");
    play.finish_step("open");
    play.finish_step("accept");
    play.expect(Phase::Running);
    assert!(play.did(&Effect::Safe(moved[0])), "nothing of the way back moved the shutter");
    play.reads("shutter.position == shut", Truth::True);
    play.expect(Phase::Running);
    play.reads("sign.page == usual", Truth::True);
    play.expect(Phase::Peace);
    assert!(play.state.run.is_none() && play.did(&Effect::DisarmAll));
}

#[test]
fn an_order_can_begin_again_after_peace() {
    let mut play = Play::ordered(plan(vec![sweep()]), Class::Actual);
    play.tell(cancel());
    let order = order_of(&play.plan, Class::Actual);
    play.tell(Event::Order(order));
    play.calm();
    play.commit("chen").unwrap();
    assert_eq!(*play.of("sweep"), StepState::Asked);
}
