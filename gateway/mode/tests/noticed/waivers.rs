//! What may be waived, by whom, and until when.

use std::time::Duration;

use linli_mode::{ActionResult, Effect, Event, Phase, Refused, StepState, Timer, Truth};

use super::building::{clear, dose, open, plan, secure, sheet, shutter, sweep};
use super::play::{Play, actor};

const HOUR: Duration = Duration::from_secs(3600);

fn waive(play: &mut Play, id: &str, who: &str, why: &str) -> Result<(), Refused> {
    let (step, why) = (play.at(id), why.to_owned());
    play.try_tell(Event::Waive { step, who: actor(who), why, span: HOUR, until: None })
}

#[test]
fn the_lead_waives_with_a_reason_and_an_end() {
    let mut play = Play::begun(plan(vec![sheet(), shutter()]));
    for who in ["an", "fei"] {
        assert!(matches!(waive(&mut play, "sheet", who, "no paper"), Err(Refused::Role { .. })), "{who}");
    }
    assert_eq!(waive(&mut play, "sheet", "chen", " "), Err(Refused::NoReason));
    waive(&mut play, "sheet", "chen", "no paper").unwrap();
    assert_eq!(*play.of("sheet"), StepState::Waived(actor("chen").id));
    assert!(play.did(&Effect::Arm(Timer::Waiver(0), HOUR)));
    assert!(play.did(&Effect::Disarm(Timer::Deadline(0))));
}

#[test]
fn what_safety_and_acceptance_rest_on_is_not_waived() {
    let mut play = Play::begun(plan(vec![sweep(), clear("clear", "hot_food")]));
    for step in ["sweep", "clear", "accept"] {
        assert_eq!(waive(&mut play, step, "chen", "no time"), Err(Refused::NotWaivable), "{step}");
    }
}

#[test]
fn what_moves_and_what_is_done_is_not_waived() {
    let mut play = Play::begun(plan(vec![sheet(), shutter()]));
    play.acts("shutter");
    let is_meaningless = |told| matches!(told, Err(Refused::Meaningless { .. }));
    assert!(is_meaningless(waive(&mut play, "shutter", "chen", "slow")));
    play.finish_step("sheet");
    assert!(is_meaningless(waive(&mut play, "sheet", "chen", "ugly")));
}

#[test]
fn a_waiver_ends() {
    // While it runs, the step is done again.
    let mut play = Play::begun(plan(vec![sheet(), shutter()]));
    waive(&mut play, "sheet", "chen", "no paper").unwrap();
    play.elapsed(Timer::Waiver(0));
    assert_eq!(*play.of("sheet"), StepState::Asked);
    // Ready, it is a gap.
    let mut play = Play::begun(plan(vec![sheet(), shutter()]));
    waive(&mut play, "shutter", "chen", "broken").unwrap();
    play.finish_step("sheet");
    play.finish_step("accept");
    play.expect(Phase::Ready);
    play.elapsed(Timer::Waiver(1));
    play.expect(Phase::Degraded);
    assert_eq!(*play.of("shutter"), StepState::Failed);
    // An earlier waiver ends nothing.
    play.elapsed(Timer::Waiver(0));
    assert!(matches!(play.of("sheet"), StepState::Verified(_)));
}

#[test]
fn a_waiver_closes_a_gap_and_a_new_try_ends_it() {
    let mut play = Play::ready(plan(vec![sheet(), shutter()]));
    play.proofs(1, Truth::False);
    play.expect(Phase::Degraded);
    waive(&mut play, "shutter", "chen", "broken").unwrap();
    // Its output was moved, and no step answers for it any more.
    assert!(play.did(&Effect::Safe(play.safe("shutter"))));
    play.reads("shutter.position == shut", Truth::True);
    play.expect(Phase::Ready);
    play.retry("shutter", "chen").unwrap();
    assert!(play.did(&Effect::Disarm(Timer::Waiver(1))));
    assert_eq!(*play.of("shutter"), StepState::Blocked);
}

#[test]
fn a_waived_output_that_was_moved_is_made_safe_before_the_claim() {
    let mut play = Play::begun(plan(vec![sheet(), shutter()]));
    play.acts("shutter");
    play.acted("shutter", ActionResult::Failed);
    play.reads("shutter.position == shut", Truth::True);
    play.retry("shutter", "chen").unwrap();
    play.acts("shutter");
    play.tell(linli_mode::Event::Elapsed(Timer::Verify(1)));
    let safe = play.safe("shutter");
    play.acted("shutter", ActionResult::Failed);
    assert_eq!(*play.of("shutter"), StepState::Failed);
    assert_eq!(play.unproven(), [safe]);
    waive(&mut play, "shutter", "chen", "broken").unwrap();
    play.finish_step("sheet");
    play.finish_step("accept");
    play.expect(Phase::Running);
    play.reads("shutter.position == shut", Truth::True);
    play.expect(Phase::Ready);
}

#[test]
fn a_door_is_not_left_secured_by_waiving_the_step_that_opens_it() {
    let mut play = Play::begun(plan(vec![sweep(), secure(), dose("secure"), open("dose")]));
    play.finish_step("sweep");
    play.finish_step("secure");
    play.finish_step("dose");
    waive(&mut play, "open", "chen", "quicker").unwrap();
    play.finish_step("accept");
    play.expect(Phase::Running);
    assert!(play.did(&Effect::Safe(play.safe("lock"))), "it was secured, and nobody opened it");
    assert!(!play.did(&Effect::Safe(play.safe("lamps"))), "the lamps are proven off");
    play.reads("lock.entry == public", Truth::True);
    play.expect(Phase::Ready);
}
