//! Keys at the limits of their validity, and signatures that do not count.

use linli_domain::Timestamp;
use linli_mode::Class;
use linli_mode::order::{Key, Keyring, SecretKey};

use super::building::id;

fn key(from: Option<i64>, until: Option<i64>) -> Key {
    Key {
        person: id("wang"),
        roles: vec!["commander".to_owned()],
        class: Class::Actual,
        public: SecretKey::from_seed([1; 32]).public(),
        from: from.map(Timestamp),
        until: until.map(Timestamp),
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
