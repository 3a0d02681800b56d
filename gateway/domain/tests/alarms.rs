//! The alarm engine in simulated time: delays to the tick, silence, bad values, restarts.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test says what it expects")]

use std::collections::BTreeMap;
use std::time::Duration;

use linli_domain::Id;
use linli_domain::alarm::{
    Action, Condition, Engine, Event, Flood, Kept, Priority, Refused, Rule, Shelf, Source, State, Tick,
    Transition,
};
use proptest::prelude::*;

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

fn source(device: &str) -> Source {
    Source { device: id(device), point: id("temperature") }
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn rule(name: &str, condition: Condition, on: u64, off: u64) -> Rule {
    Rule {
        id: id(name),
        source: source("fridge"),
        condition,
        on_delay: seconds(on),
        off_delay: seconds(off),
        is_latching: false,
        priority: Priority::High,
        shelve_at_most: Some(seconds(3600)),
        suppressed_by: None,
        group: None,
        text: "冰箱温度高".to_owned(),
    }
}

fn high(on: u64, off: u64) -> Rule {
    rule("warm", Condition::High { limit: 8.0, deadband: 1.0 }, on, off)
}

fn sample(engine: &mut Engine, now: Tick, device: &str, value: Option<f64>) -> Vec<Transition> {
    let number = engine.source(&source(device)).unwrap();
    engine.sample(now, number, value)
}

fn engine(rules: Vec<Rule>) -> Engine {
    Engine::new(rules, |_| None, Tick(0))
}

#[test]
fn an_old_value_raises_an_alarm_and_ends_none() {
    let mut leak =
        engine(vec![rule("leak", Condition::Is(true), 0, 0), rule("mute", Condition::Silent, 60, 0)]);
    let number = leak.source(&source("fridge")).unwrap();
    let raised = [leak.doubtful(Tick(1000), number, 1.0), leak.tick(Tick(1001))].concat();
    assert_eq!(
        raised.iter().map(|step| (step.alarm.as_str(), step.event)).collect::<Vec<_>>(),
        [("leak", Event::Raised)]
    );
    let later = [leak.doubtful(Tick(2000), number, 0.0), leak.tick(Tick(9000))].concat();
    assert!(later.is_empty(), "not over by that: {later:?}");
    let mute = leak.tick(Tick(61_000));
    assert!(mute.iter().any(|step| step.alarm.as_str() == "mute"), "it was not heard: {mute:?}");
    let over = [sample(&mut leak, Tick(62_000), "fridge", Some(0.0)), leak.tick(Tick(62_001))].concat();
    assert!(
        over.iter().any(|step| step.alarm.as_str() == "leak" && step.event == Event::Cleared),
        "{over:?}"
    );
}

/// Feeds a value every second, ticking in between; what happened when.
fn fed(engine: &mut Engine, from: u64, values: &[Option<f64>]) -> Vec<(u64, Event, State)> {
    let mut told = Vec::new();
    for (second, value) in (from..).zip(values) {
        let now = Tick(second * 1000);
        let steps = [sample(engine, now, "fridge", *value), engine.tick(Tick(second * 1000 + 999))].concat();
        told.extend(steps.into_iter().map(|step| (second, step.event, step.to)));
    }
    told
}

#[test]
fn delays_and_dead_band_to_the_tick() {
    let mut engine = engine(vec![high(10, 5)]);
    assert!(sample(&mut engine, Tick(0), "fridge", Some(8.0)).is_empty());
    assert_eq!(engine.next_due(), Some(Tick(10_000)));
    assert!(engine.tick(Tick(9_999)).is_empty());
    let raised = engine.tick(Tick(10_000));
    assert_eq!(
        (raised[0].from, raised[0].to, raised[0].value),
        (State::Normal, State::Unacknowledged, Some(8.0))
    );
    // Within the dead-band it still holds; below it the off-delay runs, and begins anew.
    assert!(sample(&mut engine, Tick(20_000), "fridge", Some(7.0)).is_empty());
    assert_eq!(engine.next_due(), None);
    sample(&mut engine, Tick(30_000), "fridge", Some(6.9));
    sample(&mut engine, Tick(33_000), "fridge", Some(7.5));
    assert_eq!(engine.next_due(), Some(Tick(35_000)), "the dead-band counts from the limit that was crossed");
    sample(&mut engine, Tick(34_000), "fridge", Some(8.0));
    assert!(engine.tick(Tick(60_000)).is_empty());
    sample(&mut engine, Tick(61_000), "fridge", Some(5.0));
    assert_eq!(engine.tick(Tick(66_000))[0].to, State::ReturnedUnacknowledged);
}

#[test]
fn a_restart_costs_no_wait() {
    let mut before = engine(vec![high(10, 0)]);
    assert!(sample(&mut before, Tick(0), "fridge", Some(9.0)).is_empty());
    let kept = before.kept(&id("warm"), Tick(7000)).unwrap();
    assert_eq!(kept.waited, Some(seconds(7)));
    let resumed = || Engine::new(vec![high(10, 0)], |_| Some(kept), Tick(0));
    let mut after = resumed();
    assert!(sample(&mut after, Tick(1000), "fridge", Some(9.0)).is_empty());
    assert_eq!(after.tick(Tick(3000)).len(), 1);
    let mut cooled = resumed();
    assert!(sample(&mut cooled, Tick(1000), "fridge", Some(4.0)).is_empty());
    assert!(cooled.tick(Tick(60_000)).is_empty());
}

#[test]
fn a_door_that_is_opened_for_a_moment_is_no_alarm() {
    let mut engine = engine(vec![high(10, 0)]);
    let values: Vec<Option<f64>> = (0..100).map(|s| Some(if s % 20 < 9 { 9.0 } else { 4.0 })).collect();
    assert_eq!(fed(&mut engine, 0, &values), []);
}

#[test]
fn a_bad_value_neither_raises_nor_clears() {
    let mut engine = engine(vec![high(0, 3)]);
    let told =
        fed(&mut engine, 0, &[Some(9.0), None, None, Some(5.0), None, None, None, None, None, Some(5.0)]);
    assert_eq!(told, [(0, Event::Raised, State::Unacknowledged)], "unknown is not safe");
    let told = fed(&mut engine, 10, &[Some(5.0); 4]);
    assert_eq!(told, [(12, Event::Cleared, State::ReturnedUnacknowledged)]);
}

#[test]
fn silence_is_an_alarm_and_silences_what_it_makes_doubtful() {
    let mut warm = high(0, 0);
    warm.suppressed_by = Some(id("silent"));
    let mut engine = engine(vec![rule("silent", Condition::Silent, 30, 0), warm]);
    let mut told = fed(&mut engine, 0, &[Some(9.0); 5]);
    told.extend(fed(&mut engine, 5, &vec![None; 40]));
    told.extend(fed(&mut engine, 45, &[Some(9.0)]));
    let expect = [
        (0, Event::Raised, State::Unacknowledged),
        (34, Event::Raised, State::Unacknowledged),
        (34, Event::Suppress, State::Suppressed),
        (45, Event::Cleared, State::ReturnedUnacknowledged),
        (45, Event::Unsuppress, State::Unacknowledged),
    ];
    assert_eq!(told, expect);
    // A sensor that never spoke is silent too.
    let mut never = Engine::new(vec![rule("silent", Condition::Silent, 30, 0)], |_| None, Tick(0));
    assert_eq!(never.tick(Tick(30_000))[0].event, Event::Raised);
}

#[test]
fn rates_and_probes_that_disagree() {
    let rate = rule("rising", Condition::Rate { per_minute: 2.0 }, 0, 0);
    let far = Condition::Deviation { from: source("probe"), limit: 3.0, deadband: 0.5 };
    let mut engine = engine(vec![rate, rule("apart", far, 0, 0)]);
    let told = fed(&mut engine, 0, &(0..30).map(|s| Some(4.0 + f64::from(s) / 60.0)).collect::<Vec<_>>());
    assert_eq!(told, [], "one degree a minute");
    let told = fed(&mut engine, 30, &(0..60).map(|s| Some(4.5 + f64::from(s) / 10.0)).collect::<Vec<_>>());
    assert_eq!(told.len(), 1, "six degrees a minute: {told:?}");
    assert!(sample(&mut engine, Tick(100_000), "probe", Some(10.0)).is_empty());
    let apart = sample(&mut engine, Tick(101_000), "probe", Some(4.0));
    assert_eq!(apart[0].alarm, id("apart"));
}

#[test]
fn people_acknowledge_shelve_and_are_refused() {
    let (warm, mut gas) = (high(0, 0), rule("gas", Condition::High { limit: 25.0, deadband: 5.0 }, 0, 0));
    (gas.is_latching, gas.shelve_at_most) = (true, None);
    let mut engine = engine(vec![warm, gas]);
    let (warm, gas) = (id("warm"), id("gas"));
    assert!(matches!(engine.act(Tick(0), &warm, Action::Acknowledge), Err(Refused::Meaningless { .. })));
    assert_eq!(engine.act(Tick(0), &id("cold"), Action::Acknowledge), Err(Refused::Unknown(id("cold"))));
    let shelf = |span, is_one_shot| Action::Shelve(Shelf { span: seconds(span), is_one_shot });
    assert_eq!(engine.act(Tick(0), &gas, shelf(60, false)), Err(Refused::NotShelvable));
    assert_eq!(engine.act(Tick(0), &warm, shelf(7200, false)), Err(Refused::TooLong(seconds(3600))));

    sample(&mut engine, Tick(1000), "fridge", Some(30.0));
    engine.act(Tick(2000), &gas, Action::Acknowledge).unwrap();
    assert!(matches!(engine.act(Tick(3000), &gas, Action::Reset), Err(Refused::Meaningless { .. })));
    sample(&mut engine, Tick(4000), "fridge", Some(5.0));
    assert_eq!(engine.act(Tick(5000), &gas, Action::Reset).unwrap()[0].to, State::Normal);

    sample(&mut engine, Tick(6000), "fridge", Some(9.0));
    engine.act(Tick(7000), &warm, shelf(60, false)).unwrap();
    assert!(engine.tick(Tick(66_999)).is_empty());
    assert_eq!(engine.tick(Tick(67_000))[0].to, State::Unacknowledged, "still warm when the time is over");
    engine.act(Tick(68_000), &warm, shelf(600, true)).unwrap();
    let over = sample(&mut engine, Tick(70_000), "fridge", Some(4.0));
    assert_eq!(over.last().map(|step: &Transition| step.to), Some(State::Normal), "one-shot: {over:?}");
}

#[test]
fn the_first_of_a_group_says_so_and_a_flood_is_counted() {
    let rules = (0..12).map(|n| {
        let limit = 10.0 + f64::from(n);
        let mut rule = rule(&format!("a{n}"), Condition::High { limit, deadband: 0.0 }, 0, 0);
        rule.group = Some(id("kitchen"));
        rule
    });
    let mut engine = engine(rules.collect());
    let first = sample(&mut engine, Tick(0), "fridge", Some(10.5));
    assert!(first[0].is_first_out && first.len() == 1);
    let rest = sample(&mut engine, Tick(1000), "fridge", Some(50.0));
    assert!(rest.len() == 11 && rest.iter().all(|step| !step.is_first_out));
    assert_eq!(engine.load(Tick(2000)).flood, Flood::Flooding);
    assert_eq!(engine.standing(Priority::High), 12);
    assert_eq!(engine.load(Tick(602_000)).flood, Flood::None);
}

#[test]
fn a_mode_silences_by_design_and_lets_speak_again() {
    let mut engine = engine(vec![high(0, 0)]);
    let silence = |engine: &mut Engine, second: u64, silent: &[&str]| {
        let told = engine.silence(Tick(second * 1000), silent.iter().map(|name| id(name)).collect());
        told.iter().map(|step| (step.event, step.to)).collect::<Vec<_>>()
    };
    assert_eq!(silence(&mut engine, 0, &["warm"]), [(Event::Suppress, State::Suppressed)]);
    assert_eq!(silence(&mut engine, 1, &["warm"]), [], "applied once");
    // It is still evaluated and on record, and nothing of it is announced.
    let told = fed(&mut engine, 2, &[Some(12.0)]);
    assert_eq!(told, [(2, Event::Raised, State::Suppressed)]);
    // A restart in between changes nothing.
    let kept = engine.kept(&id("warm"), Tick(3000));
    let mut engine = Engine::new(vec![high(0, 0)], |_| kept, Tick(0));
    assert_eq!(silence(&mut engine, 4, &["warm"]), []);
    assert_eq!(silence(&mut engine, 5, &[]), [(Event::Unsuppress, State::Unacknowledged)]);
    // After a restart without it, nothing is left of it.
    assert_eq!(silence(&mut engine, 6, &["warm"]).len(), 1);
    let kept = engine.kept(&id("warm"), Tick(6000));
    let mut engine = Engine::new(vec![high(0, 0)], |_| kept, Tick(0));
    assert_eq!(silence(&mut engine, 7, &[]), [(Event::Unsuppress, State::Unacknowledged)]);
}

#[test]
fn two_reasons_for_silence_both_have_to_end() {
    let doubtful = Rule { suppressed_by: Some(id("silent")), ..high(0, 0) };
    let silent = rule("silent", Condition::Silent, 60, 0);
    let mut engine = engine(vec![silent, doubtful]);
    let told = engine.silence(Tick(0), [id("warm")].into());
    assert_eq!(told.len(), 1);
    let told = engine.tick(Tick(61_000));
    assert_eq!(told.iter().map(|step| step.alarm.as_str()).collect::<Vec<_>>(), ["silent"]);
    assert_eq!(engine.silence(Tick(62_000), [].into()), [], "the device is silent all the same");
    let told = sample(&mut engine, Tick(63_000), "fridge", Some(4.0));
    assert!(told.iter().any(|step| step.event == Event::Unsuppress), "{told:?}");
    // The other way round.
    engine.tick(Tick(124_000));
    engine.silence(Tick(125_000), [id("warm")].into());
    let told = sample(&mut engine, Tick(126_000), "fridge", Some(4.0));
    assert!(told.iter().all(|step| step.event != Event::Unsuppress), "{told:?}");
    // A person who unshelves it does not break the silence of the mode.
    engine.silence(Tick(127_000), [].into());
    engine
        .act(Tick(128_000), &id("warm"), Action::Shelve(Shelf { span: seconds(60), is_one_shot: false }))
        .unwrap();
    assert_eq!(engine.silence(Tick(129_000), [id("warm")].into()), [], "it is silent already");
    let told = engine.act(Tick(130_000), &id("warm"), Action::Unshelve).unwrap();
    assert_eq!(told.last().map(|step| step.to), Some(State::Suppressed));
}

proptest! {
    /// Whatever happens, with a restart after any step: the same alarms, each announced once.
    #[test]
    fn restarts_lose_nothing_and_announce_nothing_twice(
        steps in proptest::collection::vec((0_u8..4, 0.0_f64..16.0, any::<bool>()), 1..120),
        is_latching in any::<bool>(),
        on_delay in 0_u64..20,
    ) {
        let rules = || {
            let mut rule = high(on_delay, 0);
            rule.is_latching = is_latching;
            vec![rule]
        };
        let (mut steady, mut restarted) = (engine(rules()), engine(rules()));
        let mut announced = [0, 0];
        for (n, (what, value, restart)) in steps.into_iter().enumerate() {
            let now = Tick(n as u64 * 1000);
            if restart {
                let kept: BTreeMap<Id, Kept> = restarted.alarms().map(|a| a.rule.id.clone()).collect::<Vec<_>>()
                    .into_iter().filter_map(|id| Some((id.clone(), restarted.kept(&id, now)?))).collect();
                let written = serde_json::to_string(&kept).unwrap();
                let read: BTreeMap<Id, Kept> = serde_json::from_str(&written).unwrap();
                restarted = Engine::new(rules(), |id| read.get(id).copied(), now);
            }
            for (engine, count) in [&mut steady, &mut restarted].into_iter().zip(&mut announced) {
                let told = match what {
                    0 => engine.act(now, &id("warm"), Action::Acknowledge).unwrap_or_default(),
                    1 => engine.act(now, &id("warm"), Action::Reset).unwrap_or_default(),
                    2 => sample(engine, now, "fridge", None),
                    _ => sample(engine, now, "fridge", Some(value)),
                };
                *count += told.iter().filter(|step| step.to == State::Unacknowledged).count();
            }
            let states = [&steady, &restarted].map(|engine| engine.alarms().next().map(|a| (a.state, a.is_active)));
            prop_assert_eq!(states[0], states[1]);
        }
        prop_assert_eq!(announced[0], announced[1]);
    }

    /// The condition holding for the whole on-delay is always announced, and never earlier.
    #[test]
    fn the_on_delay_is_exact(on in 1_u64..100, off in 0_u64..100, gaps in proptest::collection::vec(1_u64..40_000, 1..60)) {
        let mut engine = engine(vec![high(on, off)]);
        let (mut now, mut is_warm) = (0, false);
        let mut since = None;
        for gap in gaps {
            is_warm = !is_warm;
            let was_due = since.map(|since: u64| since + on * 1000);
            let ticked = engine.tick(Tick(now));
            prop_assert!(ticked.iter().all(|step| step.event != Event::Raised || was_due.is_some_and(|due| due <= now)));
            sample(&mut engine, Tick(now), "fridge", Some(if is_warm { 12.0 } else { 3.0 }));
            since = is_warm.then_some(now);
            now += gap;
            if is_warm && gap >= on * 1000 {
                engine.tick(Tick(now));
                prop_assert!(engine.alarms().next().unwrap().is_active);
            }
        }
    }
}
