//! Stop, cancel and what a held room waits for.

use linli_mode::{Cause, Class, Effect, Event, Phase, Refused, StepState, Timer, Truth};

use super::building::{dose, plan, secure, shutter, sign, sweep};
use super::play::{Play, actor, cancel, order_of, stop};

/// The lamps are on.
fn lit() -> Play {
    let mut play = Play::begun(plan(vec![sweep(), secure(), dose("secure")]));
    play.finish_step("sweep");
    play.finish_step("secure");
    play.runs("dose");
    play
}

#[test]
fn a_stop_ends_the_lease_of_the_lamps() {
    let mut play = lit();
    play.tell(stop());
    assert!(play.did(&Effect::Unlease(play.at("dose"))), "the lamps would be written on again");
    assert!(play.did(&Effect::DisarmAll));
    assert!(!play.moves());
    assert_eq!(play.causes(), [Cause::Stop]);
}

#[test]
fn a_lease_ends_in_whatever_way_the_lamps_are_interrupted() {
    for closing in [false, true] {
        let mut play = lit();
        let dose = play.at("dose");
        if closing {
            play.elapsed(Timer::Dwell(dose));
            assert_eq!(*play.of("dose"), StepState::Closing);
        }
        play.tell(stop());
        assert!(play.did(&Effect::Unlease(dose)), "closing {closing}");
    }
}

#[test]
fn a_stop_makes_every_moved_output_safe_and_says_so_only_when_it_is_read() {
    let mut play = lit();
    let (lamps, lock) = (play.safe("lamps"), play.safe("lock"));
    play.tell(stop());
    play.expect(Phase::Held);
    assert!(play.did(&Effect::Safe(lamps)) && play.did(&Effect::Safe(lock)));
    assert!(play.armed(Timer::Safe));
    assert_eq!(play.unproven(), [lock, lamps]);
    assert_eq!(play.truth("lamps.power == off"), Truth::Unknown, "what was read before proves nothing");
    assert!(play.rereads("lamps.power == off"));
    for unsure in [Truth::Unknown, Truth::False] {
        play.reads("lamps.power == off", unsure);
        assert_eq!(play.unproven(), [lock, lamps], "{unsure:?}");
    }
    play.reads("lamps.light == on", Truth::True);
    play.reads("lock.entry == public", Truth::True);
    assert_eq!((play.unproven(), play.moved()), (vec![lamps], vec![lamps]), "each output by its own reading");
    play.reads("lamps.power == off", Truth::True);
    assert_eq!((play.unproven(), play.moved()), (vec![], vec![]));
    assert!(play.did(&Effect::Disarm(Timer::Safe)));
}

#[test]
fn a_safe_state_is_written_until_it_is_read() {
    let mut play = lit();
    let (lamps, lock) = (play.safe("lamps"), play.safe("lock"));
    play.tell(stop());
    play.elapsed(Timer::Safe);
    assert!(play.did(&Effect::Safe(lamps)) && play.did(&Effect::Safe(lock)));
    assert!(play.armed(Timer::Safe), "and once more after that");
    play.reads("lamps.power == off", Truth::True);
    play.elapsed(Timer::Safe);
    assert!(!play.did(&Effect::Safe(lamps)) && play.did(&Effect::Safe(lock)));
    play.reads("lock.entry == public", Truth::True);
    play.elapsed(Timer::Safe);
    assert_eq!(play.effects, []);
}

#[test]
fn a_stop_in_peace_is_refused() {
    let mut play = Play::in_peace(plan(vec![sweep()]));
    assert!(matches!(play.try_tell(stop()), Err(Refused::Meaningless { .. })));
}

#[test]
fn only_a_held_room_resumes_and_only_by_its_lead_with_a_reason() {
    let mut play = Play::begun(plan(vec![sweep()]));
    assert!(matches!(play.resume("chen"), Err(Refused::Meaningless { .. })));
    play.tell(stop());
    for who in ["an", "fei"] {
        assert!(matches!(play.resume(who), Err(Refused::Role { .. })), "{who}");
    }
    for why in ["", "  "] {
        let event = Event::Resume { who: actor("chen"), why: why.to_owned() };
        assert_eq!(play.try_tell(event), Err(Refused::NoReason));
    }
    play.resume("chen").unwrap();
    play.expect(Phase::Running);
    assert_eq!(play.causes(), []);
    assert!(play.did(&Effect::DisarmAll));
    assert!(play.rereads("pir-a.occupied == true"), "everything is read again");
}

#[test]
fn after_a_stop_people_and_readings_begin_anew() {
    let mut play = Play::begun(plan(vec![sweep(), shutter()]));
    play.confirm("sweep", "an").unwrap();
    // Its time for first readings has passed.
    play.elapsed(Timer::Settle(play.at("shutter")));
    play.acts("shutter");
    play.tell(stop());
    play.reads("shutter.position == shut", Truth::True);
    play.resume("chen").unwrap();
    assert_eq!(*play.of("sweep"), StepState::Asked);
    play.confirm("sweep", "bo").unwrap();
    assert_eq!(*play.of("sweep"), StepState::Asked, "one of two was before the stop");
    let mut play = Play::begun(plan(vec![sweep(), shutter()]));
    play.elapsed(Timer::Settle(play.at("shutter")));
    assert_eq!(*play.of("shutter"), StepState::Intent(1), "nothing was read in time: it is written");
    play.tell(stop());
    play.resume("chen").unwrap();
    assert_eq!(*play.of("shutter"), StepState::Blocked, "first readings are waited for again");
}

#[test]
fn nothing_is_decided_in_a_held_room() {
    let mut play = Play::begun(plan(vec![sweep(), shutter()]));
    play.tell(stop());
    let who = actor("chen");
    let (step, why, span) = (1, "so ordered".to_owned(), std::time::Duration::from_secs(60));
    for event in [
        Event::Waive { step, who: who.clone(), why: why.clone(), span, until: None },
        Event::Retry { step, who: who.clone() },
        Event::Confirm { step: 0, who: actor("an") },
        Event::Commit { who },
    ] {
        let told = play.try_tell(event.clone());
        assert!(matches!(told, Err(Refused::Meaningless { .. })), "{event:?}: {told:?}");
    }
    for timer in [Timer::Grace, Timer::Settle(1), Timer::Gap(1), Timer::Prove] {
        play.elapsed(timer);
        play.expect(Phase::Held);
        assert!(!play.moves());
    }
}

#[test]
fn cancelling_says_peace_only_of_what_was_never_moved() {
    let mut play = Play::ordered(plan(vec![sweep(), sign()]), Class::Actual);
    play.tell(cancel());
    play.expect(Phase::Peace);
    assert!(play.state.run.is_none() && play.did(&Effect::DisarmAll));

    // A drill moved the sign; the actual order after it is cancelled in its preview.
    let mut play = Play::ordered(plan(vec![sweep(), sign()]), Class::Exercise);
    play.calm();
    play.commit("chen").unwrap();
    play.finish_step("sign");
    let sign_of = play.safe("sign");
    play.follow(plan(vec![sweep(), sign()]), Class::Actual).unwrap();
    play.expect(Phase::Preview);
    assert_eq!(play.moved(), [sign_of]);
    play.tell(cancel());
    play.expect(Phase::Held);
    assert_eq!(play.causes(), [Cause::Cancel]);
    assert!(play.did(&Effect::Safe(sign_of)));
}

#[test]
fn a_cancelled_run_waits_for_its_return_and_does_not_resume() {
    let mut play = Play::begun(plan(vec![sweep(), shutter()]));
    play.finish_step("shutter");
    play.tell(cancel());
    play.expect(Phase::Held);
    assert!(play.did(&Effect::Safe(play.safe("shutter"))));
    play.tell(stop());
    play.resume("chen").unwrap();
    play.expect(Phase::Held);
    assert_eq!(play.causes(), [Cause::Cancel], "the stop is over, the cancellation is not");
    assert!(!play.moves());
}

#[test]
fn a_run_can_only_be_cancelled_while_there_is_one() {
    let mut play = Play::in_peace(plan(vec![sweep()]));
    assert!(matches!(play.try_tell(cancel()), Err(Refused::Meaningless { .. })));
    play.tell(Event::Order(order_of(&play.plan, Class::Actual)));
    play.tell(cancel());
    play.expect(Phase::Peace);
}
