//! Keys at the limits of their validity, and signatures that do not count.

use linli_domain::Timestamp;
use linli_mode::Class;
use linli_mode::order::{ClockDoubt, Key, Keyring, KnownTime, SecretKey};

use super::building::id;

fn key(from: Option<i64>, until: Option<i64>) -> Key {
    Key {
        person: id("wang"),
        roles: vec!["commander".to_owned()],
        class: Class::Actual,
        public: SecretKey::from_seed([1; 32]).public(),
        from: from.map(Timestamp),
        until: until.map(Timestamp),
        revoked: None,
    }
}

#[test]
fn a_key_is_valid_from_its_first_to_before_its_last_moment() {
    for (from, until, at, is_valid) in [
        (None, None, 0, true),
        (Some(10), None, 9, false),
        (Some(10), None, 10, true),
        (None, Some(20), 19, true),
        (None, Some(20), 20, false),
        (Some(10), Some(20), 15, true),
    ] {
        assert_eq!(key(from, until).is_valid_at(Timestamp(at)), is_valid, "{from:?} {until:?} {at}");
    }
}

#[test]
fn a_key_counts_as_far_as_the_time_is_known() {
    let counts = |key: &Key, at, is_doubted: bool| {
        let doubt = is_doubted.then_some(ClockDoubt::NotSynchronised);
        key.counts(&KnownTime { at: Timestamp(at), doubt })
    };
    let dated = key(Some(10), Some(20));
    for (at, is_doubted, is_counted) in
        [(9, false, false), (9, true, true), (15, true, true), (20, false, false), (20, true, false)]
    {
        assert_eq!(counts(&dated, at, is_doubted), is_counted, "{at} {is_doubted}");
    }
    let revoked = Key { revoked: Some(Timestamp(15)), ..dated };
    for (at, is_doubted, is_counted) in [(14, false, true), (14, true, false), (15, false, false)] {
        assert_eq!(counts(&revoked, at, is_doubted), is_counted, "revoked, {at} {is_doubted}");
    }
}

#[test]
fn a_key_is_found_by_its_id_alone() {
    let ring = Keyring { keys: vec![key(None, None)] };
    let own = ring.keys[0].public.id().0;
    assert!(ring.key(&own).is_some());
    let other = SecretKey::from_seed([2; 32]).public().id().0;
    assert!(ring.key(&other).is_none() && ring.key(&own[..7]).is_none() && ring.key(&[]).is_none());
}

#[test]
fn a_signature_holds_for_its_message_alone() {
    use linli_mode::order::{sign_plan, verify_plan};
    let ring = Keyring { keys: vec![key(None, None)] };
    let signature = sign_plan(b"a", None, &SecretKey::from_seed([1; 32])).unwrap();
    assert_eq!(verify_plan(b"a", &signature, &ring).unwrap().len(), 1);
    assert!(verify_plan(b"b", &signature, &ring).is_err());
}
