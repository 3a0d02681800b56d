//! Orders that must not count, each with its reason; and the one that does.

use std::collections::BTreeSet;
use std::time::Duration;

use linli_domain::{Id, Timestamp};
use linli_mode::Class;
use linli_mode::order::{
    Authority, ClockDoubt, Confirmation, Doubt, Envelope, Followed, Judgement, Key, Keyring, Kind, KnownTime,
    LOCAL, LONGEST_AGE, Malformed, ORDER_RULES, Order, OrderError, OutOfScope, PlanHash, Policy, ReplayGuard,
    SecretKey, Series, Signers, Situation, Target, WINDOW, judge, may_touch, order_rules_in_markdown, sign,
    sign_plan, verify_plan,
};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp(1_795_428_000_000);
const HOUR: i64 = 3_600_000;

fn id(text: &str) -> Id {
    Id::new(text).expect("an id")
}

fn secret(number: u8) -> SecretKey {
    SecretKey::from_seed([number; 32])
}

fn order() -> Order {
    let plan = PlanHash { plan: "reading-room.sampling@3".to_owned(), hash: [9; 32] };
    Order {
        id: "2026-117".to_owned(),
        seq: 5,
        kind: Kind::Enter,
        class: Class::Actual,
        authority: Authority::District,
        targets: vec![Target { centre: id("xinghe"), site: None, plans: vec![plan], snapshot: None }],
        mode: "epidemic.sampling".to_owned(),
        not_before: Timestamp(NOW.0 - 60_000),
        expires: Timestamp(NOW.0 + HOUR),
        sent: Timestamp(NOW.0 - 60_000),
        reference: Some("区指〔2026〕117号".to_owned()),
        supersedes: Vec::new(),
        cap: None,
    }
}

/// Wang commands (two keys, and one for drills), Li is on duty, Zhao leads the site, Sun sweeps.
fn keyring() -> Keyring {
    let key = |person: &str, role: &str, class, number: u8| Key {
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
            key("wang", "commander", Class::Exercise, 3),
            key("li", "duty_officer", Class::Actual, 4),
            key("li", "duty_officer", Class::Exercise, 5),
            key("zhao", "site_lead", Class::Actual, 6),
            key("qian", "site_deputy", Class::Actual, 7),
            key("sun", "staff", Class::Actual, 8),
        ],
    }
}

fn policy() -> Policy {
    let roles = |roles: &[&str]| roles.iter().map(|role| (*role).to_owned()).collect();
    Policy {
        quorum: 2,
        district: roles(&["commander", "duty_officer"]),
        local: roles(&["site_lead", "site_deputy"]),
    }
}

fn signed(order: Order, keys: &[u8]) -> Envelope {
    keys.iter().fold(Envelope::of(order), |envelope, number| sign(&envelope, &secret(*number)))
}

/// What an order is judged against.
#[derive(Clone)]
struct Here {
    keyring: Keyring,
    guard: ReplayGuard,
    time: KnownTime,
    waited: Duration,
    confirmed: Option<Confirmation>,
}

fn here() -> Here {
    Here {
        keyring: keyring(),
        guard: ReplayGuard::default(),
        time: KnownTime::trusted(NOW),
        waited: Duration::ZERO,
        confirmed: None,
    }
}

impl Here {
    fn guarded(guard: &ReplayGuard) -> Self {
        Self { guard: guard.clone(), ..here() }
    }

    /// Nobody vouches for the clock; it is at least this late.
    fn doubted(at: Timestamp) -> Self {
        Self { time: KnownTime { at, doubt: Some(ClockDoubt::NotSynchronised) }, ..here() }
    }

    fn confirmed(self, code: &str, people: &[&str]) -> Self {
        let people: BTreeSet<Id> = people.iter().map(|person| id(person)).collect();
        Self { confirmed: Some(Confirmation { code: code.to_owned(), people }), ..self }
    }

    fn judge(&self, envelope: &Envelope) -> Result<Judgement, OrderError> {
        // As it arrives: as bytes.
        let envelope = Envelope::read(&envelope.bytes()).expect("what was written is read");
        let situation = Situation {
            centre: &id("xinghe"),
            keyring: &self.keyring,
            policy: &policy(),
            replay_guard: &self.guard,
            time: self.time,
            waited: self.waited,
            confirmed: self.confirmed.as_ref(),
        };
        judge(&envelope, &situation)
    }
}

fn judged(envelope: &Envelope, replay_guard: &ReplayGuard) -> Result<Judgement, OrderError> {
    Here::guarded(replay_guard).judge(envelope)
}

fn fresh(order: Order, keys: &[u8]) -> Result<Judgement, OrderError> {
    here().judge(&signed(order, keys))
}

fn accepted(judged: Result<Judgement, OrderError>) -> ReplayGuard {
    match judged {
        Ok(Judgement::Accepted(accepted)) => accepted.replay_guard,
        other => panic!("not accepted: {other:?}"),
    }
}

fn series(authority: Authority, class: Class) -> Series {
    Series { authority, class }
}

#[test]
fn two_people_order() {
    let Ok(Judgement::Accepted(accepted)) = fresh(order(), &[1, 4]) else { panic!("not accepted") };
    let people: Vec<&str> = accepted.signers.iter().map(|signer| signer.person.as_str()).collect();
    assert_eq!(people, ["wang", "li"]);
    assert_eq!(accepted.replay_guard.highest(series(Authority::District, Class::Actual)), Some(5));
}

#[test]
fn too_few_or_the_wrong_people_do_not() {
    for keys in [&[][..], &[1], &[1, 2], &[1, 8], &[6, 7], &[1, 6]] {
        assert!(matches!(fresh(order(), keys), Err(OrderError::Quorum { needed: 2, .. })), "{keys:?}");
    }
}

#[test]
fn one_signer_may_only_stop() {
    for kind in [Kind::Enter, Kind::Return, Kind::Amend, Kind::Cancel, Kind::StandDown] {
        for (class, keys) in [(Class::Actual, [1, 4]), (Class::Exercise, [3, 5])] {
            let order = Order { kind, class, ..order() };
            let one = fresh(order.clone(), &keys[..1]);
            assert!(matches!(one, Err(OrderError::Quorum { needed: 2, signed: 1, .. })), "{kind:?} {class}");
            accepted(fresh(order, &keys));
        }
    }
    accepted(fresh(Order { kind: Kind::Stop, ..order() }, &[4]));
    accepted(fresh(Order { kind: Kind::Stop, class: Class::Exercise, ..order() }, &[5]));
    // It is somebody of the right role, still.
    let by_staff = fresh(Order { kind: Kind::Stop, ..order() }, &[8]);
    assert!(matches!(by_staff, Err(OrderError::Quorum { needed: 1, .. })));
}

#[test]
fn drills_and_the_real_thing_have_different_keys() {
    let drill = Order { class: Class::Exercise, ..order() };
    assert!(matches!(fresh(drill.clone(), &[3, 5]), Ok(Judgement::Accepted(_))));
    assert!(
        matches!(fresh(drill, &[1, 4]), Err(OrderError::Signature(told)) if told.contains("signs Actual"))
    );
    assert!(
        matches!(fresh(order(), &[3, 5]), Err(OrderError::Signature(told)) if told.contains("signs Exercise"))
    );
}

#[test]
fn a_signature_that_does_not_hold_is_told() {
    let good = signed(order(), &[1, 4]).bytes();
    // Any bit of the payload or of a signature.
    let payload = order().encode();
    let at = good.windows(payload.len()).position(|window| window == payload).expect("the payload is inside");
    for byte in (at..at + payload.len()).chain(good.len() - 64..good.len()) {
        let mut forged = good.clone();
        forged[byte] ^= 1;
        if let Ok(envelope) = Envelope::read(&forged) {
            assert!(here().judge(&envelope).is_err(), "byte {byte} was changed and it counts");
        }
    }
    let unknown = signed(order(), &[1, 99]);
    assert!(matches!(judged(&unknown, &ReplayGuard::default()), Err(OrderError::Quorum { signed: 1, .. })));
}

#[test]
fn keys_are_judged_by_the_gateways_time_and_not_by_the_signers() {
    let mut here = here();
    // It was valid when the order says that it was signed, and is no more.
    here.keyring.keys[0].until = Some(Timestamp(NOW.0 - 30_000));
    let envelope = signed(order(), &[1, 4]);
    assert!(order().sent < Timestamp(NOW.0 - 30_000));
    assert!(
        matches!(here.judge(&envelope), Err(OrderError::Signature(told)) if told.contains("not valid now"))
    );
    here.keyring.keys[0].until = None;
    // Not yet valid when it was sent, by the signer's clock; valid by ours.
    here.keyring.keys[0].from = Some(Timestamp(NOW.0 - 10_000));
    accepted(here.judge(&envelope));
    here.keyring.keys[0].from = Some(Timestamp(NOW.0 + 1));
    assert!(matches!(here.judge(&envelope), Err(OrderError::Signature(_))));
}

#[test]
fn a_revoked_key_counts_for_nothing_and_is_an_alarm() {
    let mut here = here();
    let envelope = signed(order(), &[1, 4]);
    here.keyring.keys[0].revoked = Some(NOW);
    let refused = here.judge(&envelope).unwrap_err();
    assert!(matches!(&refused, OrderError::Revoked { person, .. } if person.as_str() == "wang"));
    assert_eq!(refused.alarm(), Some("revoked_key"));
    // A backdated signature helps nobody, and a third signature does not either.
    let backdated = signed(Order { sent: Timestamp(NOW.0 - HOUR), ..order() }, &[1, 2, 4]);
    assert!(matches!(here.judge(&backdated), Err(OrderError::Revoked { .. })));
    here.keyring.keys[0].revoked = Some(Timestamp(NOW.0 + HOUR));
    accepted(here.judge(&envelope));
    // Without a trusted clock nobody knows whether that time has come.
    here.time.doubt = Some(ClockDoubt::Unset);
    assert!(matches!(here.judge(&envelope), Err(OrderError::Revoked { .. })));
}

#[test]
fn backdated_orders_are_refused_and_are_an_alarm() {
    let age = i64::try_from(LONGEST_AGE.as_millis()).unwrap();
    let sent = |sent| Order { sent: Timestamp(sent), not_before: Timestamp(sent), ..order() };
    accepted(fresh(sent(NOW.0 - age), &[1, 4]));
    let refused = fresh(sent(NOW.0 - age - 121_000), &[1, 4]).unwrap_err();
    assert!(matches!(refused, OrderError::Backdated { .. }));
    assert_eq!(refused.alarm(), Some("backdated"));
    let ahead = |ms| Order { sent: Timestamp(NOW.0 + ms), ..order() };
    accepted(fresh(ahead(119_000), &[1, 4]));
    assert!(matches!(fresh(ahead(121_000), &[1, 4]), Err(OrderError::Postdated { .. })));
}

#[test]
fn early_late_and_foreign_orders_are_refused() {
    let early =
        Order { not_before: Timestamp(NOW.0 + HOUR), expires: Timestamp(NOW.0 + 2 * HOUR), ..order() };
    assert!(matches!(fresh(early, &[1, 4]), Err(OrderError::Early { .. })));
    let late = Order { expires: NOW, ..order() };
    assert!(matches!(fresh(late, &[1, 4]), Err(OrderError::Expired { .. })));
    let skewed = Order { not_before: Timestamp(NOW.0 + 60_000), ..order() };
    assert!(fresh(skewed, &[1, 4]).is_ok(), "clocks may differ a little");
    let mut foreign = order();
    foreign.targets[0].centre = id("yuehai");
    assert!(matches!(fresh(foreign, &[1, 4]), Err(OrderError::WrongTarget(_))));
}

#[test]
fn an_order_counts_once() {
    let first = signed(order(), &[1, 4]);
    let Ok(Judgement::Accepted(accepted)) = judged(&first, &ReplayGuard::default()) else {
        panic!("not accepted")
    };
    let replay_guard = accepted.replay_guard;
    assert_eq!(judged(&first, &replay_guard), Ok(Judgement::Repeated));
    let old = signed(Order { seq: 4, ..order() }, &[1, 4]);
    assert!(matches!(judged(&old, &replay_guard), Err(OrderError::Replayed { seq: 4, last: 5 })));
    let two_faced = signed(Order { kind: Kind::Return, ..order() }, &[1, 4]);
    assert!(matches!(judged(&two_faced, &replay_guard), Err(OrderError::Equivocation { seq: 5 })));
    assert_eq!(judged(&two_faced, &replay_guard).unwrap_err().alarm(), Some("equivocation"));
}

fn local(seq: u64) -> Order {
    let (id, expires) = (format!("local-{seq}"), Timestamp(NOW.0 + HOUR / 2));
    Order { authority: Authority::Local, id, seq, expires, ..order() }
}

#[test]
fn each_authority_and_class_counts_for_itself() {
    let guard = accepted(judged(&signed(order(), &[1, 4]), &ReplayGuard::default()));
    // A drill with the highest number that may be uses up no number of an Actual order.
    let drill = Order { class: Class::Exercise, id: "drill".to_owned(), seq: WINDOW, ..order() };
    let guard = accepted(judged(&signed(drill, &[3, 5]), &guard));
    let guard = accepted(judged(&signed(local(1), &[6, 7]), &guard));
    let next = Order { id: "next".to_owned(), seq: 6, ..order() };
    let guard = accepted(judged(&signed(next, &[1, 4]), &guard));
    let numbers = [
        (series(Authority::District, Class::Actual), 6),
        (series(Authority::District, Class::Exercise), WINDOW),
        (series(Authority::Local, Class::Actual), 1),
    ];
    assert_eq!(guard.numbers(), numbers.into());
}

#[test]
fn no_order_uses_up_the_numbers_of_later_ones() {
    let with = |seq| Order { seq, ..order() };
    for seq in [WINDOW + 1, 1 << 40, u64::MAX] {
        let refused = fresh(with(seq), &[1, 4]).unwrap_err();
        assert_eq!(refused, OrderError::Jump { seq, last: 0 });
        assert_eq!(refused.alarm(), Some("number_jump"));
    }
    let guard = accepted(fresh(with(WINDOW), &[1, 4]));
    let on = |seq| signed(Order { id: format!("o{seq}"), ..with(seq) }, &[1, 4]);
    assert!(matches!(judged(&on(2 * WINDOW + 1), &guard), Err(OrderError::Jump { .. })));
    accepted(judged(&on(2 * WINDOW), &guard));
}

#[test]
fn what_0_1_accepted_is_not_accepted_again() {
    let envelope = signed(order(), &[1, 4]);
    let guard = ReplayGuard {
        last: [(Authority::District, 5)].into(),
        accepted: vec![(Authority::District, 5, "2026-117".to_owned(), envelope.hash)],
        ..ReplayGuard::default()
    };
    assert_eq!(judged(&envelope, &guard), Ok(Judgement::Repeated));
    let drill = Order { class: Class::Exercise, id: "drill".to_owned(), seq: 4, ..order() };
    assert!(matches!(judged(&signed(drill, &[3, 5]), &guard), Err(OrderError::Replayed { last: 5, .. })));
    let next = signed(Order { seq: 6, id: "next".to_owned(), ..order() }, &[1, 4]);
    accepted(judged(&next, &guard));
}

#[test]
fn with_numbers_lost_two_people_confirm() {
    let envelope = signed(Order { seq: 7_000_000, ..order() }, &[1, 4]);
    let lost = Here::guarded(&ReplayGuard::lost());
    let Err(OrderError::Quarantined { code, why, confirmed: 0 }) = lost.judge(&envelope) else {
        panic!("not quarantined")
    };
    assert_eq!(why, [Doubt::Numbers]);
    assert!(lost.clone().confirmed(&code, &["zhao"]).judge(&envelope).is_err(), "one is not enough");
    let guard = accepted(lost.confirmed(&code, &["zhao", "qian"]).judge(&envelope));
    // That series is known again, and no other.
    let next = signed(Order { seq: 7_000_001, id: "next".to_owned(), ..order() }, &[1, 4]);
    let guard = accepted(judged(&next, &guard));
    let drill = signed(Order { class: Class::Exercise, id: "drill".to_owned(), ..order() }, &[3, 5]);
    assert!(matches!(judged(&drill, &guard), Err(OrderError::Quarantined { .. })));
    // A stop does not wait, and says nothing of numbers: a replayed one opens nothing.
    let stop =
        signed(Order { kind: Kind::Stop, class: Class::Exercise, id: "stop".to_owned(), ..order() }, &[3]);
    let guard = accepted(judged(&stop, &guard));
    assert!(matches!(judged(&drill, &guard), Err(OrderError::Equivocation { .. })), "its number is used");
    let drill = signed(Order { class: Class::Exercise, id: "drill".to_owned(), seq: 6, ..order() }, &[3, 5]);
    assert!(matches!(judged(&drill, &guard), Err(OrderError::Quarantined { .. })));
    // Kept elsewhere, they count.
    let kept = ReplayGuard::lost().raised(&[(series(Authority::District, Class::Actual), 9)].into());
    let old = signed(Order { seq: 9, ..order() }, &[1, 4]);
    assert!(matches!(judged(&old, &kept), Err(OrderError::Replayed { last: 9, .. })));
}

#[test]
fn ids_of_the_centre_itself_are_nobody_elses() {
    let named = |name: &str| Order { id: name.to_owned(), ..order() };
    for name in ["local-1", "mode-17", "notice-1", "siren-0a", "linli-x"] {
        let refused = fresh(named(name), &[1, 4]);
        assert!(matches!(refused, Err(OrderError::ReservedId { .. })), "{name}: {refused:?}");
    }
    let outside = Order { id: "2026-118".to_owned(), ..local(1) };
    assert!(matches!(fresh(outside, &[6, 7]), Err(OrderError::ReservedId { .. })));
    accepted(fresh(local(1), &[6, 7]));
}

#[test]
fn an_id_belongs_to_one_order() {
    let guard = accepted(fresh(order(), &[1, 4]));
    // A drill with the id of an Actual order could be taken for it.
    let drill = Order { class: Class::Exercise, ..order() };
    assert!(matches!(judged(&signed(drill, &[3, 5]), &guard), Err(OrderError::IdUsed { .. })));
    let other = Order { seq: 6, ..order() };
    assert!(matches!(judged(&signed(other, &[1, 4]), &guard), Err(OrderError::IdUsed { .. })));
}

#[test]
fn people_on_the_spot_order_for_an_hour() {
    let local = Order { expires: Timestamp(NOW.0 + 3 * HOUR), ..local(1) };
    assert!(matches!(fresh(local.clone(), &[6, 7]), Err(OrderError::LocalTooLong)));
    let short = Order { expires: Timestamp(NOW.0 + HOUR / 2), ..local };
    assert!(fresh(short.clone(), &[6, 7]).is_ok());
    let target = short.targets[0].clone();
    let whole = Order::on_the_spot([7; 6], NOW, short.seq, (short.kind, short.class), "drill", target);
    assert!(whole.id.starts_with(LOCAL) && whole.expires.0 - whole.not_before.0 == HOUR);
    assert!(fresh(whole, &[6, 7]).is_ok());
    assert!(matches!(fresh(short, &[1, 4]), Err(OrderError::Quorum { .. })), "the district signs as itself");
}

#[test]
fn without_a_trusted_clock_two_people_confirm_the_code() {
    let envelope = signed(order(), &[1, 4]);
    for doubt in [ClockDoubt::Unset, ClockDoubt::NotSynchronised, ClockDoubt::WentBack] {
        let here = Here { time: KnownTime { at: Timestamp(0), doubt: Some(doubt) }, ..here() };
        let Err(OrderError::Quarantined { code, why, confirmed: 0 }) = here.judge(&envelope) else {
            panic!("not quarantined")
        };
        assert_eq!((code.len(), why), (8, vec![Doubt::Clock(doubt)]));
        for (code, people) in [(code.as_str(), &["zhao"][..]), ("00000000", &["zhao", "qian"]), (&code, &[])]
        {
            let waiting = here.clone().confirmed(code, people).judge(&envelope);
            assert!(matches!(waiting, Err(OrderError::Quarantined { .. })), "{people:?}: {waiting:?}");
        }
        accepted(here.confirmed(&code, &["zhao", "qian"]).judge(&envelope));
    }
}

#[test]
fn an_expired_order_is_not_accepted_by_its_code() {
    let envelope = signed(order(), &[1, 4]);
    let code = envelope.code();
    let sure = |here: Here| here.confirmed(&code, &["zhao", "qian"]);
    // By the earliest time that it can be.
    let late = sure(Here::doubted(Timestamp(NOW.0 + 399 * 24 * HOUR)));
    assert!(matches!(late.judge(&envelope), Err(OrderError::Expired { .. })));
    // The clock shows 1970, but it was here for longer than it was valid.
    let mut waited = sure(Here::doubted(Timestamp(0)));
    waited.waited = Duration::from_secs(3_600);
    accepted(waited.judge(&envelope));
    waited.waited = Duration::from_secs(3_660);
    assert!(matches!(waited.judge(&envelope), Err(OrderError::Expired { .. })));
    // Nor by a key whose time is over.
    let mut ended = sure(Here::doubted(Timestamp(0)));
    ended.keyring.keys[0].until = Some(order().sent);
    assert!(matches!(ended.judge(&envelope), Err(OrderError::Signature(_))));
}

#[test]
fn a_stop_waits_for_nobody() {
    let stop = signed(Order { kind: Kind::Stop, ..order() }, &[4]);
    accepted(Here::doubted(Timestamp(0)).judge(&stop));
    assert!(Here::doubted(Timestamp(NOW.0 + 2 * HOUR)).judge(&stop).is_err(), "it has expired");
}

const EVERYBODY: [Authority; 2] = [Authority::District, Authority::Local];
const CLASSES: [Class; 2] = [Class::Actual, Class::Exercise];

#[test]
fn nothing_of_a_drill_touches_what_an_actual_order_did_and_the_other_way_round() {
    let kinds = [Kind::Enter, Kind::Return, Kind::Amend, Kind::Cancel, Kind::StandDown, Kind::Stop];
    let named = vec!["theirs".to_owned()];
    for (kind, class, authority) in
        kinds.into_iter().flat_map(|k| CLASSES.into_iter().flat_map(move |c| EVERYBODY.map(|a| (k, c, a))))
    {
        let order = Order { kind, class, authority, supersedes: named.clone(), ..order() };
        for (other, by, is_return) in CLASSES
            .into_iter()
            .flat_map(|c| EVERYBODY.into_iter().flat_map(move |a| [true, false].map(|back| (c, a, back))))
        {
            let followed = Followed { id: "theirs", class: other, authority: by, is_return };
            let may = may_touch(&order, &followed);
            let ends_a_drill = class == Class::Actual && matches!(kind, Kind::Enter | Kind::Stop);
            if other != class {
                assert_eq!(may.is_ok(), ends_a_drill, "{kind:?} {class} {followed:?}");
                continue;
            }
            let is_over_the_district = authority == Authority::Local && by == Authority::District;
            let expected = match kind {
                Kind::Stop => true,
                Kind::Enter => is_return && !is_over_the_district,
                _ => !is_over_the_district,
            };
            assert_eq!(may.is_ok(), expected, "{kind:?} {class} {authority:?} {followed:?}: {may:?}");
        }
    }
}

#[test]
fn people_on_the_spot_do_not_end_the_districts_order() {
    let followed =
        Followed { id: "2026-117", class: Class::Actual, authority: Authority::District, is_return: false };
    for kind in [Kind::Cancel, Kind::Return, Kind::Amend, Kind::StandDown] {
        let order = Order { kind, supersedes: vec!["2026-117".to_owned()], ..local(1) };
        assert_eq!(
            may_touch(&order, &followed),
            Err(OutOfScope::Authority { id: "2026-117".to_owned() }),
            "{kind:?}"
        );
        let of_district = Order { authority: Authority::District, ..order };
        assert_eq!(may_touch(&of_district, &Followed { authority: Authority::Local, ..followed }), Ok(()));
    }
}

#[test]
fn an_order_amends_and_cancels_only_what_it_names() {
    let followed =
        Followed { id: "2026-117", class: Class::Actual, authority: Authority::District, is_return: false };
    for kind in [Kind::Cancel, Kind::Amend] {
        let order = Order { kind, ..order() };
        assert!(matches!(may_touch(&order, &followed), Err(OutOfScope::NotNamed { .. })), "{kind:?}");
    }
    for kind in [Kind::Return, Kind::StandDown, Kind::Stop] {
        assert_eq!(may_touch(&Order { kind, ..order() }, &followed), Ok(()));
        let other = Order { kind, supersedes: vec!["2026-1".to_owned()], ..order() };
        assert!(matches!(may_touch(&other, &followed), Err(OutOfScope::NotNamed { .. })), "{kind:?}");
    }
}

#[test]
fn an_actual_order_to_enter_ends_a_drill_whatever_it_names() {
    let drill =
        Followed { id: "drill", class: Class::Exercise, authority: Authority::District, is_return: false };
    let enter = Order { supersedes: vec!["2026-1".to_owned()], ..order() };
    assert_eq!(may_touch(&enter, &drill), Ok(()));
}

#[test]
fn entering_is_possible_while_a_room_returns() {
    let followed =
        Followed { id: "2026-117", class: Class::Actual, authority: Authority::District, is_return: true };
    assert_eq!(may_touch(&order(), &followed), Ok(()));
    let begun = Followed { is_return: false, ..followed };
    assert!(matches!(may_touch(&order(), &begun), Err(OutOfScope::NotReturning { .. })));
}

#[test]
fn the_table_is_whole_and_the_documentation_prints_it() {
    for (at, rule) in ORDER_RULES.iter().enumerate() {
        let same = |other: &&linli_mode::order::OrderRule| {
            (other.kind, other.class, other.authority) == (rule.kind, rule.class, rule.authority)
        };
        assert_eq!(ORDER_RULES.iter().filter(same).count(), 1, "row {at} is there twice");
        assert_eq!(rule.signers == Signers::One, rule.kind == Kind::Stop, "one signer may only stop");
        assert_eq!(rule.longest.is_some(), rule.authority == Authority::Local);
    }
    let docs = include_str!("../../../docs/orders.md");
    let table = order_rules_in_markdown();
    assert!(docs.contains(&table), "docs/orders.md does not contain:\n{table}");
}

#[test]
fn unknown_critical_headers_are_refused() {
    use coset::iana::{Algorithm, HeaderParameter};
    use coset::{CoseSignBuilder, CoseSignatureBuilder, HeaderBuilder, Label, TaggedCborSerializable};
    let header =
        || HeaderBuilder::new().algorithm(Algorithm::EdDSA).key_id(secret(1).public().id().0.to_vec());
    let read = |body: coset::Header, one: coset::Header| {
        let signature = CoseSignatureBuilder::new().protected(one).signature(vec![0; 64]).build();
        let sign = CoseSignBuilder::new().protected(body).payload(order().encode()).add_signature(signature);
        Envelope::read(&sign.build().to_tagged_vec().expect("written")).map(drop)
    };
    let plain = HeaderBuilder::new().build();
    let unknown = || header().add_critical(HeaderParameter::CounterSignature).build();
    let own = header()
        .add_critical_label(coset::RegisteredLabelWithPrivate::PrivateUse(-70_000))
        .value(-70_000, 1.into())
        .build();
    let text = HeaderBuilder::new()
        .add_critical_label(coset::RegisteredLabelWithPrivate::Text("hold".to_owned()))
        .text_value("hold".to_owned(), 1.into())
        .build();
    assert_eq!(text.rest[0].0, Label::Text("hold".to_owned()));
    for (body, one) in [
        (plain.clone(), unknown()),
        (unknown(), header().build()),
        (plain.clone(), own),
        (text, header().build()),
    ] {
        let refused = read(body, one);
        assert!(matches!(refused, Err(Malformed::Critical(_))), "{refused:?}");
    }
    let known = header().add_critical(HeaderParameter::Alg).add_critical(HeaderParameter::Kid).build();
    assert_eq!(read(plain, known), Ok(()));
}

#[test]
fn one_order_has_one_form() {
    let encoded = order().encode();
    assert_eq!(Order::decode(&encoded), Ok(order()));
    // A longer form of the same map: 0x8d members as 0xb8 0d.
    assert_eq!(encoded[0] >> 5, 5, "a map");
    let mut longer = vec![0xb8, encoded[0] & 0x1f];
    longer.extend(&encoded[1..]);
    assert_eq!(Order::decode(&longer), Err(Malformed::NotCanonical));
    let mut followed = encoded.clone();
    followed.push(0);
    assert!(matches!(Order::decode(&followed), Err(Malformed::Payload(_))));
    assert!(matches!(Envelope::read(&vec![0; 1 << 20]), Err(Malformed::Large(_))));
    // The envelope has one form as well: an array without a length, and a longer tag.
    let good = signed(order(), &[1, 4]).bytes();
    assert_eq!(good[..3], [0xd8, 0x62, 0x84]);
    let indefinite = [&[0xd8, 0x62, 0x9f], &good[3..], &[0xff]].concat();
    assert_eq!(Envelope::read(&indefinite), Err(Malformed::NotCanonical));
    let longer = [&[0xd9, 0, 0x62], &good[2..]].concat();
    assert_eq!(Envelope::read(&longer), Err(Malformed::NotCanonical));
    assert!(Envelope::read(&good[2..]).is_ok(), "the tag may be left out");
    let nested = vec![0x81; 60_000];
    assert!(Envelope::read(&nested).is_err() && Order::decode(&nested).is_err());
}

#[test]
fn plans_are_signed_like_orders_and_not_as_orders() {
    let file = b"[plan]\nid = \"a\"\n";
    let one = sign_plan(file, None, &secret(1)).expect("signed");
    let two = sign_plan(file, Some(&one), &secret(4)).expect("signed");
    let people = verify_plan(file, &two, &keyring()).expect("good signatures");
    assert_eq!(people.len(), 2);
    // A key for drills signs no plan.
    let drill = sign_plan(file, None, &secret(3)).expect("signed");
    assert_eq!(verify_plan(file, &drill, &keyring()), Ok(Vec::new()));
    assert!(verify_plan(b"[plan]\nid = \"b\"\n", &two, &keyring()).is_err());
    // The signature of an order is none of a plan, though the bytes are the same.
    let bytes = order().encode();
    let as_plan = sign_plan(&bytes, None, &secret(1)).expect("signed");
    let grafted = coset_with_payload(&as_plan, &bytes);
    let envelope = Envelope::read(&grafted).expect("well formed");
    assert!(envelope.signers(&keyring()).is_err());
}

/// A detached signature with its payload put in.
fn coset_with_payload(signature: &[u8], payload: &[u8]) -> Vec<u8> {
    use coset::TaggedCborSerializable;
    let mut sign = coset::CoseSign::from_tagged_slice(signature).expect("an envelope");
    sign.payload = Some(payload.to_vec());
    sign.to_tagged_vec().expect("written")
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = Envelope::read(&bytes);
        let _ = Order::decode(&bytes);
    }

    #[test]
    fn no_change_of_an_order_is_accepted(at in 0_usize..1000, bit in 0_u8..8) {
        let good = signed(order(), &[1, 4]);
        let mut bytes = good.bytes();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        if let Ok(envelope) = Envelope::read(&bytes) {
            let judged = here().judge(&envelope);
            // What is not covered by a signature may change; what it says may not.
            prop_assert!(judged.is_err() || envelope.order == good.order);
        }
    }
}

#[test]
fn each_site_of_a_centre_finds_what_is_for_it() {
    let named = |plan: &str| vec![PlanHash { plan: plan.to_owned(), hash: [9; 32] }];
    let target = |site: Option<&str>, plan: &str| Target {
        centre: id("xinghe"),
        site: site.map(id),
        plans: named(plan),
        snapshot: None,
    };
    let other = Target { centre: id("yueliang"), ..target(Some("east"), "other@1") };
    let order =
        Order { targets: vec![other, target(None, "all@1"), target(Some("east"), "east@1")], ..order() };
    let read = Order::decode(&order.encode()).expect("what is written can be read");
    assert_eq!(read, order);
    let plan_at = |order: &Order, sites: &[&str]| {
        let sites: Vec<Id> = sites.iter().map(|site| id(site)).collect();
        order.target_at(&id("xinghe"), &sites).map(|target| target.plans[0].plan.clone())
    };
    assert_eq!(plan_at(&order, &["east"]).as_deref(), Some("east@1"));
    assert_eq!(plan_at(&order, &["west", "east"]).as_deref(), Some("east@1"));
    assert_eq!(plan_at(&order, &["west"]).as_deref(), Some("all@1"));
    assert_eq!(plan_at(&order, &[]).as_deref(), Some("all@1"));
    let only = Order { targets: vec![target(Some("east"), "east@1")], ..order };
    assert_eq!(plan_at(&only, &["west"]), None);
}
