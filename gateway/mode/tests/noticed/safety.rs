//! Outputs that are made safe: before anything else moves, watched afterwards, and over runs and restarts.

use linli_mode::{Cause, Class, Effect, Event, Fire, Phase, StepState, Truth};

use super::building::{back, dose, plan, secure, sheet, shutter, sweep};
use super::play::{Play, cancel, stop};

const SHUT: &str = "shutter.position == shut";

/// A stop made the shutter safe, which is read back.
fn stopped() -> Play {
    let mut play = Play::begun(plan(vec![sheet(), shutter()]));
    play.acts("shutter");
    play.tell(stop());
    play.reads(SHUT, Truth::True);
    assert_eq!((play.moved(), play.unproven()), (vec![], vec![]));
    play
}

#[test]
fn no_device_acts_before_what_an_earlier_run_moved_is_safe() {
    let mut play = Play::begun(plan(vec![sheet(), shutter()]));
    play.acts("shutter");
    play.follow(back(), Class::Actual).unwrap();
    let shutter = play.safe("shutter");
    assert!(play.did(&Effect::Safe(shutter)));
    play.calm();
    play.commit("chen").unwrap();
    play.finish_step("sheet");
    play.proofs(play.at("open"), Truth::False);
    assert_eq!(*play.of("open"), StepState::Blocked, "the shutter is not known to be shut");
    play.reads(SHUT, Truth::True);
    assert_eq!(*play.of("open"), StepState::Intent(1));
}

#[test]
fn an_output_that_was_made_safe_is_watched() {
    for truth in [Truth::False, Truth::Unknown] {
        let mut play = stopped();
        let shutter = play.safe("shutter");
        play.reads(SHUT, truth);
        assert!(play.did(&Effect::Safe(shutter)), "{truth:?}");
        assert_eq!(play.did(&Effect::Disturbed(shutter)), truth == Truth::False, "{truth:?}");
        assert_eq!((play.moved(), play.unproven()), (vec![shutter], vec![shutter]));
    }
}

#[test]
fn it_is_watched_by_the_runs_that_follow() {
    let mut play = stopped();
    play.resume("chen").unwrap();
    play.follow(back(), Class::Actual).unwrap();
    play.reads(SHUT, Truth::False);
    assert!(play.did(&Effect::Safe(play.safe("shutter"))));
}

#[test]
fn it_is_made_safe_again_after_a_restart() {
    let mut play = stopped();
    play.resume("chen").unwrap();
    let shutter = play.safe("shutter");
    assert!(!play.did(&Effect::Safe(shutter)), "it is safe");
    play.restarts();
    assert!(play.did(&Effect::Safe(shutter)));
    assert_eq!(play.unproven(), [shutter]);
}

#[test]
fn a_restart_of_a_ready_room_undoes_what_a_search_allowed() {
    let mut play = Play::ready(plan(vec![sweep(), secure()]));
    let lock = play.safe("lock");
    play.restarts();
    assert!(play.did(&Effect::Safe(lock)), "somebody may be inside");
    assert_eq!(*play.of("secure"), StepState::Failed);
    assert!(play.state.run.as_ref().unwrap().voided.contains(&play.at("sweep")));
    play.follow(back(), Class::Actual).unwrap();
    assert!(play.did(&Effect::Safe(lock)), "it is not proven yet");
    assert_eq!(play.unproven(), [lock]);
}

#[test]
fn an_order_ends_the_leases_of_the_run_before() {
    let mut play = Play::begun(plan(vec![sweep(), secure(), dose("secure")]));
    play.finish_step("sweep");
    play.finish_step("secure");
    play.runs("dose");
    let dose = play.at("dose");
    play.follow(back(), Class::Actual).unwrap();
    assert!(play.did(&Effect::Unlease(dose)));
    assert!(play.did(&Effect::Safe(play.safe("lamps"))) && play.did(&Effect::Safe(play.safe("lock"))));
}

#[test]
fn a_return_that_was_interrupted_is_still_owed() {
    let mut play = stopped();
    play.resume("chen").unwrap();
    play.follow(back(), Class::Actual).unwrap();
    play.calm();
    play.reads("shutter.position == shut", Truth::True);
    play.commit("chen").unwrap();
    play.follow(plan(vec![sheet()]), Class::Actual).unwrap();
    assert!(play.moved().is_empty());
    play.tell(cancel());
    play.expect(Phase::Held);
    assert_eq!(play.causes(), [Cause::Cancel], "peace is said by a return only");
}

#[test]
fn what_was_safe_in_an_earlier_run_is_made_safe_again_unless_it_is_heard() {
    let followed = || {
        let mut play = stopped();
        play.resume("chen").unwrap();
        play.follow(back(), Class::Actual).unwrap();
        play.calm();
        play
    };
    let mut play = followed();
    let shutter = play.safe("shutter");
    play.commit("chen").unwrap();
    assert!(play.did(&Effect::Safe(shutter)) && play.unproven() == [shutter], "it may have been moved since");
    let run = play.state.run.as_ref().unwrap();
    assert!(run.awaited.contains(&shutter) && !run.watched.contains(&shutter));

    let mut play = followed();
    play.tell(super::play::stop());
    assert!(
        play.did(&Effect::Safe(shutter)) && play.unproven() == [shutter],
        "nor is it called safe by a stop"
    );

    let mut play = followed();
    play.reads("shutter.position == shut", Truth::True);
    play.commit("chen").unwrap();
    assert!(!play.did(&Effect::Safe(shutter)) && play.unproven().is_empty());
    play.tell(super::play::stop());
    assert!(!play.did(&Effect::Safe(shutter)), "it is known to be safe");
}

#[test]
fn a_fire_is_not_over_by_a_restart() {
    for truth in [Truth::True, Truth::False] {
        let mut play = Play::begun(plan(vec![sheet(), shutter()]));
        play.tell(Event::Fire(truth));
        play.restarts();
        let expected = if truth == Truth::True { Fire::Alarm } else { Fire::Unknown };
        assert_eq!(play.state.fire, expected);
    }
}
