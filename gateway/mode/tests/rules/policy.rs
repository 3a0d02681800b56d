//! How data are treated while a plan is in force.

use std::time::Duration;

use linli_domain::Id;
use linli_mode::OrderRef;
use linli_mode::{Class, Direction, Drill};
use linli_mode::{InForce, Notice, Policy, Reading, Ruling, Run, Standing, holds};
use linli_mode::{Phase, State};

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

fn policy() -> Policy {
    let seconds = Duration::from_secs;
    let ruling = |alarm: &str, silent_for| Ruling { alarm: id(alarm), why: "停用".to_owned(), silent_for };
    let notice = |kiosk: &str, drill| Notice { kiosk: id(kiosk), text: "暂停服务".to_owned(), drill };
    Policy {
        devices: vec![Reading { device: id("air"), poll: Some(seconds(5)), is_urgent: true }],
        alarms: vec![ruling("hot.cold", Some(seconds(3600))), ruling("specimen.warm", None)],
        kiosks: vec![notice("k1", Drill::Live), notice("k2", Drill::Simulate)],
    }
}

fn in_force(policy: &Policy, class: Class, age: u64) -> (InForce, Option<Duration>) {
    InForce::of([Standing { plan: "a@1", policy, class, age: Duration::from_secs(age) }])
}

#[test]
fn a_silence_has_a_reason_and_an_end() {
    let policy = policy();
    let (all, next) = in_force(&policy, Class::Actual, 600);
    assert_eq!((all.silent[&id("hot.cold")].as_str(), next), ("停用 (a@1)", Some(Duration::from_secs(3000))));
    let (all, next) = in_force(&policy, Class::Actual, 3600);
    assert_eq!((all.silent.len(), next, all.awake.len()), (0, None, 1));
}

#[test]
fn a_drill_silences_nothing_and_its_texts_say_so() {
    let (all, _) = in_force(&policy(), Class::Exercise, 0);
    assert_eq!((all.silent.len(), all.awake.len()), (0, 0));
    assert_eq!(all.notices, [(id("k1"), "【演练】暂停服务【演练】".to_owned())].into());
    assert!(all.urgent.contains(&id("air")));
    let (all, _) = in_force(&policy(), Class::Actual, 0);
    assert_eq!(all.notices.values().map(String::as_str).collect::<Vec<_>>(), ["暂停服务", "暂停服务"]);
}

#[test]
fn several_come_to_the_more_careful() {
    let mut other = policy();
    other.devices[0] = Reading { device: id("air"), poll: Some(Duration::from_secs(2)), is_urgent: false };
    other.alarms = vec![Ruling { alarm: id("hot.cold"), why: "要听".to_owned(), silent_for: None }];
    let standing = |policy| Standing { plan: "a@1", policy, class: Class::Actual, age: Duration::ZERO };
    let first = policy();
    let (all, _) = InForce::of([standing(&first), standing(&other)]);
    assert_eq!(all.polls[&id("air")], Duration::from_secs(2));
    assert!(all.urgent.contains(&id("air")) && !all.silent.contains_key(&id("hot.cold")));
    assert_eq!(InForce::of([]).0, InForce::default());
}

#[test]
fn it_holds_from_the_commitment_until_peace() {
    let order =
        |direction| OrderRef { id: "1".to_owned(), class: Class::Actual, direction, plan: "a@1".to_owned() };
    let at =
        |direction, phase| State { phase, run: Some(Run::new(order(direction), 0, 0)), ..State::default() };
    let own = |_: &OrderRef| "own";
    use Direction::{Enter, Return};
    assert_eq!(holds(None, &at(Enter, Phase::Preview), own), None);
    assert_eq!(holds(Some("drill"), &at(Enter, Phase::Preview), own), None);
    for phase in [Phase::Running, Phase::Held, Phase::Ready, Phase::Degraded, Phase::Proving] {
        assert_eq!(holds(None, &at(Enter, phase), own), Some("own"));
        assert_eq!(holds(Some("entered"), &at(Return, phase), own), Some("entered"));
    }
    assert_eq!(holds(Some("entered"), &at(Return, Phase::Preview), own), Some("entered"));
    assert_eq!(holds(Some("entered"), &State::default(), own), None);
}
