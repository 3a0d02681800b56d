//! Public keys that firmware images of nodes may be signed with: `image_keys` of `[nodes]`.

use linli_domain::audit::unhex;

/// An Ed25519 public key.
pub type PublicKey = [u8; 32];

/// The keys that images may be signed with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageKeys(pub Vec<PublicKey>);

/// Parses a public key of 64 hexadecimal digits.
pub fn parse_public_key(text: &str) -> Result<PublicKey, String> {
    let text = text.trim();
    let wrong = || format!("{text:?} is not a public key of 64 hexadecimal digits");
    unhex(text).and_then(|key| key.try_into().ok()).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_64_digits() {
        assert_eq!(parse_public_key(&"0a".repeat(32)), Ok([10; 32]));
        for wrong in ["", "0a", &"0g".repeat(32), &"é".repeat(32)] {
            assert!(parse_public_key(wrong).is_err(), "{wrong}");
        }
    }
}
