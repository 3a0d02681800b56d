//! Orders that must not count, each with its reason; and the one that does.

use std::collections::BTreeMap;

use linli_domain::{Id, Timestamp};
use linli_mode::Class;
use linli_mode::order::{
    Authority, Clock, Envelope, Judgement, Key, Keyring, Kind, Malformed, Order, OrderError, PlanHash,
    Policy, ReplayGuard, SecretKey, Target, judge, sign, sign_plan, verify_plan,
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

fn judged(envelope: &Envelope, replay_guard: &ReplayGuard) -> Result<Judgement, OrderError> {
    // As it arrives: as bytes.
    let envelope = Envelope::read(&envelope.bytes()).expect("what was written is read");
    judge(&envelope, &id("xinghe"), &keyring(), &policy(), replay_guard, NOW, Clock::Synchronised)
}

fn fresh(order: Order, keys: &[u8]) -> Result<Judgement, OrderError> {
    judged(&signed(order, keys), &ReplayGuard::default())
}

#[test]
fn two_people_order() {
    let Ok(Judgement::Accepted(accepted)) = fresh(order(), &[1, 4]) else { panic!("not accepted") };
    let people: Vec<&str> = accepted.signers.iter().map(|signer| signer.person.as_str()).collect();
    assert_eq!(people, ["wang", "li"]);
    assert_eq!(accepted.replay_guard.last, BTreeMap::from([(Authority::District, 5)]));
}

#[test]
fn too_few_or_the_wrong_people_do_not() {
    for keys in [&[][..], &[1], &[1, 2], &[1, 8], &[6, 7], &[1, 6]] {
        assert!(matches!(fresh(order(), keys), Err(OrderError::Quorum { needed: 2, .. })), "{keys:?}");
    }
    // One person takes back what two ordered.
    let cancel = Order { kind: Kind::Cancel, ..order() };
    assert!(matches!(fresh(cancel, &[4]), Ok(Judgement::Accepted(_))));
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
            let judged = judge(
                &envelope,
                &id("xinghe"),
                &keyring(),
                &policy(),
                &ReplayGuard::default(),
                NOW,
                Clock::Synchronised,
            );
            assert!(judged.is_err(), "byte {byte} was changed and it counts");
        }
    }
    let unknown = signed(order(), &[1, 99]);
    assert!(matches!(judged(&unknown, &ReplayGuard::default()), Err(OrderError::Quorum { signed: 1, .. })));
}

#[test]
fn keys_count_from_when_to_when() {
    let mut ring = keyring();
    ring.keys[0].until = Some(Timestamp(NOW.0 - HOUR));
    let envelope = signed(order(), &[1, 4]);
    let judge = |ring: &Keyring| {
        judge(&envelope, &id("xinghe"), ring, &policy(), &ReplayGuard::default(), NOW, Clock::Synchronised)
    };
    assert!(matches!(judge(&ring), Err(OrderError::Signature(told)) if told.contains("not valid")));
    ring.keys[0].until = None;
    ring.keys[0].from = Some(NOW);
    assert!(judge(&ring).is_err());
    ring.keys[0].from = Some(Timestamp(NOW.0 - HOUR));
    assert!(judge(&ring).is_ok());
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
    // People on the spot count for themselves.
    let local =
        Order { authority: Authority::Local, seq: 1, expires: Timestamp(NOW.0 + HOUR / 2), ..order() };
    assert!(matches!(judged(&signed(local, &[6, 7]), &replay_guard), Ok(Judgement::Accepted(_))));
}

#[test]
fn people_on_the_spot_order_for_an_hour() {
    let local = Order { authority: Authority::Local, expires: Timestamp(NOW.0 + 3 * HOUR), ..order() };
    assert!(matches!(fresh(local.clone(), &[6, 7]), Err(OrderError::LocalTooLong)));
    let short = Order { expires: Timestamp(NOW.0 + HOUR / 2), ..local };
    assert!(fresh(short.clone(), &[6, 7]).is_ok());
    assert!(matches!(fresh(short, &[1, 4]), Err(OrderError::Quorum { .. })), "the district signs as itself");
}

#[test]
fn without_a_clock_a_person_compares_a_code() {
    let envelope = signed(order(), &[1, 4]);
    let at = |now, clock| {
        judge(&envelope, &id("xinghe"), &keyring(), &policy(), &ReplayGuard::default(), now, clock)
    };
    let Err(OrderError::Quarantined { code }) = at(Timestamp(0), Clock::Free) else {
        panic!("not quarantined")
    };
    assert_eq!(code.len(), 8);
    assert!(at(Timestamp(0), Clock::Confirmed(&code)).is_ok());
    assert!(matches!(at(Timestamp(0), Clock::Confirmed("00000000")), Err(OrderError::Quarantined { .. })));
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
            let judged = judge(
                &envelope, &id("xinghe"), &keyring(), &policy(), &ReplayGuard::default(), NOW, Clock::Synchronised,
            );
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
