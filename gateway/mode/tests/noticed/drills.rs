//! A drill moves what its plan lets it move, and proves nothing.

use linli_mode::{Class, Drill, Effect, Phase, Stage, StepState};

use super::building::{dose, plan, secure, shutter, sign, sweep};
use super::play::Play;

fn drill() -> Play {
    let mut lamps = dose("secure");
    lamps.drill = Drill::Skip;
    let mut play = Play::ordered(plan(vec![sweep(), secure(), lamps, shutter(), sign()]), Class::Exercise);
    play.calm();
    play.commit("chen").unwrap();
    play
}

#[test]
fn a_drill_writes_only_what_is_live() {
    let mut play = drill();
    assert_eq!(*play.of("shutter"), StepState::Simulated);
    assert_eq!(*play.of("sweep"), StepState::Asked, "people do their part");
    play.finish_step("sweep");
    assert_eq!((play.of("secure"), play.of("dose")), (&StepState::Simulated, &StepState::Skipped));
    assert!(!play.moves());
    play.finish_step("sign");
    assert_eq!(play.moved(), [play.safe("sign")]);
}

#[test]
fn a_drill_is_never_called_proven() {
    let mut play = drill();
    play.finish_step("sweep");
    play.finish_step("sign");
    play.finish_step("accept");
    play.expect(Phase::Ready);
    assert!(play.state.is_exercise() && !play.state.is_verified_ready());
    let actual = Play::ready(plan(vec![sweep()]));
    assert!(!actual.state.is_exercise() && actual.state.is_verified_ready());
}

#[test]
fn a_drill_is_ended_by_an_actual_order_and_nothing_of_it_counts() {
    let mut play = drill();
    play.finish_step("sweep");
    play.follow(plan(vec![sweep(), shutter()]), Class::Actual).unwrap();
    assert!(play.did(&Effect::DrillEnded) && play.did(&Effect::DisarmAll));
    assert_eq!(play.state.stage(&play.plan), Stage::Preview);
    assert_eq!(*play.of("sweep"), StepState::Pending);
}
