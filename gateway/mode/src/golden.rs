//! Golden files of the mode switch: states of rooms, events and effects.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{
    ActionPhase, ActionResult, Actor, Cause, Channel, Class, Direction, Drill, Effect, Event, Fire, OnFail,
    OrderRef, Phase, Pressure, Run, Stage, State, StepState, Timer, Truth, Waiver, fold,
};
use linli_domain::audit::hex;
use linli_domain::{Id, Timestamp};
use linli_golden::{every, sent, stored, words};

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

fn order(class: Class, direction: Direction) -> OrderRef {
    let plan = "reading-room.sampling@1".to_owned();
    OrderRef { id: "0197f0c2-1".to_owned(), class, direction, plan }
}

fn steps() -> Vec<StepState> {
    let steps = vec![
        StepState::Pending,
        StepState::Blocked,
        StepState::Asked,
        StepState::Intent(1),
        StepState::Sent(2),
        StepState::Pause(3),
        StepState::Running,
        StepState::Closing,
        StepState::Ending,
        StepState::Verified(Channel::Itself),
        StepState::Verified(Channel::Independent),
        StepState::Verified(Channel::Human),
        StepState::AlreadyOk,
        StepState::Failed,
        StepState::Stuck,
        StepState::Waived(id("lin")),
        StepState::Simulated,
        StepState::Skipped,
    ];
    every!(steps; StepState::Pending, StepState::Blocked, StepState::Asked, StepState::Intent(_),
        StepState::Sent(_), StepState::Pause(_), StepState::Running, StepState::Closing, StepState::Ending,
        StepState::Verified(_), StepState::AlreadyOk, StepState::Failed, StepState::Stuck,
        StepState::Waived(_), StepState::Simulated, StepState::Skipped);
    steps
}

fn timers() -> Vec<Timer> {
    let timers = vec![
        Timer::Grace,
        Timer::Settle(1),
        Timer::Verify(2),
        Timer::Gap(3),
        Timer::Dwell(4),
        Timer::Deadline(5),
        Timer::Escalate(6, 1),
        Timer::Void(7),
        Timer::Waiver(8),
        Timer::Safe,
        Timer::Prove,
        Timer::Silent,
    ];
    every!(timers; Timer::Grace, Timer::Settle(_), Timer::Verify(_), Timer::Gap(_), Timer::Dwell(_),
        Timer::Deadline(_), Timer::Escalate(_, _), Timer::Void(_), Timer::Waiver(_), Timer::Safe,
        Timer::Prove, Timer::Silent);
    timers
}

/// Rooms in every phase.
pub(crate) fn states() -> Vec<State> {
    let enter = Run {
        truths: vec![Truth::True, Truth::Unknown],
        settled: BTreeSet::from([1]),
        doers: BTreeMap::from([
            (2, BTreeSet::from([id("lin"), id("wang")])),
            (10, BTreeSet::from([id("zhao")])),
        ]),
        voided: BTreeSet::from([2]),
        pulsed: BTreeSet::from([3, 11]),
        moved: BTreeSet::from([0, 1, 2]),
        unproven: BTreeSet::from([1]),
        causes: BTreeSet::new(),
        ..Run::new(order(Class::Actual, Direction::Enter), 0, 2)
    };
    let enter = Run { steps: steps(), ..enter };
    let fresh = Run::new(order(Class::Actual, Direction::Enter), 3, 4);
    let causes = BTreeSet::from([Cause::Fire, Cause::Stop, Cause::Guard, Cause::Failed, Cause::Cancel]);
    let held = Run { causes, ..enter.clone() };
    let waiver = Waiver {
        number: 2,
        by: id("lin"),
        why: "风机维修".to_owned(),
        until: Some(Timestamp(1_790_000_000_000)),
    };
    let endless = Waiver { number: 3, until: None, ..waiver.clone() };
    let watched = Run {
        watched: BTreeSet::from([2, 3]),
        awaited: BTreeSet::from([1]),
        waivers: BTreeMap::from([(15, waiver), (16, endless)]),
        waiver_count: 3,
        is_over_return: true,
        causes: BTreeSet::from([Cause::Silent]),
        ..enter.clone()
    };
    let back = Run { order: order(Class::Actual, Direction::Return), ..enter.clone() };
    let drill = Run { order: order(Class::Exercise, Direction::Enter), ..enter.clone() };
    let room = |phase, fire, run| State { phase, fire, run };
    let states = vec![
        State::default(),
        room(Phase::Peace, Fire::Normal, None),
        room(Phase::Preview, Fire::Normal, Some(fresh)),
        room(Phase::Running, Fire::Normal, Some(enter.clone())),
        room(Phase::Running, Fire::Normal, Some(back)),
        room(Phase::Running, Fire::Normal, Some(drill.clone())),
        room(Phase::Ready, Fire::Normal, Some(drill)),
        room(Phase::Degraded, Fire::Normal, Some(enter.clone())),
        room(Phase::Proving, Fire::Unknown, Some(enter)),
        room(Phase::Held, Fire::Alarm, Some(held)),
        room(Phase::Held, Fire::Unknown, Some(watched)),
    ];
    every!(states.iter().map(|state| state.phase).collect::<Vec<_>>(); Phase::Peace, Phase::Preview,
        Phase::Running, Phase::Ready, Phase::Degraded, Phase::Proving, Phase::Held);
    states
}

/// Every event.
pub(crate) fn events() -> Vec<Event> {
    let who = || Actor { id: id("lin"), roles: vec!["site_lead".to_owned(), "cleaner".to_owned()] };
    let why = || "房间已清空".to_owned();
    let mut events = vec![
        Event::Fire(Truth::True),
        Event::Stop { by: "lin, at the panel".to_owned() },
        Event::Restarted,
        Event::Order(order(Class::Exercise, Direction::Return)),
        Event::Cancel { by: "0197f0c2-2".to_owned() },
        Event::Truth(4, Truth::False),
        Event::Acted { step: 3, turn: ActionPhase::On, acted: ActionResult::Done },
        Event::Confirm { step: 0, who: who() },
        Event::Simulate { step: 0, who: who() },
        Event::Cannot { step: 1, who: who(), why: why() },
        Event::Waive { step: 1, who: who(), why: why(), span: Duration::from_millis(3_600_500), until: None },
        Event::Retry { step: 2, who: who() },
        Event::Commit { who: who() },
        Event::Resume { who: who(), why: why() },
        Event::Reject { who: who(), why: why() },
    ];
    events.extend(timers().into_iter().map(Event::Elapsed));
    let (span, until) = (Duration::from_secs(3600), Some(Timestamp(1_790_000_000_000)));
    events.push(Event::Waive { step: 1, who: who(), why: why(), span, until });
    every!(events; Event::Fire(_), Event::Stop { .. }, Event::Restarted, Event::Order(_),
        Event::Cancel { .. }, Event::Truth(_, _), Event::Acted { .. }, Event::Confirm { .. },
        Event::Simulate { .. }, Event::Cannot { .. }, Event::Waive { .. }, Event::Retry { .. },
        Event::Commit { .. }, Event::Resume { .. }, Event::Reject { .. }, Event::Elapsed(_));
    events
}

/// Every effect.
pub(crate) fn effects() -> Vec<Effect> {
    let mut effects = vec![
        Effect::Act { step: 3, turn: ActionPhase::Compensate, attempt: 2 },
        Effect::Safe(1),
        Effect::Lease(4),
        Effect::Unlease(4),
        Effect::Reread(vec![1, 2]),
        Effect::Ask(0),
        Effect::Escalate { step: 0, role: "site_lead".to_owned() },
        Effect::GuardRefused(5),
        Effect::DrillEnded,
        Effect::Arm(Timer::Grace, Duration::from_secs(30)),
        Effect::Disarm(Timer::Verify(3)),
        Effect::DisarmAll,
    ];
    effects.extend(timers().into_iter().map(|timer| Effect::Arm(timer, Duration::from_millis(1500))));
    effects.push(Effect::Disturbed(1));
    every!(effects; Effect::Act { .. }, Effect::Safe(_), Effect::Lease(_), Effect::Unlease(_),
        Effect::Reread(_), Effect::Ask(_), Effect::Escalate { .. }, Effect::GuardRefused(_),
        Effect::DrillEnded, Effect::Arm(_, _), Effect::Disarm(_), Effect::DisarmAll, Effect::Disturbed(_));
    effects
}

#[test]
fn words_of_the_mode_switch() {
    words!(stored "mode/phase", Phase: Peace, Preview, Running, Ready, Degraded, Proving, Held);
    words!(stored "mode/stage", Stage: Peace, Preview, Notice, Clearing, Acting, Checking, Ready, Degraded,
        Proving, Held);
    words!(stored "mode/fire", Fire: Unknown, Normal, Alarm);
    words!(stored "mode/cause", Cause: Fire, Stop, Guard, Failed, Cancel, Silent);
    words!(stored "mode/truth", Truth: True, False, Unknown);
    words!(stored "mode/acted", ActionResult: Done, Failed);
    words!(stored "mode/turn", ActionPhase: On, Off, Compensate);
    words!(stored "mode/direction", Direction: Enter, Return);
    words!(stored "mode/class", Class: Exercise, Actual);
    words!(stored "mode/pressure", Pressure: Neutral, Negative, Positive);
    words!(stored "mode/channel", Channel: Itself, Independent, Human);
    words!(stored "mode/on_fail", OnFail: Hold, Degrade, Human);
    words!(stored "mode/drill", Drill: Live, Simulate, Skip);
}

#[test]
fn rooms() {
    stored("mode/step", &steps());
    stored("mode/timer", &timers());
    stored("mode/state", &states());
    let hashes: Vec<String> = states().iter().map(|state| hex(&state.hash())).collect();
    stored("mode/state_hash", &hashes);
    let words: Vec<&str> = steps().iter().map(StepState::as_str).collect();
    sent("mode/step_word", &words);
}

#[test]
fn what_happens_and_what_follows() {
    stored("mode/event", &events());
    stored("mode/effect", &effects());
}

#[test]
fn rooms_together() {
    let states = states();
    sent(
        "mode/fold",
        &[fold([(Stage::Held, &states[9]), (Stage::Acting, &states[5]), (Stage::Peace, &states[0])])],
    );
}
