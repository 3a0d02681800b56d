//! What counts after the process died, and what does not.

use linli_mode::{Cause, Class, Effect, Event, Fire, Phase, StepState, Timer, Truth};

use super::building::{gate, look, plan, shutter, sweep};
use super::play::{Play, actor, stop};

#[test]
fn nothing_read_before_counts_after_a_restart() {
    let mut play = Play::begun(plan(vec![sweep(), shutter()]));
    play.tell(Event::Restarted);
    assert_eq!(play.state.fire, Fire::Unknown);
    assert_eq!(play.truth("pir-a.occupied == true"), Truth::Unknown);
    assert!(play.rereads("pir-a.occupied == true"));
}

#[test]
fn readings_are_taken_again_after_a_restart() {
    let mut play = Play::begun(plan(vec![sweep()]));
    play.restarts();
    play.reads("pir-a.occupied == true", Truth::False);
    assert_eq!(play.truth("pir-a.occupied == true"), Truth::False);
}

#[test]
fn a_preview_keeps_its_grace() {
    let mut play = Play::ordered(plan(vec![sweep()]), Class::Actual);
    play.restarts();
    assert!(play.armed(Timer::Grace));
    let mut drill = Play::ordered(plan(vec![sweep()]), Class::Exercise);
    drill.restarts();
    assert!(!drill.armed(Timer::Grace));
}

#[test]
fn a_search_from_before_is_done_again() {
    let mut play = Play::begun(plan(vec![sweep(), look()]));
    play.finish_step("sweep");
    play.finish_step("look");
    play.restarts();
    assert_eq!(*play.of("sweep"), StepState::Asked);
    assert_eq!(*play.of("look"), StepState::Sent(1));
    assert_eq!(*play.of("accept"), StepState::Pending);
}

#[test]
fn a_waiver_does_not_survive() {
    let mut play = waived();
    play.restarts();
    play.calm();
    play.tell(Event::Fire(Truth::False));
    assert_eq!(*play.of("shutter"), StepState::Failed);
    play.expect(Phase::Degraded);
}

/// The shutter was waived, and the room is ready.
fn waived() -> Play {
    let mut play = Play::begun(plan(vec![sweep(), shutter()]));
    let (step, who, why) = (play.at("shutter"), actor("chen"), "broken".to_owned());
    let span = std::time::Duration::from_secs(3600);
    play.tell(Event::Waive { step, who, why, span, until: None });
    play.finish_step("sweep");
    play.finish_step("accept");
    play.expect(Phase::Ready);
    play
}

#[test]
fn a_claim_is_proven_before_it_is_made_again() {
    let mut play = Play::ready(plan(vec![sweep(), shutter()]));
    play.restarts();
    play.expect(Phase::Proving);
    assert!(play.armed(Timer::Prove) && play.rereads("shutter.position == open"));
    play.proofs(1, Truth::Unknown);
    play.expect(Phase::Proving);
    assert!(!play.armed(Timer::Prove), "what proves nothing gives it no more time");
    play.proofs(1, Truth::True);
    play.calm();
    play.expect(Phase::Proving);
    play.tell(Event::Fire(Truth::False));
    play.expect(Phase::Ready);
    assert!(play.did(&Effect::Disarm(Timer::Prove)));
}

#[test]
fn a_gap_and_an_unfinished_proof_are_proven_again_too() {
    let mut play = Play::ready(plan(vec![sweep(), shutter()]));
    play.proofs(1, Truth::False);
    play.expect(Phase::Degraded);
    play.restarts();
    play.expect(Phase::Proving);
    let mut play = Play::ready(plan(vec![sweep(), shutter()]));
    play.restarts();
    play.restarts();
    play.expect(Phase::Proving);
    assert!(play.armed(Timer::Prove));
}

#[test]
fn what_was_not_read_in_time_is_a_gap() {
    let mut play = Play::ready(plan(vec![sweep(), shutter()]));
    play.restarts();
    play.elapsed(Timer::Prove);
    play.expect(Phase::Degraded);
    assert_eq!(*play.of("shutter"), StepState::Failed);
}

#[test]
fn the_end_of_a_proof_that_is_over_changes_nothing() {
    let mut play = Play::checking(plan(vec![sweep(), shutter()]));
    play.proofs(1, Truth::Unknown);
    let before = play.state.clone();
    play.elapsed(Timer::Prove);
    assert_eq!(play.state, before);
}

#[test]
fn a_held_room_stays_held_and_is_made_safe_again() {
    let mut play = Play::begun(plan(vec![sweep(), shutter()]));
    play.acts("shutter");
    play.tell(stop());
    play.restarts();
    play.expect(Phase::Held);
    assert_eq!(play.causes(), [Cause::Stop]);
    assert!(play.did(&Effect::Safe(play.safe("shutter"))) && play.armed(Timer::Safe));
}

#[test]
fn a_pulse_that_was_journaled_is_not_sent_again() {
    let mut play = Play::begun(plan(vec![sweep(), gate()]));
    play.acts("gate");
    play.restarts();
    play.tell(Event::Fire(Truth::False));
    play.proofs(1, Truth::False);
    assert_eq!(*play.of("gate"), StepState::Stuck, "it may have acted");
    assert!(!play.moves() && play.did(&Effect::Ask(1)));
    play.retry("gate", "chen").unwrap();
    assert!(play.moves(), "a person looked");
}
