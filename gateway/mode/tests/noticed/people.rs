//! Who may do what, and when.

use linli_mode::{Class, Effect, Event, Phase, Refused, StepState, Timer};

use super::building::{clear, plan, sheet, shutter, sweep};
use super::play::{Play, actor, stop};

fn is_role(told: Result<(), Refused>) -> bool {
    matches!(told, Err(Refused::Role { .. }))
}

fn is_meaningless(told: Result<(), Refused>) -> bool {
    matches!(told, Err(Refused::Meaningless { .. }))
}

fn cannot(play: &mut Play, id: &str, who: &str, why: &str) -> Result<(), Refused> {
    play.try_tell(Event::Cannot { step: play.at(id), who: actor(who), why: why.to_owned() })
}

fn reject(play: &mut Play, who: &str, why: &str) -> Result<(), Refused> {
    play.try_tell(Event::Reject { who: actor(who), why: why.to_owned() })
}

#[test]
fn people_are_asked_with_a_deadline_and_somebody_hears_of_their_silence() {
    let mut play = Play::begun(plan(vec![sheet()]));
    assert!(play.did(&Effect::Ask(0)));
    assert!(play.armed(Timer::Deadline(0)) && play.armed(Timer::Escalate(0, 0)));
    play.elapsed(Timer::Escalate(0, 0));
    assert!(play.did(&Effect::Escalate { step: 0, role: "staff".to_owned() }));
    play.elapsed(Timer::Deadline(0));
    assert!(play.did(&Effect::Escalate { step: 0, role: "site_lead".to_owned() }));
    play.finish_step("sheet");
    for timer in [Timer::Deadline(0), Timer::Escalate(0, 0)] {
        assert!(play.did(&Effect::Disarm(timer)), "{timer:?}");
    }
    for timer in [Timer::Deadline(0), Timer::Escalate(0, 0)] {
        play.elapsed(timer);
        assert_eq!(play.effects, [], "{timer:?}: nobody waits any more");
    }
}

#[test]
fn only_who_has_the_role_confirms() {
    let mut play = Play::begun(plan(vec![sweep(), clear("clear", "hot_food")]));
    for (step, others) in [("sweep", ["chen", "eva", "fei"]), ("clear", ["an", "chen", "fei"])] {
        for who in others {
            assert!(is_role(play.confirm(step, who)), "{step} {who}");
        }
    }
}

#[test]
fn nobody_confirms_what_is_not_asked() {
    let mut play = Play::begun(plan(vec![sheet(), shutter()]));
    assert!(is_meaningless(play.confirm("accept", "chen")));
    assert!(is_meaningless(play.confirm("shutter", "chen")), "a device does it");
    play.finish_step("sheet");
    assert!(is_meaningless(play.confirm("sheet", "an")), "it is done");
    let nowhere = Event::Confirm { step: 99, who: actor("an") };
    assert_eq!(play.try_tell(nowhere), Err(Refused::NoStep));
}

#[test]
fn who_did_it_does_not_accept_it() {
    let mut play = Play::begun(plan(vec![sweep()]));
    play.confirm("sweep", "an").unwrap();
    play.confirm("sweep", "dan").unwrap();
    assert_eq!(play.confirm("accept", "dan"), Err(Refused::SamePerson { who: actor("dan").id }));
    play.confirm("accept", "chen").unwrap();
    play.expect(Phase::Ready);
}

#[test]
fn people_do_not_confirm_over_a_guard_that_is_not_known_to_hold() {
    let mut guarded = sheet();
    guarded.pre.push("tank.level >= 5".to_owned());
    let mut play = Play::begun(plan(vec![guarded]));
    assert_eq!(play.confirm("sheet", "an"), Err(Refused::Guard));
    play.reads("tank.level >= 5", linli_mode::Truth::False);
    assert_eq!(play.confirm("sheet", "an"), Err(Refused::Guard));
    play.reads("tank.level >= 5", linli_mode::Truth::True);
    play.confirm("sheet", "an").unwrap();
}

#[test]
fn what_cannot_be_done_waits_for_a_decision() {
    let mut play = Play::begun(plan(vec![sheet(), shutter()]));
    assert!(is_role(cannot(&mut play, "sheet", "fei", "no paper")));
    assert_eq!(cannot(&mut play, "sheet", "an", " "), Err(Refused::NoReason));
    assert!(is_meaningless(cannot(&mut play, "accept", "chen", "no time")), "not its turn");
    assert!(is_meaningless(cannot(&mut play, "shutter", "chen", "stuck")), "a device does it");
    cannot(&mut play, "sheet", "an", "no paper").unwrap();
    assert_eq!(*play.of("sheet"), StepState::Stuck);
    assert!(play.did(&Effect::Ask(0)));
    assert_eq!(*play.of("accept"), StepState::Pending);
}

#[test]
fn a_failed_step_is_tried_again_by_the_lead() {
    let mut play = Play::begun(plan(vec![sheet(), shutter()]));
    assert!(is_meaningless(play.retry("sheet", "chen")), "it did not fail");
    cannot(&mut play, "sheet", "an", "no paper").unwrap();
    for who in ["an", "fei"] {
        assert!(is_role(play.retry("sheet", who)), "{who}");
    }
    play.retry("sheet", "chen").unwrap();
    assert_eq!(*play.of("sheet"), StepState::Asked);
    play.finish_step("sheet");
    play.finish_step("shutter");
    play.finish_step("accept");
    play.restarts();
    play.expect(Phase::Proving);
    assert!(is_meaningless(play.retry("shutter", "chen")), "it is being proven");
}

#[test]
fn who_is_to_accept_may_reject_and_nobody_else() {
    let mut play = Play::begun(plan(vec![sheet(), shutter()]));
    assert!(is_meaningless(reject(&mut play, "chen", "dirty")), "it is not done");
    play.finish_step("sheet");
    play.finish_step("shutter");
    for who in ["an", "fei"] {
        assert!(is_role(reject(&mut play, who, "dirty")), "{who}");
    }
    assert_eq!(reject(&mut play, "chen", ""), Err(Refused::NoReason));
    reject(&mut play, "chen", "dirty").unwrap();
    assert_eq!(*play.of("sheet"), StepState::Asked);
    assert_eq!(*play.of("accept"), StepState::Pending);
    assert!(play.did(&Effect::DisarmAll) && play.rereads("shutter.position == open"));
}

#[test]
fn rejecting_goes_on_writing_safe_states_that_are_not_read_yet() {
    let mut play = Play::begun(plan(vec![sheet(), shutter()]));
    play.acts("shutter");
    play.acted("shutter", linli_mode::ActionResult::Failed);
    assert_eq!(*play.of("shutter"), StepState::Failed);
    play.finish_step("sheet");
    reject(&mut play, "chen", "dirty").unwrap();
    assert!(play.did(&Effect::Safe(play.safe("shutter"))) && play.armed(Timer::Safe));
}

#[test]
fn nothing_is_only_played_outside_a_drill() {
    let simulate = |step: usize, who: &str| Event::Simulate { step, who: actor(who) };
    let mut play = Play::begun(plan(vec![sheet()]));
    assert!(is_meaningless(play.try_tell(simulate(0, "an"))));
    let mut drill = Play::ordered(plan(vec![sheet(), shutter()]), Class::Exercise);
    drill.calm();
    drill.commit("chen").unwrap();
    assert!(is_role(drill.try_tell(simulate(0, "fei"))));
    assert!(is_meaningless(drill.try_tell(simulate(1, "an"))), "a device does it");
    assert!(is_meaningless(drill.try_tell(simulate(2, "chen"))), "not its turn");
    drill.tell(simulate(0, "an"));
    assert_eq!(*drill.of("sheet"), StepState::Simulated);
    assert!(drill.did(&Effect::Disarm(Timer::Deadline(0))));
}

#[test]
fn nobody_acts_in_a_room_without_a_run() {
    let mut play = Play::in_peace(plan(vec![sheet()]));
    for told in [play.confirm("sheet", "an"), play.retry("sheet", "chen"), play.try_tell(stop())] {
        assert!(is_meaningless(told));
    }
}
