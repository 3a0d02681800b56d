//! Signed orders at the limits of each requirement.

use std::collections::BTreeSet;
use std::time::Duration;

use linli_domain::{Id, Timestamp};
use linli_mode::Class;
use linli_mode::order::{
    Authority, ClockDoubt, Confirmation, Doubt, Envelope, Judgement, Key, Keyring, Kind, KnownTime,
    LONGEST_AGE, Malformed, Numbers, Order, OrderError, PlanHash, Policy, ReplayGuard, SecretKey, Series,
    Situation, Target, WINDOW, judge, sign, text,
};

use super::building::id;

const NOW: Timestamp = Timestamp(1_795_428_000_000);
const MINUTE: i64 = 60_000;

fn order() -> Order {
    let plan = PlanHash { plan: "kitchen-plan@1".to_owned(), hash: [9; 32] };
    Order {
        id: "2026-117".to_owned(),
        seq: 5,
        kind: Kind::Enter,
        class: Class::Actual,
        authority: Authority::District,
        targets: vec![Target { centre: id("xinghe"), site: None, plans: vec![plan], snapshot: None }],
        mode: "epidemic.supplies".to_owned(),
        not_before: NOW,
        expires: Timestamp(NOW.0 + 30 * MINUTE),
        sent: NOW,
        reference: None,
        supersedes: Vec::new(),
        cap: None,
    }
}

fn secret(number: u8) -> SecretKey {
    SecretKey::from_seed([number; 32])
}

fn keyring() -> Keyring {
    let key = |person: &str, role: &str, class, number| Key {
        person: id(person),
        roles: vec![role.to_owned()],
        class,
        public: secret(number).public(),
        from: None,
        until: None,
        revoked: None,
    };
    Keyring {
        keys: vec![
            key("wang", "commander", Class::Actual, 1),
            key("wang", "commander", Class::Actual, 2),
            key("li", "duty_officer", Class::Actual, 3),
            key("zhao", "site_lead", Class::Actual, 4),
            key("qian", "site_deputy", Class::Actual, 5),
            key("wang", "commander", Class::Exercise, 6),
            key("li", "duty_officer", Class::Exercise, 7),
        ],
    }
}

fn policy() -> Policy {
    let roles = |roles: [&str; 2]| roles.map(str::to_owned).to_vec();
    Policy {
        quorum: 2,
        district: roles(["commander", "duty_officer"]),
        local: roles(["site_lead", "site_deputy"]),
    }
}

fn signed(order: &Order, keys: &[u8]) -> Envelope {
    keys.iter().fold(Envelope::of(order.clone()), |envelope, key| sign(&envelope, &secret(*key)))
}

fn judged_at(
    envelope: &Envelope,
    guard: &ReplayGuard,
    time: KnownTime,
    confirmed: Option<&Confirmation>,
) -> Result<Judgement, OrderError> {
    let situation = Situation {
        centre: &id("xinghe"),
        keyring: &keyring(),
        policy: &policy(),
        replay_guard: guard,
        time,
        waited: Duration::ZERO,
        confirmed,
    };
    judge(envelope, &situation)
}

/// By a clock that is trusted.
fn judged_by_clock(envelope: &Envelope, now: i64) -> Result<Judgement, OrderError> {
    judged_at(envelope, &ReplayGuard::default(), KnownTime::trusted(Timestamp(now)), None)
}

fn judged(order: &Order, keys: &[u8], guard: &ReplayGuard) -> Result<Judgement, OrderError> {
    judged_at(&signed(order, keys), guard, KnownTime::trusted(NOW), None)
}

fn confirmed(code: &str, people: &[&str]) -> Confirmation {
    let people: BTreeSet<Id> = people.iter().map(|person| id(person)).collect();
    Confirmation { code: code.to_owned(), people }
}

fn series(authority: Authority, class: Class) -> Series {
    Series { authority, class }
}

/// An order given on the spot.
fn local() -> Order {
    Order { authority: Authority::Local, id: "local-1".to_owned(), ..order() }
}

/// The guard after an order was accepted.
fn after(order: &Order, keys: &[u8], guard: &ReplayGuard) -> ReplayGuard {
    match judged(order, keys, guard) {
        Ok(Judgement::Accepted(accepted)) => accepted.replay_guard,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_order_counts_between_its_limits() {
    let at = |now: i64| judged_by_clock(&signed(&order(), &[1, 3]), NOW.0 + now);
    let is_early = |now| matches!(at(now), Err(OrderError::Early { .. }));
    let is_late = |now| matches!(at(now), Err(OrderError::Expired { .. }));
    assert!(is_early(-2 * MINUTE - 1) && at(-2 * MINUTE).is_ok());
    assert!(at(30 * MINUTE - 1).is_ok() && is_late(30 * MINUTE));
}

#[test]
fn a_local_order_counts_for_an_hour_at_most() {
    let local = |span: i64| {
        let expires = Timestamp(NOW.0 + span);
        judged(&Order { expires, ..local() }, &[4, 5], &ReplayGuard::default())
    };
    assert!(local(60 * MINUTE).is_ok());
    assert_eq!(local(60 * MINUTE + 1), Err(OrderError::LocalTooLong));
    let district = Order { expires: Timestamp(NOW.0 + 61 * MINUTE), ..order() };
    assert!(judged(&district, &[1, 3], &ReplayGuard::default()).is_ok());
}

#[test]
fn a_clock_that_is_not_synchronised_needs_two_people_and_the_code_of_this_order() {
    let envelope = signed(&order(), &[1, 3]);
    let time = KnownTime { at: NOW, doubt: Some(ClockDoubt::NotSynchronised) };
    let told = |confirmed| judged_at(&envelope, &ReplayGuard::default(), time, confirmed);
    let (code, other) = (envelope.code(), signed(&Order { seq: 6, ..order() }, &[1, 3]).code());
    let two = ["zhao", "qian"];
    let too_little =
        [None, Some(confirmed("", &two)), Some(confirmed(&other, &two)), Some(confirmed(&code, &["zhao"]))];
    for given in &too_little {
        let told = told(given.as_ref());
        assert!(matches!(told, Err(OrderError::Quarantined { .. })), "{given:?}: {told:?}");
    }
    assert!(told(Some(&confirmed(&code, &two))).is_ok());
}

#[test]
fn each_authority_signs_for_itself() {
    for (order, good, wrong) in [(order(), [1, 3], [4, 5]), (local(), [4, 5], [1, 3])] {
        assert!(judged(&order, &good, &ReplayGuard::default()).is_ok());
        let told = judged(&order, &wrong, &ReplayGuard::default());
        assert!(matches!(told, Err(OrderError::Quorum { needed: 2, signed: 0, .. })), "{told:?}");
    }
}

#[test]
fn one_signature_is_too_few_for_all_but_a_stop() {
    for kind in [Kind::Enter, Kind::Return, Kind::Amend, Kind::Cancel, Kind::StandDown] {
        for keys in [&[1][..], &[1, 2], &[1, 4]] {
            let told = judged(&Order { kind, ..order() }, keys, &ReplayGuard::default());
            assert!(matches!(told, Err(OrderError::Quorum { .. })), "{kind:?} {keys:?}");
        }
    }
    let stop = Order { kind: Kind::Stop, ..order() };
    assert!(judged(&stop, &[1], &ReplayGuard::default()).is_ok());
    let nobody = judged(&stop, &[], &ReplayGuard::default());
    assert!(matches!(nobody, Err(OrderError::Quorum { .. })));
}

#[test]
fn keys_of_the_other_class_refuse_the_order() {
    let drill = Order { class: Class::Exercise, ..order() };
    for (order, keys) in [(order(), [6, 7]), (order(), [1, 7]), (drill.clone(), [1, 3])] {
        let told = judged(&order, &keys, &ReplayGuard::default());
        assert!(matches!(told, Err(OrderError::Signature(_))), "{keys:?}: {told:?}");
    }
    assert!(judged(&drill, &[6, 7], &ReplayGuard::default()).is_ok());
}

#[test]
fn a_number_counts_once() {
    let first = after(&order(), &[1, 3], &ReplayGuard::default());
    assert_eq!(judged(&order(), &[1, 3], &first), Ok(Judgement::Repeated));
    // More signatures are the same order.
    assert_eq!(judged(&order(), &[1, 2, 3], &first), Ok(Judgement::Repeated));
    let other = Order { id: "2026-118".to_owned(), ..order() };
    assert_eq!(judged(&other, &[1, 3], &first), Err(OrderError::Equivocation { seq: 5 }));
    let next = Order { seq: 6, ..other.clone() };
    let second = after(&next, &[1, 3], &first);
    assert_eq!(judged(&order(), &[1, 3], &second), Ok(Judgement::Repeated));
    let old = Order { seq: 4, ..other };
    assert_eq!(judged(&old, &[1, 3], &second), Err(OrderError::Replayed { seq: 4, last: 6 }));
}

#[test]
fn the_highest_number_counts_though_its_order_is_not_known() {
    let of_0_1 = ReplayGuard { last: [(Authority::District, 5)].into(), ..ReplayGuard::default() };
    let numbers: Numbers = [(series(Authority::District, Class::Actual), 5)].into();
    for guard in [of_0_1, ReplayGuard { numbers, ..ReplayGuard::default() }] {
        assert_eq!(judged(&order(), &[1, 3], &guard), Err(OrderError::Replayed { seq: 5, last: 5 }));
        assert!(judged(&Order { seq: 6, ..order() }, &[1, 3], &guard).is_ok());
    }
}

#[test]
fn each_authority_and_class_counts_for_itself() {
    let district = after(&order(), &[1, 3], &ReplayGuard::default());
    let both = after(&local(), &[4, 5], &district);
    let drill = Order { class: Class::Exercise, id: "drill-1".to_owned(), ..order() };
    let all = after(&drill, &[6, 7], &both);
    let numbers: Numbers = [
        (series(Authority::District, Class::Actual), 5),
        (series(Authority::Local, Class::Actual), 5),
        (series(Authority::District, Class::Exercise), 5),
    ]
    .into();
    assert_eq!(all.numbers, numbers);
    assert_eq!(judged(&local(), &[4, 5], &all), Ok(Judgement::Repeated));
    assert_eq!(judged(&order(), &[1, 3], &all), Ok(Judgement::Repeated));
}

#[test]
fn a_number_stays_used_when_its_order_is_forgotten() {
    let numbered = |seq| Order { seq, id: format!("2026-{seq}"), ..order() };
    let with = |guard: ReplayGuard, seq| guard.with(&numbered(seq), [7; 32], true);
    let guard = (0..256).fold(ReplayGuard::default(), with);
    let next = numbered(256);
    let guard = after(&next, &[1, 3], &guard);
    assert_eq!(guard.orders.len(), 256);
    assert_eq!((guard.orders[0].seq, guard.orders[255].seq), (1, 256), "the oldest is forgotten");
    let again = Order { seq: 0, ..order() };
    assert_eq!(judged(&again, &[1, 3], &guard), Err(OrderError::Replayed { seq: 0, last: 256 }));
}

#[test]
fn the_numbers_may_jump_so_far_and_no_farther() {
    let first = after(&order(), &[1, 3], &ReplayGuard::default());
    let on = |seq| judged(&Order { seq, id: format!("2026-{seq}"), ..order() }, &[1, 3], &first);
    assert!(on(5 + WINDOW).is_ok());
    assert_eq!(on(6 + WINDOW), Err(OrderError::Jump { seq: 6 + WINDOW, last: 5 }));
}

#[test]
fn an_id_names_one_order_and_tells_who_gave_it() {
    let first = after(&order(), &[1, 3], &ReplayGuard::default());
    let again = Order { seq: 6, ..order() };
    assert_eq!(judged(&again, &[1, 3], &first), Err(OrderError::IdUsed { id: "2026-117".to_owned() }));
    for wrong in [Order { authority: Authority::District, ..local() }, Order { id: order().id, ..local() }] {
        let keys = if wrong.authority == Authority::District { [1, 3] } else { [4, 5] };
        let told = judged(&wrong, &keys, &ReplayGuard::default());
        assert_eq!(told, Err(OrderError::ReservedId { id: wrong.id.clone() }));
    }
}

#[test]
fn lost_numbers_need_two_people_for_all_but_a_stop() {
    let (envelope, trusted) = (signed(&order(), &[1, 3]), KnownTime::trusted(NOW));
    let told = judged_at(&envelope, &ReplayGuard::lost(), trusted, None);
    assert!(
        matches!(&told, Err(OrderError::Quarantined { why, .. }) if *why == [Doubt::Numbers]),
        "{told:?}"
    );
    let two = confirmed(&envelope.code(), &["zhao", "qian"]);
    let told = judged_at(&envelope, &ReplayGuard::lost(), trusted, Some(&two));
    let Ok(Judgement::Accepted(accepted)) = told else { panic!("{told:?}") };
    let district = series(Authority::District, Class::Actual);
    assert_eq!(accepted.replay_guard.highest(district), Some(5));
    // A stop is accepted, and tells nothing of the numbers before it.
    let stopped = after(&Order { kind: Kind::Stop, ..order() }, &[1], &ReplayGuard::lost());
    assert_eq!(stopped.highest(district), None);
}

#[test]
fn an_order_was_signed_before_it_came_and_not_long_ago() {
    let age = i64::try_from(LONGEST_AGE.as_millis()).unwrap();
    let order = Order { expires: Timestamp(NOW.0 + 2 * age), ..order() };
    let at = |now: i64| judged_by_clock(&signed(&order, &[1, 3]), NOW.0 + now);
    assert!(at(age + 2 * MINUTE).is_ok());
    assert!(matches!(at(age + 2 * MINUTE + 1), Err(OrderError::Backdated { .. })));
    let begun = Order { not_before: Timestamp(NOW.0 - 10 * MINUTE), ..order.clone() };
    let at = |now: i64| judged_by_clock(&signed(&begun, &[1, 3]), NOW.0 + now);
    assert!(at(-2 * MINUTE).is_ok());
    assert!(matches!(at(-2 * MINUTE - 1), Err(OrderError::Postdated { .. })));
}

#[test]
fn an_order_for_somebody_else_is_told_so() {
    let mut other = order();
    other.targets[0].centre = id("yinhe");
    let told = judged(&other, &[1, 3], &ReplayGuard::default());
    assert_eq!(told, Err(OrderError::WrongTarget(Id::new("xinghe").unwrap())));
}

#[test]
fn a_second_signature_by_one_key_replaces_the_first() {
    let envelope = signed(&order(), &[1, 1, 3]);
    assert_eq!(envelope.key_ids().len(), 2);
    assert_eq!(envelope.signers(&keyring()).unwrap().len(), 2);
}

#[test]
fn too_many_signatures_are_not_looked_at() {
    let keys: Vec<u8> = (1..=17).collect();
    assert!(Envelope::read(&signed(&order(), &keys[..16]).bytes()).is_ok());
    let told = Envelope::read(&signed(&order(), &keys).bytes());
    assert!(matches!(told, Err(Malformed::Envelope(_))), "{told:?}");
}

#[test]
fn an_order_names_itself_and_somebody() {
    let decoded = |order: &Order| Order::decode(&order.encode());
    for id in ["".to_owned(), "x".repeat(65), "a\nb".to_owned()] {
        assert!(decoded(&Order { id: id.clone(), ..order() }).is_err(), "{id:?}");
    }
    assert!(decoded(&Order { id: "令".repeat(64), ..order() }).is_ok());
    assert!(decoded(&Order { targets: Vec::new(), ..order() }).is_err());
    let whole = Order {
        reference: Some("沪防〔2026〕12号".to_owned()),
        supersedes: vec!["2026-1".to_owned()],
        cap: Some(vec![1, 2, 3]),
        ..order()
    };
    assert_eq!(decoded(&whole), Ok(whole));
}

#[test]
fn any_misread_line_of_a_text_is_named() {
    let bytes = signed(&order(), &[1, 3]).bytes();
    let text = text::write(&bytes);
    assert!(text::is_text(&text) && !text::is_text("LLN2:\nAA"));
    assert_eq!(text::read(&text).unwrap(), bytes);
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines[2] = lines[2].replacen(' ', "A ", 1);
    let told = text::read(&lines.join("\n"));
    assert_eq!(told, Err(text::Misread::Line(2)));
}
