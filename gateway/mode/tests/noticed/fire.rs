//! Fire wins over everything, and a panel that says nothing says neither fire nor peace.

use linli_mode::{Cause, Class, Effect, Event, Fire, Phase, Refused, StepState, Truth};

use super::building::{back, dose, fan, plan, secure, shutter, sweep};
use super::play::{Play, order_of, stop};

#[test]
fn a_silent_panel_ends_no_fire() {
    let mut play = Play::in_peace(plan(vec![sweep()]));
    play.tell(Event::Fire(Truth::True));
    play.tell(Event::Fire(Truth::Unknown));
    assert_eq!(play.state.fire, Fire::Alarm);
    play.tell(Event::Fire(Truth::False));
    assert_eq!(play.state.fire, Fire::Normal);
}

#[test]
fn a_silent_panel_is_not_normal() {
    let mut play = Play::begun(plan(vec![sweep(), shutter()]));
    play.tell(Event::Fire(Truth::Unknown));
    assert_eq!(play.state.fire, Fire::Unknown);
    play.proofs(play.at("shutter"), Truth::False);
    assert_eq!(*play.of("shutter"), StepState::Blocked, "its guard is not known to hold");
    play.tell(Event::Fire(Truth::False));
    assert_eq!(*play.of("shutter"), StepState::Intent(1));
}

#[test]
fn what_moves_stops_when_the_panel_falls_silent() {
    let mut play = Play::begun(plan(vec![sweep(), shutter()]));
    play.acts("shutter");
    play.tell(Event::Fire(Truth::Unknown));
    play.expect(Phase::Held);
    assert_eq!(play.causes(), [Cause::Guard]);
    assert!(play.did(&Effect::GuardRefused(1)));
}

#[test]
fn a_fire_holds_a_room_in_every_stage_after_the_preview() {
    let acting = || Play::begun(plan(vec![sweep(), shutter()]));
    let mut proving = Play::ready(plan(vec![sweep()]));
    proving.restarts();
    let mut held = acting();
    held.tell(stop());
    for (mut play, before) in [
        (acting(), Phase::Running),
        (Play::ready(plan(vec![sweep()])), Phase::Ready),
        (degraded(), Phase::Degraded),
        (proving, Phase::Proving),
        (held, Phase::Held),
    ] {
        play.expect(before);
        play.tell(Event::Fire(Truth::True));
        play.expect(Phase::Held);
        assert!(play.causes().contains(&Cause::Fire), "{before:?}");
    }
}

fn degraded() -> Play {
    let mut play = Play::ready(plan(vec![sweep(), shutter()]));
    play.proofs(1, Truth::False);
    play
}

#[test]
fn no_order_is_accepted_in_a_fire() {
    let mut play = Play::in_peace(plan(vec![sweep()]));
    play.tell(Event::Fire(Truth::True));
    let order = Event::Order(order_of(&play.plan, Class::Actual));
    assert_eq!(play.try_tell(order), Err(Refused::Fire));
    let mut play = Play::ready(plan(vec![sweep()]));
    play.tell(Event::Fire(Truth::True));
    assert_eq!(play.follow(back(), Class::Actual), Err(Refused::Fire));
}

#[test]
fn a_fire_in_the_preview_lets_nothing_begin() {
    let mut play = Play::ordered(plan(vec![sweep(), shutter()]), Class::Actual);
    play.calm();
    play.tell(Event::Fire(Truth::True));
    // Whether it is held at once or when it would begin: nothing begins.
    let _ = play.commit("chen");
    play.expect(Phase::Held);
    assert_eq!(play.causes(), [Cause::Fire]);
    assert!(!play.moves());
}

#[test]
fn nothing_resumes_before_the_panel_is_known_to_be_normal() {
    let mut play = Play::begun(plan(vec![sweep(), fan()]));
    play.tell(stop());
    for truth in [Truth::Unknown, Truth::True] {
        play.tell(Event::Fire(truth));
        assert_eq!(play.resume("chen"), Err(Refused::Fire), "{truth:?}");
    }
    play.tell(Event::Fire(Truth::False));
    play.resume("chen").unwrap();
    play.expect(Phase::Running);
}

#[test]
fn lamps_go_out_in_a_fire_and_their_lease_ends() {
    let mut play = Play::begun(plan(vec![sweep(), secure(), dose("secure")]));
    play.finish_step("sweep");
    play.finish_step("secure");
    play.runs("dose");
    play.tell(Event::Fire(Truth::True));
    assert!(play.did(&Effect::Unlease(play.at("dose"))));
    assert!(play.did(&Effect::Safe(play.safe("lamps"))));
    assert!(play.did(&Effect::Safe(play.safe("lock"))));
}
