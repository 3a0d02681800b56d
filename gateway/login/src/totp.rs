//! One-time codes by time: RFC 6238 (TOTP) over RFC 4226 (HOTP), HMAC-SHA-1, six digits, 30 seconds, as every
//! authenticator application computes them.
//!
//! A code that was used is refused for ever. Which codes were used is remembered by their time step, so a clock that
//! is set back does not lock the person out: the codes of the hour that comes again are accepted, each unless it
//! was used.

use std::collections::BTreeSet;

use linli_domain::Timestamp;
use ring::hmac;
use serde::{Deserialize, Serialize};

/// Length of a secret in bytes: RFC 4226 section 4 recommends 160 bits.
pub const SECRET: usize = 20;

/// Milliseconds of a time step (RFC 6238 section 4.1).
const STEP_MS: i64 = 30_000;

/// Steps before and after the present one that are accepted: clocks and typing (RFC 6238 section 5.2).
const DRIFT: i64 = 1;

/// Used steps that are remembered one by one; whatever is not later than one that was dropped is refused.
const REMEMBERED: usize = 64;

/// The secret that a person's authenticator and the gateway share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totp {
    /// The secret in base 32, as authenticators take it.
    secret: String,
    /// Time steps whose code was used.
    #[serde(default)]
    used: BTreeSet<i64>,
    /// Codes up to this time step are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    floor: Option<i64>,
}

/// Why a code is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeRefused {
    /// It is not the code of now.
    Wrong,
    /// It was used before.
    Used,
}

// === impl Totp ===

impl Totp {
    /// A new secret from random bytes.
    #[must_use]
    pub fn new(entropy: [u8; SECRET]) -> Self {
        let secret = data_encoding::BASE32_NOPAD.encode(&entropy);
        Self { secret, used: BTreeSet::new(), floor: None }
    }

    /// The secret in base 32.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// The address that authenticators read from a QR code (Key URI Format).
    #[must_use]
    pub fn uri(&self, centre: &str, account: &str) -> String {
        format!(
            "otpauth://totp/linli%20{centre}:{account}?secret={}&issuer=linli%20{centre}&algorithm=SHA1&digits=6&period=30",
            self.secret
        )
    }

    /// Accepts a code and remembers it, or says why not.
    ///
    /// # Errors
    /// When it is not the code of now, or was used before.
    pub fn accept(&mut self, code: &str, now: Timestamp) -> Result<(), CodeRefused> {
        let present = now.0.div_euclid(STEP_MS);
        let mut refused = CodeRefused::Wrong;
        for step in present - DRIFT..=present + DRIFT {
            if code_of(&self.secret, step).as_deref() != Some(code) {
                continue;
            }
            let is_used = self.used.contains(&step) || self.floor.is_some_and(|floor| step <= floor);
            if is_used {
                refused = CodeRefused::Used;
                continue;
            }
            self.used.insert(step);
            if self.used.len() > REMEMBERED {
                self.floor = self.used.pop_first().max(self.floor);
            }
            return Ok(());
        }
        Err(refused)
    }
}

/// Returns the code of a secret in base 32 at a time; `None` when it is no such secret.
#[must_use]
pub fn code_at(secret: &str, now: Timestamp) -> Option<String> {
    code_of(secret.trim(), now.0.div_euclid(STEP_MS))
}

/// Returns the code of a time step (RFC 4226 section 5.3).
fn code_of(secret: &str, step: i64) -> Option<String> {
    let secret = data_encoding::BASE32_NOPAD.decode(secret.to_ascii_uppercase().as_bytes()).ok()?;
    let counter = u64::try_from(step).ok()?;
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &secret);
    let tag = hmac::sign(&key, &counter.to_be_bytes());
    let bytes = tag.as_ref();
    let offset = usize::from(bytes.last()? & 0x0f);
    let part: [u8; 4] = bytes.get(offset..offset + 4)?.try_into().ok()?;
    Some(format!("{:06}", (u32::from_be_bytes(part) & 0x7fff_ffff) % 1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238 appendix B, SHA-1, of its eight digits the last six: seconds and code.
    const VECTORS: [(i64, &str); 6] = [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ];

    fn at(seconds: i64) -> Timestamp {
        Timestamp(seconds * 1000)
    }

    fn of_the_rfc() -> Totp {
        Totp::new(*b"12345678901234567890")
    }

    fn code(totp: &Totp, seconds: i64) -> String {
        code_at(totp.secret(), at(seconds)).unwrap()
    }

    #[test]
    fn codes_are_those_of_the_rfc() {
        for (seconds, expected) in VECTORS {
            assert_eq!(code(&of_the_rfc(), seconds), expected, "{seconds}");
            assert_eq!(of_the_rfc().accept(expected, at(seconds)), Ok(()));
        }
    }

    #[test]
    fn a_code_is_accepted_once_and_within_one_step() {
        let mut totp = of_the_rfc();
        let now = 1_795_428_000;
        let present = code(&totp, now);
        assert_eq!(totp.accept(&present, at(now)), Ok(()));
        assert_eq!(totp.accept(&present, at(now)), Err(CodeRefused::Used));
        assert_eq!(totp.accept(&present, at(now + 29)), Err(CodeRefused::Used), "within the drift as well");
        for (far, expected) in [(-60, CodeRefused::Wrong), (60, CodeRefused::Wrong)] {
            let other = code(&totp, now + far);
            assert_eq!(totp.accept(&other, at(now)), Err(expected), "{far}");
        }
        let (before, after) = (code(&totp, now - 30), code(&totp, now + 30));
        assert_eq!(totp.accept(&after, at(now)), Ok(()));
        assert_eq!(totp.accept(&before, at(now)), Ok(()), "an unused one, although a later one was used");
        for rubbish in ["", "28708", "2870822", "０８１８０４", "abcdef", "-1"] {
            assert_eq!(totp.accept(rubbish, at(now)), Err(CodeRefused::Wrong), "{rubbish}");
        }
    }

    #[test]
    fn a_clock_that_is_set_back_an_hour_locks_nobody_out_and_replays_nothing() {
        let mut totp = of_the_rfc();
        let now = 1_795_428_000;
        let first = code(&totp, now - 3600);
        assert_eq!(totp.accept(&first, at(now - 3600)), Ok(()));
        let present = code(&totp, now);
        assert_eq!(totp.accept(&present, at(now)), Ok(()));
        assert_eq!(totp.accept(&first, at(now - 3600)), Err(CodeRefused::Used), "the hour comes again");
        let second = code(&totp, now - 3570);
        assert_eq!(totp.accept(&second, at(now - 3570)), Ok(()), "and its other codes are accepted");
        assert_eq!(totp.accept(&present, at(now)), Err(CodeRefused::Used));
    }

    #[test]
    fn what_is_no_longer_remembered_is_refused() {
        let mut totp = of_the_rfc();
        let began = 1_795_428_000;
        for step in 0..=i64::try_from(REMEMBERED).unwrap() {
            let seconds = began + step * 30;
            let present = code(&totp, seconds);
            assert_eq!(totp.accept(&present, at(seconds)), Ok(()), "{step}");
        }
        let (first, before) = (code(&totp, began), code(&totp, began - 30));
        assert_eq!(totp.accept(&first, at(began)), Err(CodeRefused::Used));
        assert_eq!(totp.accept(&before, at(began)), Err(CodeRefused::Used));
        let stored = serde_json::to_string(&totp).unwrap();
        assert_eq!(serde_json::from_str::<Totp>(&stored).unwrap(), totp);
    }
}
