//! Ready is claimed of what is known now, and no longer than that.

use linli_mode::{ActionPhase, ActionResult, Effect, Event, Phase, StepState, Timer, Truth, Work};

use super::building::{dose, fan, look, open, plan, secure, sheet, shutter, sign, sweep};
use super::play::Play;

#[test]
fn every_step_of_everything_leads_to_ready() {
    let play = Play::ready(super::building::everything());
    assert!(play.state.is_verified_ready());
    assert!(play.unproven().is_empty());
}

#[test]
fn ready_ends_when_any_proof_is_lost_or_no_longer_known() {
    // Nothing is set again.
    let mut fan = fan();
    if let Work::Actuate { is_reasserted, .. } = &mut fan.work {
        *is_reasserted = false;
    }
    for (steps, what) in [
        (vec![sheet(), shutter()], "shutter.position == open"),
        (vec![sheet(), look()], "tank.level >= 5"),
        (vec![sheet(), fan.clone()], "fan.flow >= 80"),
        (vec![sheet(), fan], "fan.power == on"),
    ] {
        for truth in [Truth::False, Truth::Unknown] {
            let mut play = Play::ready(plan(steps.clone()));
            play.reads(what, truth);
            play.expect(Phase::Degraded);
            play.reads(what, Truth::True);
            play.expect(Phase::Ready);
        }
    }
}

#[test]
fn a_gap_that_closes_itself_makes_the_room_ready_again() {
    let mut play = Play::ready(plan(vec![sheet(), shutter(), sign()]));
    play.proofs(1, Truth::False);
    play.proofs(2, Truth::False);
    play.expect(Phase::Degraded);
    play.proofs(1, Truth::True);
    play.expect(Phase::Degraded);
    play.proofs(2, Truth::True);
    play.expect(Phase::Ready);
}

#[test]
fn what_is_kept_is_set_again_when_it_is_known_to_have_fallen_back() {
    let mut play = Play::ready(plan(vec![sheet(), fan()]));
    play.reads("fan.power == on", Truth::False);
    play.expect(Phase::Running);
    assert!(play.did(&Effect::Act { step: 1, turn: ActionPhase::On, attempt: 1 }));
    play.acted("fan", ActionResult::Done);
    play.proofs(1, Truth::True);
    play.expect(Phase::Ready);
}

#[test]
fn it_is_not_set_again_without_its_guard_or_unseen() {
    let mut play = Play::ready(plan(vec![sheet(), fan()]));
    play.tell(Event::Fire(Truth::Unknown));
    play.reads("fan.power == on", Truth::False);
    assert!(!play.moves(), "nothing is known of the panel");
    play.expect(Phase::Degraded);
    let mut play = Play::ready(plan(vec![sheet(), fan()]));
    play.reads("fan.power == on", Truth::Unknown);
    assert!(!play.moves(), "it may be running");
    play.expect(Phase::Degraded);
    let mut play = Play::ready(plan(vec![sheet(), shutter()]));
    play.proofs(1, Truth::False);
    assert!(!play.moves(), "the plan does not say that it is kept");
}

#[test]
fn a_failed_step_is_a_gap() {
    let mut play = Play::begun(plan(vec![sheet(), shutter()]));
    play.acts("shutter");
    play.acted("shutter", ActionResult::Failed);
    play.reads("shutter.position == shut", Truth::True);
    play.finish_step("sheet");
    play.finish_step("accept");
    play.expect(Phase::Degraded);
    play.retry("shutter", "chen").unwrap();
    play.finish_step("shutter");
    play.expect(Phase::Running);
    play.finish_step("accept");
    play.expect(Phase::Ready);
}

#[test]
fn a_proof_that_was_lost_on_the_way_is_proven_before_the_claim() {
    for truth in [Truth::False, Truth::Unknown] {
        let mut play = Play::checking(plan(vec![sheet(), shutter()]));
        play.proofs(1, truth);
        play.finish_step("accept");
        play.expect(Phase::Proving);
        assert!(play.armed(Timer::Prove) && play.rereads("shutter.position == open"), "{truth:?}");
        let mut late = Play::checking(plan(vec![sheet(), shutter()]));
        late.proofs(1, truth);
        late.finish_step("accept");
        late.elapsed(Timer::Prove);
        late.expect(Phase::Degraded);
        play.proofs(1, Truth::True);
        play.expect(Phase::Ready);
    }
}

#[test]
fn what_a_later_step_changed_is_not_missed() {
    let mut play = Play::ready(plan(vec![sweep(), secure(), dose("secure"), open("dose")]));
    play.reads("lock.entry == staff_only", Truth::False);
    play.expect(Phase::Ready);
    play.reads("lock.entry == public", Truth::False);
    play.expect(Phase::Degraded);
}

#[test]
fn stages_tell_what_is_under_way() {
    use linli_mode::Stage;
    let mut sweep = sweep();
    sweep.after = vec!["sheet".to_owned()];
    let mut play = Play::in_peace(plan(vec![sheet(), sweep, shutter()]));
    let stage = |play: &Play| play.state.stage(&play.plan);
    assert_eq!(stage(&play), Stage::Peace);
    play.tell(Event::Order(super::play::order_of(&play.plan, linli_mode::Class::Actual)));
    assert_eq!(stage(&play), Stage::Preview);
    play.calm();
    play.commit("chen").unwrap();
    assert_eq!(stage(&play), Stage::Notice);
    play.finish_step("sheet");
    assert_eq!(stage(&play), Stage::Clearing);
    play.confirm("sweep", "an").unwrap();
    play.confirm("sweep", "bo").unwrap();
    assert_eq!(stage(&play), Stage::Acting);
    play.finish_step("shutter");
    assert_eq!(stage(&play), Stage::Checking);
    play.finish_step("accept");
    assert_eq!(stage(&play), Stage::Ready);
    play.proofs(2, Truth::Unknown);
    assert_eq!(stage(&play), Stage::Degraded);
    assert_eq!(*play.of("shutter"), StepState::Failed);
    play.restarts();
    assert_eq!(stage(&play), Stage::Proving);
    play.tell(super::play::stop());
    assert_eq!(stage(&play), Stage::Held);
}

#[test]
fn nothing_is_claimed_while_evidence_is_silent() {
    for what in ["panel", "lock.contact != closed", "pir-a.occupied == true"] {
        let mut play = Play::ready(plan(vec![sweep(), shutter()]));
        let hears = |play: &mut Play, truth| match what {
            "panel" => play.tell(Event::Fire(truth)),
            _ => play.reads(what, truth),
        };
        hears(&mut play, Truth::Unknown);
        play.expect(Phase::Degraded);
        assert_eq!(play.state.silent(&play.plan).len(), 1, "{what}");
        assert_eq!(play.armed(Timer::Silent), what == "panel", "{what}");
        hears(&mut play, Truth::False);
        play.expect(Phase::Ready);
        assert_eq!(play.did(&Effect::Disarm(Timer::Silent)), what == "panel", "{what}");
    }
}

#[test]
fn a_room_without_its_panel_for_too_long_is_held_and_made_safe() {
    let mut play = Play::ready(plan(vec![sweep(), shutter()]));
    play.elapsed(Timer::Silent);
    play.expect(Phase::Ready);
    play.tell(Event::Fire(Truth::Unknown));
    play.elapsed(Timer::Silent);
    play.expect(Phase::Held);
    assert_eq!(play.causes(), [linli_mode::Cause::Silent]);
    assert!(play.did(&Effect::Safe(play.safe("shutter"))));
}
