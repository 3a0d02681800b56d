//! What a hold, a restart, a fire, silence and another order do to a room, one after the other, and what the
//! same moves lead to without the rule that forbids it.

use linli_mode::{
    ActionPhase, Cause, Class, Direction, Fire, Phase, SafetyRule, SafetyRules, StepState, Timer, Truth,
};

use super::building::{back, enter, facility, from_store, kitchen, resolved, store};
use super::harm::violated;
use super::world::{Move, Rules, Way, World};

const ACTUAL: Class = Class::Actual;
const ON: ActionPhase = ActionPhase::On;

/// Until the door is secured.
const SECURED: [Move; 8] = [
    Move::Leave,
    Move::Order(Direction::Enter, ACTUAL),
    Move::Commit,
    Move::Report,
    Move::Confirm(0, "an"),
    Move::Confirm(0, "bo"),
    Move::Do(Way::Step(1, ON)),
    Move::Report,
];

/// From there until the room is ready.
const DONE: [Move; 13] = [
    Move::Do(Way::Step(2, ON)),
    Move::Report,
    Move::Elapsed(Timer::Dwell(2)),
    Move::Report,
    Move::Do(Way::Step(2, ActionPhase::Off)),
    Move::Report,
    Move::Do(Way::Step(3, ON)),
    Move::Report,
    Move::Do(Way::Step(4, ON)),
    Move::Report,
    Move::Do(Way::Step(5, ON)),
    Move::Report,
    Move::Confirm(6, "chen"),
];

/// The room after these moves, without a rule; and what is violated on the way, if anything is.
fn after(without: &[SafetyRule], moves: &[&[Move]]) -> (World, Option<&'static str>) {
    let (enter, back, facility) = (resolved(enter()), resolved(back()), facility());
    let rules = Rules {
        safety_rules: SafetyRules::without(without),
        wires_cut: &[],
        enter: &enter,
        back: &back,
        facility: &facility,
        faults: 9,
        human_acts: 9,
        has_time: false,
    };
    walk(&rules, moves)
}

fn walk(rules: &Rules<'_>, moves: &[&[Move]]) -> (World, Option<&'static str>) {
    let (mut world, mut wrong) = (World::new(), None);
    for made in moves.iter().copied().flatten() {
        world = world.made(rules, *made).unwrap_or_else(|| panic!("{made:?} was refused: {:?}", world.room));
        wrong = wrong.or_else(|| violated(rules, &world));
    }
    (world, wrong)
}

/// The room after these moves, of which nothing is violated.
fn well(moves: &[&[Move]]) -> World {
    let (world, wrong) = after(&[], moves);
    assert_eq!(wrong, None, "{:?}", world.room);
    world
}

fn is_being_released(world: &World) -> bool {
    world.acts.contains(&Way::Safe(0))
}

const LAMPS: Way = Way::Safe(1);
const DOOR: Way = Way::Safe(0);

#[test]
fn a_room_resumes_from_every_output_that_is_not_proven_safe() {
    let held = [Move::Stop, Move::Lost(DOOR), Move::Resume("chen")];
    let world = well(&[&SECURED, &held]);
    let run = world.room.run.as_ref().unwrap();
    assert!(is_being_released(&world), "the door is written again");
    assert!(run.awaited.contains(&0) && run.unproven.contains(&0));
    // No device acts before it is proven, though people may search again.
    let searched =
        [Move::Report, Move::Confirm(0, "an"), Move::Confirm(0, "bo"), Move::Elapsed(Timer::Settle(1))];
    let world = well(&[&SECURED, &held, &searched]);
    assert_eq!(world.room.run.as_ref().unwrap().steps[1], StepState::Blocked);
    let world = well(&[&SECURED, &held, &searched, &[Move::Do(DOOR), Move::Report]]);
    assert!(matches!(world.room.run.as_ref().unwrap().steps[1], StepState::Intent(1)));
    let (_, wrong) = after(&[SafetyRule::SafeFirst], &[&SECURED, &held]);
    assert!(wrong.is_some());
}

#[test]
fn a_return_and_a_cancel_begin_from_every_output_that_is_not_proven_safe() {
    let burning = [Move::Do(Way::Step(2, ON)), Move::Report];
    let back = [Move::Order(Direction::Return, ACTUAL)];
    let world = well(&[&SECURED, &burning, &back]);
    assert!(world.acts.contains(&LAMPS) && world.acts.contains(&DOOR), "before the preview is over");
    assert!(world.leases.is_empty());
    let world = well(&[&SECURED, &burning, &[Move::Cancel]]);
    assert!(world.acts.contains(&LAMPS) && world.acts.contains(&DOOR));
    let lost = [Move::Stop, Move::Lost(DOOR), Move::Resume("chen"), Move::Lost(DOOR)];
    let world = well(&[&SECURED, &lost, &back, &[Move::Commit]]);
    assert!(world.room.run.as_ref().unwrap().awaited.contains(&0));
    let (_, wrong) = after(&[SafetyRule::SafeFirst], &[&SECURED, &lost[..1], &[Move::Resume("chen")], &back]);
    assert!(wrong.is_some());
}

#[test]
fn an_output_proven_safe_stays_watched_in_a_held_room() {
    let held = [Move::Stop, Move::Do(DOOR), Move::Report];
    let world = well(&[&SECURED, &held]);
    assert!(world.room.run.as_ref().unwrap().watched.contains(&0) && !is_being_released(&world));
    let meddled = [Move::Meddle, Move::Report];
    let world = well(&[&SECURED, &held, &meddled]);
    assert!(is_being_released(&world), "the door that another hand secured is released");
    assert!(world.room.run.as_ref().unwrap().unproven.contains(&0));
    let world = well(&[&SECURED, &held, &meddled, &[Move::Do(DOOR), Move::Report]]);
    assert!(!world.is_secured && world.room.run.as_ref().unwrap().unproven.is_empty());
    // A door of which nothing is heard any more is not proven safe.
    let world = well(&[&SECURED, &held, &[Move::DoorMute, Move::Report]]);
    assert!(world.room.run.as_ref().unwrap().unproven.contains(&0));
    let (_, wrong) = after(&[SafetyRule::Watched], &[&SECURED, &held, &meddled]);
    assert_eq!(wrong, Some("U a held room was told to be safe and is not"));
}

#[test]
fn a_fire_holds_the_room_in_every_preview() {
    let back = [Move::Order(Direction::Return, ACTUAL), Move::Fire];
    let world = well(&[&SECURED, &DONE, &back]);
    assert_eq!(world.phase(), Phase::Held, "at once, not when the time for objections is over");
    assert!(is_being_released(&world));
    let world = well(&[&SECURED[..2], &[Move::Fire]]);
    assert_eq!(world.phase(), Phase::Held);
    let (_, wrong) = after(&[SafetyRule::FireInPreview], &[&SECURED, &DONE, &back]);
    assert!(wrong.is_some());
}

#[test]
fn a_fire_panel_that_falls_silent_ends_no_fire() {
    for silence in [&[Move::PanelSilent][..], &[Move::Crash, Move::Restart]] {
        let (world, wrong) = after(&[], &[&SECURED, &[Move::Fire], silence]);
        assert_eq!((world.room.fire, wrong), (Fire::Alarm, None));
        assert!(world.room.run.is_some() && world.phase() == Phase::Held);
    }
    let (_, wrong) = after(&[SafetyRule::SilenceIsNoEnd], &[&SECURED, &[Move::Fire, Move::PanelSilent]]);
    assert_eq!(wrong, Some("B4 silence ended a fire"));
}

#[test]
fn ready_does_not_stand_when_its_evidence_falls_silent() {
    let silences = [
        (&[Move::PanelSilent][..], Move::PanelHeard),
        (&[Move::DoorMute, Move::Report], Move::DoorHeard),
        (&[Move::SensorFails, Move::Report], Move::SensorRepaired),
    ];
    assert_eq!(well(&[&SECURED, &DONE]).phase(), Phase::Ready);
    for (silence, heard) in silences {
        let world = well(&[&SECURED, &DONE, silence]);
        assert_eq!(world.phase(), Phase::Degraded, "{silence:?}");
        assert!(!world.room.silent(&resolved(enter())).is_empty(), "it is named");
        let (world, wrong) = after(&[], &[&SECURED, &DONE, silence, &[heard, Move::Report]]);
        assert_eq!((world.phase(), wrong), (Phase::Ready, None), "{heard:?}");
        let (_, wrong) = after(&[SafetyRule::SilenceIsTold], &[&SECURED, &DONE, silence]);
        assert_eq!(wrong, Some("K ready is claimed while evidence is silent"));
    }
}

#[test]
fn a_room_is_held_when_its_fire_panel_stays_silent() {
    let world = well(&[&SECURED, &DONE, &[Move::PanelSilent, Move::Elapsed(Timer::Silent)]]);
    assert_eq!(world.phase(), Phase::Held);
    assert!(world.room.run.as_ref().unwrap().causes.contains(&Cause::Silent) && is_being_released(&world));
    // The time does not run for a door or a sensor, nor once the panel is heard again.
    for heard in [&[Move::DoorMute, Move::Report][..], &[Move::PanelSilent, Move::PanelHeard]] {
        let world = well(&[&SECURED, &DONE, heard, &[Move::Elapsed(Timer::Silent)]]);
        assert_ne!(world.phase(), Phase::Held);
    }
}

#[test]
fn after_a_restart_the_door_is_released_until_people_confirm_again() {
    let restarted = [Move::Crash, Move::Restart];
    let world = well(&[&SECURED, &restarted]);
    assert!(is_being_released(&world));
    let released = [Move::Do(DOOR), Move::Do(LAMPS), Move::Report];
    let world = well(&[&SECURED, &restarted, &released[..1], &released[2..]]);
    assert!(!world.is_secured);
    assert_eq!(world.room.run.as_ref().unwrap().steps[0], StepState::Asked, "people search it again");
    let again = [Move::Confirm(0, "an"), Move::Confirm(0, "bo"), Move::Do(Way::Step(1, ON))];
    assert!(well(&[&SECURED, &restarted, &released[..1], &released[2..], &again]).is_secured);
    let (_, wrong) = after(&[SafetyRule::RestartReleases], &[&SECURED, &restarted]);
    assert_eq!(wrong, Some("V2 a restart left an output as it was"));
}

#[test]
fn a_return_can_be_stopped_and_resumed() {
    let back = [Move::Order(Direction::Return, ACTUAL), Move::Commit, Move::Elapsed(Timer::Settle(0))];
    let world = well(&[&SECURED, &DONE, &back, &[Move::Stop]]);
    assert_eq!(world.phase(), Phase::Held);
    assert!(world.room.run.as_ref().unwrap().is_return());
    let world = well(&[&SECURED, &DONE, &back, &[Move::Stop, Move::Resume("chen")]]);
    assert_eq!(world.phase(), Phase::Running);
    assert!(world.room.run.as_ref().unwrap().is_return());
}

#[test]
fn an_order_to_enter_is_taken_on_the_way_back_and_the_return_stays_owed() {
    let turned =
        [Move::Order(Direction::Return, ACTUAL), Move::Commit, Move::Order(Direction::Enter, ACTUAL)];
    let world = well(&[&SECURED, &DONE, &turned]);
    let run = world.room.run.as_ref().unwrap();
    assert!(world.phase() == Phase::Preview && !run.is_return() && run.is_over_return);
    let world = well(&[&SECURED, &DONE, &turned, &[Move::Cancel]]);
    assert_eq!(world.phase(), Phase::Held, "the room is not in peace: it was not brought back");
    // Not over a stop, before somebody resumes.
    let (stopped, _) = after(&[], &[&SECURED, &DONE, &turned[..2], &[Move::Stop]]);
    let (enter, back, facility) = (resolved(enter()), resolved(back()), facility());
    let (safety_rules, wires_cut) = (SafetyRules::KEPT, &[][..]);
    let (enter, back, facility) = (&enter, &back, &facility);
    let (faults, human_acts, has_time) = (9, 9, false);
    let rules = Rules { safety_rules, wires_cut, enter, back, facility, faults, human_acts, has_time };
    assert!(stopped.made(&rules, Move::Order(Direction::Enter, ACTUAL)).is_none());
    // All outputs are safe again by then; without the rule, cancelling would be peace.
    let all_safe =
        [Move::Stop, Move::Do(DOOR), Move::Do(LAMPS), Move::Report, Move::Resume("chen"), turned[2]];
    let without = [SafetyRule::ReturnIsOwed];
    let (_, wrong) = after(&without, &[&SECURED, &DONE, &turned[..2], &all_safe, &[Move::Cancel]]);
    assert_eq!(wrong, Some("C'' peace is claimed, and nobody brought the room back"));
}

#[test]
fn a_waiver_has_a_number_and_ends_with_the_process() {
    let (enter, back, facility) = (resolved_kitchen(store()), resolved_kitchen(from_store()), kitchen());
    let rules = |without: &[SafetyRule]| Rules {
        safety_rules: SafetyRules::without(without),
        wires_cut: &[],
        enter: &enter,
        back: &back,
        facility: &facility,
        faults: 9,
        human_acts: 9,
        has_time: false,
    };
    let ready = [
        Move::Order(Direction::Enter, ACTUAL),
        Move::Commit,
        Move::Confirm(0, "an"),
        Move::Confirm(0, "bo"),
        Move::Waive(1),
        Move::Waive(2),
        Move::Confirm(3, "chen"),
    ];
    let (world, wrong) = walk(&rules(&[]), &[&ready]);
    assert_eq!((world.phase(), wrong), (Phase::Ready, None));
    let run = world.room.run.as_ref().unwrap();
    let numbers: Vec<u32> = run.waivers.values().map(|waiver| waiver.number).collect();
    assert_eq!((numbers, run.waivers[&1].by.as_str()), (vec![1, 2], "chen"));
    let restarted = [Move::Crash, Move::Restart];
    let (world, wrong) = walk(&rules(&[]), &[&ready, &restarted]);
    let run = world.room.run.as_ref().unwrap();
    assert!(wrong.is_none() && run.waivers.is_empty());
    assert_eq!((&run.steps[1], &run.steps[2]), (&StepState::Failed, &StepState::Failed), "gaps again");
    let (_, wrong) = walk(&rules(&[SafetyRule::WaiverEnds]), &[&ready, &restarted]);
    assert_eq!(wrong, Some("Y a waiver outlived the process"));
}

fn resolved_kitchen(plan: linli_mode::Plan) -> linli_mode::ResolvedPlan {
    super::building::resolved_in(plan, &kitchen())
}

#[test]
fn after_a_stop_lamps_are_not_written_on_again() {
    let burning = [Move::Do(Way::Step(2, ON)), Move::Report];
    let world = well(&[&SECURED, &burning]);
    assert_eq!(world.leases.iter().copied().collect::<Vec<_>>(), [2]);
    let stopped = [Move::Stop, Move::Do(LAMPS), Move::Do(DOOR), Move::Report];
    let world = well(&[&SECURED, &burning, &stopped]);
    assert!(world.leases.is_empty() && !world.uv);
    let (world, wrong) = after(&[SafetyRule::LeaseEnds], &[&SECURED, &burning, &stopped, &[Move::Renew(2)]]);
    assert!(world.uv && wrong.is_some());
}

#[test]
fn a_step_is_not_begun_in_a_preview_by_trying_it_again() {
    let (world, wrong) = after(&[], &[&SECURED[..2], &[Move::Waive(1), Move::Retry(1)]]);
    assert_eq!((world.phase(), wrong), (Phase::Preview, None));
    assert_eq!(world.room.run.as_ref().unwrap().truths.first(), Some(&Truth::Unknown));
}
