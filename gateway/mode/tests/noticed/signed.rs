//! Signed orders at the limits of each requirement.

use linli_domain::{Id, Timestamp};
use linli_mode::Class;
use linli_mode::order::{
    Authority, Clock, Envelope, Judgement, Key, Keyring, Kind, Malformed, Order, OrderError, PlanHash,
    Policy, ReplayGuard, SecretKey, Target, judge, sign, text,
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
    now: Timestamp,
    clock: Clock<'_>,
) -> Result<Judgement, OrderError> {
    judge(envelope, &id("xinghe"), &keyring(), &policy(), guard, now, clock)
}

fn judged(order: &Order, keys: &[u8], guard: &ReplayGuard) -> Result<Judgement, OrderError> {
    judged_at(&signed(order, keys), guard, NOW, Clock::Synchronised)
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
    let at = |now: i64| {
        judged_at(
            &signed(&order(), &[1, 3]),
            &ReplayGuard::default(),
            Timestamp(NOW.0 + now),
            Clock::Synchronised,
        )
    };
    let is_early = |now| matches!(at(now), Err(OrderError::Early { .. }));
    let is_late = |now| matches!(at(now), Err(OrderError::Expired { .. }));
    assert!(is_early(-2 * MINUTE - 1) && at(-2 * MINUTE).is_ok());
    assert!(at(30 * MINUTE - 1).is_ok() && is_late(30 * MINUTE));
}

#[test]
fn a_local_order_counts_for_an_hour_at_most() {
    let local = |span: i64| {
        let expires = Timestamp(NOW.0 + span);
        let order = Order { authority: Authority::Local, expires, ..order() };
        judged(&order, &[4, 5], &ReplayGuard::default())
    };
    assert!(local(60 * MINUTE).is_ok());
    assert_eq!(local(60 * MINUTE + 1), Err(OrderError::LocalTooLong));
    let district = Order { expires: Timestamp(NOW.0 + 61 * MINUTE), ..order() };
    assert!(judged(&district, &[1, 3], &ReplayGuard::default()).is_ok());
}

#[test]
fn a_clock_that_is_not_synchronised_needs_the_code_of_this_order() {
    let envelope = signed(&order(), &[1, 3]);
    let told = |clock| judged_at(&envelope, &ReplayGuard::default(), NOW, clock);
    let other = signed(&Order { seq: 6, ..order() }, &[1, 3]).code();
    for clock in [Clock::Free, Clock::Confirmed(""), Clock::Confirmed(&other)] {
        assert!(matches!(told(clock), Err(OrderError::Quarantined { .. })), "{clock:?}");
    }
    assert!(told(Clock::Confirmed(&envelope.code())).is_ok());
}

#[test]
fn each_authority_signs_for_itself() {
    for (authority, good, wrong) in
        [(Authority::District, [1, 3], [4, 5]), (Authority::Local, [4, 5], [1, 3])]
    {
        let order = Order { authority, ..order() };
        assert!(judged(&order, &good, &ReplayGuard::default()).is_ok());
        let told = judged(&order, &wrong, &ReplayGuard::default());
        assert!(matches!(told, Err(OrderError::Quorum { needed: 2, signed: 0, .. })), "{told:?}");
    }
}

#[test]
fn one_signature_is_too_few_for_what_begins_something() {
    for kind in [Kind::Enter, Kind::Return, Kind::Amend, Kind::StandDown] {
        for keys in [&[1][..], &[1, 2], &[1, 4]] {
            let told = judged(&Order { kind, ..order() }, keys, &ReplayGuard::default());
            assert!(matches!(told, Err(OrderError::Quorum { .. })), "{kind:?} {keys:?}");
        }
    }
    let nobody = judged(&Order { kind: Kind::Cancel, ..order() }, &[], &ReplayGuard::default());
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
    let guard = ReplayGuard { last: [(Authority::District, 5)].into(), accepted: Vec::new() };
    assert_eq!(judged(&order(), &[1, 3], &guard), Err(OrderError::Replayed { seq: 5, last: 5 }));
    assert!(judged(&Order { seq: 6, ..order() }, &[1, 3], &guard).is_ok());
}

#[test]
fn each_authority_counts_for_itself() {
    let district = after(&order(), &[1, 3], &ReplayGuard::default());
    let local = Order { authority: Authority::Local, id: "local-1".to_owned(), ..order() };
    let both = after(&local, &[4, 5], &district);
    assert_eq!(both.last, [(Authority::District, 5), (Authority::Local, 5)].into());
    assert_eq!(judged(&local, &[4, 5], &both), Ok(Judgement::Repeated));
}

#[test]
fn a_number_stays_used_when_its_order_is_forgotten() {
    let accepted = (0..256).map(|seq| (Authority::District, seq, format!("2026-{seq}"), [7; 32])).collect();
    let guard = ReplayGuard { last: [(Authority::District, 255)].into(), accepted };
    let next = Order { seq: 256, ..order() };
    let guard = after(&next, &[1, 3], &guard);
    assert_eq!(guard.accepted.len(), 256);
    assert_eq!((guard.accepted[0].1, guard.accepted[255].1), (1, 256), "the oldest is forgotten");
    let again = Order { seq: 0, ..order() };
    assert_eq!(judged(&again, &[1, 3], &guard), Err(OrderError::Replayed { seq: 0, last: 256 }));
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
