//! One order for a whole district: a thousand centres with plans each.

use std::time::Duration;

use linli_domain::{Id, Timestamp};
use linli_mode::Class;
use linli_mode::order::{
    Authority, Envelope, Judgement, Key, Keyring, Kind, KnownTime, Order, OrderError, PlanHash, Policy,
    ReplayGuard, SecretKey, Situation, Target, judge, sign, text,
};

const NOW: Timestamp = Timestamp(1_795_428_000_000);

fn id(text: &str) -> Id {
    Id::new(text).expect("an id")
}

fn secret(number: u8) -> SecretKey {
    SecretKey::from_seed([number; 32])
}

/// An order to so many centres, each with a plan of its own; one of them is `xinghe`.
fn order(count: u16) -> Order {
    let target = |number: u16| {
        let mut hash = [9; 32];
        hash[..2].copy_from_slice(&number.to_be_bytes());
        let plan = PlanHash { plan: "reading-room.sampling@3".to_owned(), hash };
        let centre = if number == 700 { "xinghe".to_owned() } else { format!("centre-{number:04}") };
        Target { centre: id(&centre), site: None, plans: vec![plan], snapshot: None }
    };
    Order {
        id: "2026-117".to_owned(),
        seq: 5,
        kind: Kind::Enter,
        class: Class::Actual,
        authority: Authority::District,
        targets: (0..count).map(target).collect(),
        mode: "epidemic.sampling".to_owned(),
        not_before: Timestamp(NOW.0 - 60_000),
        expires: Timestamp(NOW.0 + 3_600_000),
        sent: Timestamp(NOW.0 - 60_000),
        reference: None,
        supersedes: Vec::new(),
        cap: None,
    }
}

fn judged(envelope: &Envelope, guard: &ReplayGuard) -> Result<Judgement, OrderError> {
    let key = |person: &str, role: &str, number: u8| Key {
        person: id(person),
        roles: vec![role.to_owned()],
        class: Class::Actual,
        public: secret(number).public(),
        from: None,
        until: None,
        revoked: None,
    };
    let keyring = Keyring { keys: vec![key("wang", "commander", 1), key("li", "duty_officer", 4)] };
    let roles = ["commander", "duty_officer"].map(str::to_owned);
    let policy = Policy { quorum: 2, district: roles.clone().into(), local: roles.into() };
    judge(
        envelope,
        &Situation {
            centre: &id("xinghe"),
            keyring: &keyring,
            policy: &policy,
            replay_guard: guard,
            time: KnownTime::trusted(NOW),
            waited: Duration::ZERO,
            confirmed: None,
        },
    )
}

#[test]
fn a_thousand_centres_find_their_plans_by_the_same_signatures() {
    let envelope =
        [1, 4].iter().fold(Envelope::of(order(1000)), |envelope, key| sign(&envelope, &secret(*key)));
    let bytes = envelope.bytes();
    assert!((64 << 10..256 << 10).contains(&bytes.len()), "{} bytes", bytes.len());
    // By bytes and as text, as it travels.
    let read = Envelope::read(&text::read(&text::write(&bytes)).expect("its text")).expect("it is read");
    let own = read.order.target_at(&id("xinghe"), &[]).expect("it is named");
    assert_eq!(own.plans[0].hash[..2], 700_u16.to_be_bytes());
    let accepted = match judged(&read, &ReplayGuard::default()) {
        Ok(Judgement::Accepted(accepted)) => accepted,
        other => panic!("{other:?}"),
    };
    assert_eq!(accepted.signers.len(), 2);
    assert_eq!(judged(&read, &accepted.replay_guard), Ok(Judgement::Repeated));
}

#[test]
fn a_bit_of_another_centres_plan_voids_the_signatures() {
    let envelope =
        [1, 4].iter().fold(Envelope::of(order(1000)), |envelope, key| sign(&envelope, &secret(*key)));
    let mut bytes = envelope.bytes();
    let own = [&[9_u8; 30][..]].concat();
    let at = bytes.windows(30).position(|window| window == own).expect("a hash");
    bytes[at] ^= 1;
    let forged = Envelope::read(&bytes).expect("its form is right");
    assert!(matches!(judged(&forged, &ReplayGuard::default()), Err(OrderError::Signature(_))));
}

#[test]
fn ten_thousand_are_too_many_and_it_says_how_long_an_order_may_be() {
    let told = Envelope::read(&Envelope::of(order(10_000)).bytes()).expect_err("too long");
    assert!(told.to_string().contains("262144 at most"), "{told}");
}
