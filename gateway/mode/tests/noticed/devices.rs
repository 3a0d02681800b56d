//! Outputs: when they are written, what proves them, and what follows when nothing does.

use linli_mode::{ActionPhase, ActionResult, Cause, Effect, Event, Literal, Phase, StepState, Timer, Truth};

use super::building::{back, dose, fan, gate, look, open, plan, secure, sheet, shutter, sweep};
use super::play::{Play, stop};

#[test]
fn nothing_is_written_before_first_readings_or_their_time() {
    let mut play = Play::begun(plan(vec![sheet(), shutter()]));
    assert_eq!(*play.of("shutter"), StepState::Blocked);
    assert!(play.armed(Timer::Settle(1)) && play.armed(Timer::Deadline(1)));
    assert!(play.armed(Timer::Escalate(1, 0)));
    play.reads("shutter.position == open", Truth::True);
    assert_eq!(*play.of("shutter"), StepState::AlreadyOk, "nothing has to be done");
    let mut play = Play::begun(plan(vec![sheet(), shutter()]));
    play.elapsed(Timer::Settle(1));
    assert_eq!(*play.of("shutter"), StepState::Intent(1), "unknown is not what is wanted");
}

#[test]
fn an_output_that_is_kept_is_written_even_if_it_reads_so() {
    let mut play = Play::begun(plan(vec![sheet(), fan()]));
    play.proofs(1, Truth::True);
    assert_eq!(*play.of("fan"), StepState::Intent(1));
}

#[test]
fn an_action_is_marked_before_it_is_done() {
    let mut play = Play::begun(plan(vec![sheet(), shutter()]));
    play.acts("shutter");
    assert!(play.did(&Effect::Act { step: 1, turn: ActionPhase::On, attempt: 1 }));
    assert!(play.did(&Effect::Disarm(Timer::Deadline(1))) && play.did(&Effect::Disarm(Timer::Settle(1))));
    assert_eq!(play.moved(), [play.safe("shutter")]);
    assert_eq!(play.truth("shutter.position == open"), Truth::Unknown);
    assert!(play.rereads("shutter.position == open"));
}

#[test]
fn only_what_is_read_after_the_command_ended_proves_it() {
    let mut play = Play::begun(plan(vec![sheet(), shutter()]));
    play.acts("shutter");
    play.reads("shutter.position == open", Truth::True);
    assert_eq!(*play.of("shutter"), StepState::Intent(1));
    play.acted("shutter", ActionResult::Done);
    assert_eq!(*play.of("shutter"), StepState::Sent(1), "a device's yes proves nothing");
    assert_eq!(play.truth("shutter.position == open"), Truth::Unknown);
    assert!(play.rereads("shutter.position == open") && play.armed(Timer::Verify(1)));
    play.reads("shutter.position == open", Truth::Unknown);
    assert_eq!(*play.of("shutter"), StepState::Sent(1));
    play.reads("shutter.position == open", Truth::True);
    assert!(matches!(play.of("shutter"), StepState::Verified(_)));
    assert!(play.did(&Effect::Disarm(Timer::Verify(1))));
}

#[test]
fn every_proof_is_needed() {
    let mut play = Play::begun(plan(vec![sheet(), fan()]));
    play.acts("fan");
    play.acted("fan", ActionResult::Done);
    play.reads("fan.flow >= 80", Truth::True);
    assert_eq!(*play.of("fan"), StepState::Sent(1));
    play.reads("fan.power == on", Truth::True);
    assert!(matches!(play.of("fan"), StepState::Verified(_)));
}

#[test]
fn a_failed_try_is_repeated_as_often_as_the_plan_says() {
    let mut play = Play::begun(plan(vec![sheet(), fan()]));
    play.acts("fan");
    play.acted("fan", ActionResult::Failed);
    assert_eq!(*play.of("fan"), StepState::Pause(1));
    assert!(play.armed(Timer::Gap(1)));
    play.elapsed(Timer::Gap(1));
    assert!(play.did(&Effect::Act { step: 1, turn: ActionPhase::On, attempt: 2 }));
    play.acted("fan", ActionResult::Done);
    assert!(play.armed(Timer::Verify(1)));
    play.elapsed(Timer::Verify(1));
    assert_eq!(*play.of("fan"), StepState::Failed);
    assert!(play.did(&Effect::Act { step: 1, turn: ActionPhase::Compensate, attempt: 1 }));
    assert!(play.did(&Effect::Disarm(Timer::Verify(1))));
}

#[test]
fn a_try_is_not_repeated_without_its_guard() {
    let mut play = Play::begun(plan(vec![sheet(), fan()]));
    play.acts("fan");
    play.acted("fan", ActionResult::Failed);
    play.tell(Event::Fire(Truth::Unknown));
    play.elapsed(Timer::Gap(1));
    assert!(!play.moves());
    assert_eq!(*play.of("fan"), StepState::Failed);
    assert!(play.did(&Effect::GuardRefused(1)));
    // The compensation has a guard of its own, which does not hold either.
    let compensates = |effect: &Effect| matches!(effect, Effect::Act { turn: ActionPhase::Compensate, .. });
    assert!(!play.effects.iter().any(compensates));
}

#[test]
fn a_failed_step_without_compensation_is_made_safe() {
    for acted in [ActionResult::Failed, ActionResult::Done] {
        let mut play = Play::begun(plan(vec![sheet(), shutter()]));
        play.acts("shutter");
        play.acted("shutter", acted);
        if acted == ActionResult::Done {
            play.elapsed(Timer::Verify(1));
        }
        assert_eq!(*play.of("shutter"), StepState::Failed);
        assert!(play.did(&Effect::Safe(play.safe("shutter"))), "{acted:?}");
        assert_eq!(play.unproven(), [play.safe("shutter")]);
    }
}

#[test]
fn nothing_is_claimed_before_what_failed_is_proven_safe() {
    let mut play = Play::begun(plan(vec![sheet(), shutter()]));
    play.acts("shutter");
    play.acted("shutter", ActionResult::Failed);
    play.finish_step("sheet");
    play.finish_step("accept");
    play.expect(Phase::Running);
    play.reads("shutter.position == shut", Truth::True);
    play.expect(Phase::Degraded);
}

#[test]
fn an_output_is_proven_safe_though_another_step_answers_for_it() {
    let mut again = shutter();
    (again.id, again.after) = (super::building::id("again"), vec!["sheet".to_owned()]);
    let mut play = Play::begun(plan(vec![sheet(), shutter(), again]));
    play.finish_step("shutter");
    play.proofs(1, Truth::False);
    play.finish_step("sheet");
    assert_eq!(*play.of("again"), StepState::Intent(1));
    play.acted("again", ActionResult::Failed);
    assert_eq!(play.unproven(), [play.safe("shutter")]);
    play.finish_step("accept");
    play.expect(Phase::Running);
    play.reads("shutter.position == shut", Truth::True);
    play.expect(Phase::Degraded);
}

#[test]
fn an_output_that_is_tried_again_is_not_made_safe_underneath() {
    let mut play = Play::begun(plan(vec![sheet(), shutter()]));
    play.acts("shutter");
    play.acted("shutter", ActionResult::Failed);
    play.retry("shutter", "chen").unwrap();
    play.acts("shutter");
    assert!(play.unproven().is_empty());
    play.elapsed(Timer::Safe);
    assert!(!play.did(&Effect::Safe(play.safe("shutter"))));
}

#[test]
fn a_failed_step_does_what_its_plan_says() {
    let mut play = Play::begun(plan(vec![sweep(), secure()]));
    play.finish_step("sweep");
    play.acts("secure");
    play.acted("secure", ActionResult::Failed);
    play.expect(Phase::Held);
    assert_eq!(play.causes(), [Cause::Failed]);
    let mut play = Play::begun(plan(vec![sheet(), gate()]));
    play.acts("gate");
    play.acted("gate", ActionResult::Done);
    play.elapsed(Timer::Verify(1));
    assert_eq!(*play.of("gate"), StepState::Stuck);
    assert!(play.did(&Effect::Ask(1)));
    play.elapsed(Timer::Deadline(1));
    assert!(play.did(&Effect::Escalate { step: 1, role: "site_lead".to_owned() }));
}

#[test]
fn a_pulse_is_never_tried_again_by_itself() {
    let mut play = Play::begun(plan(vec![sheet(), gate()]));
    play.acts("gate");
    play.acted("gate", ActionResult::Failed);
    assert_eq!(*play.of("gate"), StepState::Stuck, "two tries are left, and it may have acted");
}

#[test]
fn a_pulse_that_is_known_to_have_acted_is_settled() {
    let mut play = Play::begun(plan(vec![sheet(), gate()]));
    play.acts("gate");
    play.tell(stop());
    play.resume("chen").unwrap();
    play.proofs(1, Truth::True);
    assert_eq!(*play.of("gate"), StepState::AlreadyOk);
}

#[test]
fn steps_wait_for_those_before_them() {
    let mut play = Play::begun(plan(vec![sweep(), secure(), dose("secure"), open("dose")]));
    let waits = |play: &Play, id: &str| *play.of(id) == StepState::Pending;
    assert!(waits(&play, "secure") && waits(&play, "dose") && waits(&play, "open"));
    play.finish_step("sweep");
    assert!(!waits(&play, "secure") && waits(&play, "dose") && waits(&play, "open"));
    assert!(waits(&play, "accept"));
}

#[test]
fn a_step_that_only_looks_takes_no_reading_from_before() {
    let mut late = look();
    late.after = vec!["sheet".to_owned()];
    let mut play = Play::begun(plan(vec![sheet(), late]));
    play.reads("tank.level >= 5", Truth::True);
    play.finish_step("sheet");
    assert_eq!(*play.of("look"), StepState::Sent(1));
    assert_eq!(play.truth("tank.level >= 5"), Truth::Unknown);
    assert!(play.rereads("tank.level >= 5") && play.armed(Timer::Verify(1)));
    play.elapsed(Timer::Verify(1));
    assert_eq!(*play.of("look"), StepState::Failed);
}

#[test]
fn a_late_answer_moves_nothing() {
    let mut play = Play::begun(plan(vec![sheet(), fan()]));
    play.acts("fan");
    play.acted("fan", ActionResult::Done);
    play.acted("fan", ActionResult::Failed);
    assert_eq!(*play.of("fan"), StepState::Sent(1));
    for turn in [ActionPhase::Off, ActionPhase::Compensate] {
        play.tell(Event::Acted { step: 1, turn, acted: ActionResult::Failed });
        assert_eq!(*play.of("fan"), StepState::Sent(1));
    }
    play.elapsed(Timer::Gap(1));
    assert_eq!(*play.of("fan"), StepState::Sent(1));
}

#[test]
fn the_way_back_ends_in_peace() {
    let mut play = Play::ready(plan(vec![sheet()]));
    play.follow(back(), linli_mode::Class::Actual).unwrap();
    play.calm();
    play.commit("chen").unwrap();
    play.finish_step("sheet");
    play.reads("lock.entry == public", Truth::True);
    play.confirm("accept", "chen").unwrap();
    play.expect(Phase::Peace);
    assert!(play.state.run.is_none());
    assert!(play.did(&Effect::DisarmAll));
}

#[test]
fn a_room_is_left_only_by_ways_that_are_known_to_be_free() {
    // Both doors are watched here: the yard door has a contact of its own.
    let mut facility = super::building::facility();
    let mut yard = facility.fixtures[0].clone();
    (yard.id, yard.opening) = (super::building::id("yard"), Some(1));
    facility.fixtures.push(yard);
    let plan = linli_mode::ResolvedPlan::new(plan(vec![sweep(), secure()]), &facility).unwrap();
    assert_eq!(plan.ways_out.len(), 2);
    let (main, yard) = (plan.ways_out[0].clone(), plan.ways_out[1].clone());
    let texts = |way: &[usize]| -> Vec<String> {
        way.iter().map(|predicate| plan.predicates[*predicate].text(&facility)).collect()
    };
    assert_eq!(texts(&main), ["lock.egress == free", "lock.entry != in_only"]);
    assert_eq!(texts(&yard), ["yard.egress == free", "yard.entry != in_only"]);
    for (truths, begins) in [
        ([Truth::True, Truth::True, Truth::False, Truth::Unknown], true),
        ([Truth::Unknown, Truth::False, Truth::True, Truth::True], true),
        ([Truth::True, Truth::Unknown, Truth::Unknown, Truth::True], false),
        ([Truth::False, Truth::True, Truth::True, Truth::False], false),
    ] {
        let mut play = Play::begun_with(plan.clone());
        play.finish_step("sweep");
        for (predicate, truth) in main.iter().chain(&yard).zip(truths) {
            play.tell(Event::Truth(*predicate, truth));
        }
        play.proofs(1, Truth::False);
        let expected = if begins { StepState::Intent(1) } else { StepState::Blocked };
        assert_eq!(*play.of("secure"), expected, "{truths:?}");
    }
}

#[test]
fn settings_of_each_phase_are_those_of_the_plan() {
    let play = Play::begun(plan(vec![sweep(), secure(), dose("secure"), fan()]));
    let words = |step: usize, turn| -> Vec<Literal> {
        play.plan.settings(step, turn).iter().map(|set| set.word.clone()).collect()
    };
    let word = super::building::word;
    assert_eq!(words(2, ActionPhase::On), [word("on")]);
    assert_eq!(words(2, ActionPhase::Off), [word("off")]);
    assert_eq!(words(3, ActionPhase::On), [Literal::Number(100.0)]);
    assert_eq!(words(3, ActionPhase::Compensate), [Literal::Number(30.0)]);
    assert_eq!(words(1, ActionPhase::Off), []);
}
