//! Keys of those who sign orders.

use linli_mode::order::{PublicKey, SecretKey};

#[test]
fn keys_are_read_as_they_are_written() {
    let secret = SecretKey::from_seed([7; 32]);
    let public = secret.public();
    assert_eq!(PublicKey::parse(&public.to_string()), Ok(public.clone()));
    assert_eq!(SecretKey::parse(&secret.reveal()).map(|key| key.public()), Ok(public));
    assert!(!format!("{secret:?}").contains("0707"), "a secret is not shown");
}

#[test]
fn weak_and_wrong_keys_are_refused() {
    // The neutral element and a point of order 8.
    let neutral = format!("ed25519:01{}", "00".repeat(31));
    let small = "ed25519:c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a";
    for weak in [neutral.as_str(), small] {
        assert!(PublicKey::parse(weak).is_err_and(|told| told.contains("weak")), "{weak}");
    }
    for wrong in ["", "ed25519:", "ed25519:zz", "rsa:00"] {
        assert!(PublicKey::parse(wrong).is_err(), "{wrong}");
    }
}
