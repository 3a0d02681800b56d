//! Codes and tokens that are shown once and stored hashed: enrolment, screens, break glass, sessions.
//!
//! They are random, so a fast hash protects them: there is nothing to guess.

use data_encoding::{BASE64URL_NOPAD, Encoding, Specification};
use linli_domain::Timestamp;
use linli_domain::audit::hex;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

/// Random bytes of a code that people type: 80 bits.
pub const CODE: usize = 10;

/// Random bytes of a token that programs send: 256 bits.
pub const TOKEN: usize = 32;

/// Characters of a code between two hyphens.
const GROUP: usize = 4;

/// Base 32 of Crockford: without letters that look like digits.
const ALPHABET: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A code that was given out: its hash, and until when it may be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// SHA-256 in hexadecimal digits.
    hash: String,
    /// When it was given out.
    since: Timestamp,
    /// When it ends.
    until: Timestamp,
}

// === impl Issued ===

impl Issued {
    /// A code from random bytes that is valid for a time; the text is shown once.
    #[must_use]
    pub fn new(entropy: [u8; CODE], now: Timestamp, valid_ms: i64) -> (Self, String) {
        let code = code(&entropy);
        let until = Timestamp(now.0.saturating_add(valid_ms));
        (Self { hash: hash(&normal(&code)), since: now, until }, code)
    }

    /// Whether this is the code, and it is valid now. A clock that was set back before the code was given out
    /// does not make it longer valid.
    #[must_use]
    pub fn is(&self, code: &str, now: Timestamp) -> bool {
        let hour_before = self.since.0.saturating_sub(3_600_000);
        self.hash == hash(&normal(code)) && now < self.until && now.0 >= hour_before
    }

    /// When it ends.
    #[must_use]
    pub const fn until(&self) -> Timestamp {
        self.until
    }
}

/// Returns the text of a code: `K7QF-9M2X-0V3B-6TRD`.
#[must_use]
pub fn code(entropy: &[u8; CODE]) -> String {
    let text = crockford().encode(entropy);
    let groups: Vec<&str> =
        text.as_bytes().chunks(GROUP).filter_map(|part| std::str::from_utf8(part).ok()).collect();
    groups.join("-")
}

/// Returns a code as it is compared: without hyphens and blanks, in capitals, with letters that were misread.
#[must_use]
pub fn normal(code: &str) -> String {
    let kept = code.chars().filter(|c| !c.is_whitespace() && *c != '-');
    kept.map(|c| match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    })
    .collect()
}

/// Returns the text of a token.
#[must_use]
pub fn token(entropy: &[u8; TOKEN]) -> String {
    BASE64URL_NOPAD.encode(entropy)
}

/// Returns the stored form of a code or token: SHA-256 in hexadecimal digits.
#[must_use]
pub fn hash(text: &str) -> String {
    hex(digest(&SHA256, text.as_bytes()).as_ref())
}

fn crockford() -> Encoding {
    let mut specification = Specification::new();
    specification.symbols.push_str(ALPHABET);
    specification.encoding().expect("32 different symbols are an encoding")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_428_000_000);
    const DAY: i64 = 86_400_000;

    fn after(ms: i64) -> Timestamp {
        Timestamp(NOW.0 + ms)
    }

    #[test]
    fn a_code_is_typed_as_people_type() {
        let (issued, code) = Issued::new([0x5a, 0, 0xff, 1, 2, 3, 4, 5, 6, 7], NOW, DAY);
        assert_eq!(code.len(), 19, "{code}");
        assert!(issued.is(&code, NOW));
        assert!(issued.is(&code.to_lowercase().replace('-', " "), NOW));
        assert!(issued.is(&code.replace('0', "o").replace('1', "l"), NOW));
        let mut other: Vec<char> = code.chars().collect();
        other[0] = if other[0] == 'Z' { 'Y' } else { 'Z' };
        assert!(!issued.is(&other.into_iter().collect::<String>(), NOW));
        assert!(!issued.is("", NOW));
        assert!(!serde_json::to_string(&issued).unwrap().contains(&normal(&code)), "only its hash is stored");
    }

    #[test]
    fn a_code_ends() {
        let (issued, code) = Issued::new([9; CODE], NOW, DAY);
        assert!(issued.is(&code, after(DAY - 1)));
        assert!(!issued.is(&code, after(DAY)));
        assert!(issued.is(&code, after(-1000)), "clocks are corrected a little");
        assert!(!issued.is(&code, after(-DAY)), "a clock that was set back lengthens nothing");
    }

    #[test]
    fn tokens_have_256_bits() {
        assert_eq!(token(&[0xff; TOKEN]).len(), 43);
        assert_ne!(hash("a"), hash("b"));
        assert_eq!(
            hash("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "FIPS 180-4"
        );
    }
}
