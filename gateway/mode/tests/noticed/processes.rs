//! Lamps: they count only without interruption, and they are off only when that is read.

use linli_mode::{ActionPhase, ActionResult, Cause, Effect, Phase, StepState, Timer, Truth};

use super::building::{DOSE, dose, open, plan, secure, sweep};
use super::play::Play;

const LIGHT: &str = "lamps.light == on";
const SEEN: &str = "pir-a.occupied == true";

/// Secured; the lamps are about to be switched on.
fn begun() -> (Play, usize) {
    let mut play = Play::begun(plan(vec![sweep(), secure(), dose("secure"), open("dose")]));
    play.finish_step("sweep");
    play.finish_step("secure");
    let step = play.at("dose");
    (play, step)
}

fn lit() -> (Play, usize) {
    let (mut play, step) = begun();
    play.runs("dose");
    (play, step)
}

fn off(step: usize) -> Effect {
    Effect::Act { step, turn: ActionPhase::Off, attempt: 1 }
}

#[test]
fn a_lease_begins_once_the_command_is_done() {
    let (mut play, step) = begun();
    play.acted("dose", ActionResult::Done);
    assert!(play.did(&Effect::Lease(step)) && play.armed(Timer::Verify(step)));
    assert_eq!(*play.of("dose"), StepState::Sent(1));
    play.reads(LIGHT, Truth::True);
    assert_eq!(*play.of("dose"), StepState::Running);
    assert!(play.did(&Effect::Arm(Timer::Dwell(step), DOSE)));
}

#[test]
fn light_that_is_not_known_interrupts() {
    for truth in [Truth::Unknown, Truth::False] {
        let (mut play, step) = lit();
        play.reads(LIGHT, truth);
        assert_eq!(*play.of("dose"), StepState::Stuck, "{truth:?}");
        assert!(play.did(&Effect::Unlease(step)), "{truth:?}");
        assert!(play.did(&Effect::Safe(play.safe("lamps"))), "{truth:?}");
        assert!(play.did(&Effect::Disarm(Timer::Dwell(step))), "{truth:?}");
        assert!(play.did(&Effect::Ask(step)), "{truth:?}");
    }
}

#[test]
fn lamps_that_do_not_come_on_give_their_lease_back() {
    for acted in [ActionResult::Failed, ActionResult::Done] {
        let (mut play, step) = begun();
        play.acted("dose", acted);
        if acted == ActionResult::Done {
            play.elapsed(Timer::Verify(step));
        }
        assert_eq!(*play.of("dose"), StepState::Stuck);
        assert!(play.did(&Effect::Unlease(step)) && play.did(&Effect::Safe(play.safe("lamps"))));
    }
}

#[test]
fn the_time_counts_only_with_light_at_its_end() {
    let (mut play, step) = lit();
    play.elapsed(Timer::Dwell(step));
    assert_eq!(*play.of("dose"), StepState::Closing);
    assert_eq!(play.truth(LIGHT), Truth::Unknown);
    assert!(play.rereads(LIGHT) && play.armed(Timer::Verify(step)));
    play.reads(LIGHT, Truth::Unknown);
    assert_eq!(*play.of("dose"), StepState::Closing);
    play.reads(LIGHT, Truth::False);
    assert_eq!(*play.of("dose"), StepState::Stuck, "they went out unnoticed");
    let (mut play, step) = lit();
    play.elapsed(Timer::Dwell(step));
    play.elapsed(Timer::Verify(step));
    assert_eq!(*play.of("dose"), StepState::Stuck, "nothing was read");
    assert!(play.did(&Effect::Unlease(step)));
}

#[test]
fn a_late_end_of_the_time_changes_nothing() {
    let (mut play, step) = begun();
    play.elapsed(Timer::Dwell(step));
    assert_eq!(*play.of("dose"), StepState::Intent(1));
}

fn ending() -> (Play, usize) {
    let (mut play, step) = lit();
    play.elapsed(Timer::Dwell(step));
    play.reads(LIGHT, Truth::True);
    assert_eq!(*play.of("dose"), StepState::Ending);
    (play, step)
}

#[test]
fn the_end_gives_the_lease_back_and_is_written() {
    let (play, step) = ending();
    assert!(play.did(&Effect::Unlease(step)) && play.did(&off(step)));
    assert!(play.armed(Timer::Verify(step)));
}

#[test]
fn only_darkness_that_is_read_proves_the_end() {
    let (mut play, step) = ending();
    for truth in [Truth::Unknown, Truth::True] {
        play.reads(LIGHT, truth);
        assert_eq!(*play.of("dose"), StepState::Ending, "{truth:?}");
    }
    assert_eq!(*play.of("open"), StepState::Pending, "nobody may come in yet");
    play.reads(LIGHT, Truth::False);
    assert!(matches!(play.of("dose"), StepState::Verified(_)));
    assert!(play.did(&Effect::Disarm(Timer::Verify(step))));
}

#[test]
fn lamps_that_cannot_be_switched_off_hold_the_room() {
    let (mut play, step) = ending();
    play.elapsed(Timer::Verify(step));
    play.expect(Phase::Held);
    assert_eq!(play.causes(), [Cause::Failed]);
    assert!(play.did(&Effect::Safe(play.safe("lamps"))));
}

#[test]
fn somebody_who_is_seen_puts_them_out() {
    let (mut play, step) = lit();
    play.reads(SEEN, Truth::True);
    play.expect(Phase::Held);
    assert_eq!(play.causes(), [Cause::Guard]);
    assert!(play.did(&Effect::Unlease(step)) && play.did(&Effect::Safe(play.safe("lamps"))));
    assert!(play.did(&Effect::GuardRefused(step)));
}

#[test]
fn who_comes_in_while_they_go_out_does_not_hold_the_room() {
    let (mut play, _) = ending();
    play.reads(SEEN, Truth::True);
    play.expect(Phase::Running);
    assert_eq!(*play.of("dose"), StepState::Ending);
}

#[test]
fn lamps_do_not_come_on_while_a_sensor_is_silent_though_two_people_searched() {
    for sensor in [SEEN, "pir-b.occupied == true"] {
        let mut play = Play::begun(plan(vec![sweep(), secure(), dose("secure")]));
        play.finish_step("sweep");
        play.acts("secure");
        play.acted("secure", ActionResult::Done);
        play.reads(sensor, Truth::Unknown);
        play.proofs(play.at("secure"), Truth::True);
        play.expect(Phase::Held);
        assert_eq!(play.causes(), [Cause::Guard], "{sensor}");
        assert_eq!(*play.of("dose"), StepState::Pending, "{sensor}");
    }
}
