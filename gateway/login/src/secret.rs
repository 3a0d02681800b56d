//! Passwords and PINs: what is accepted, and how they are stored (Argon2id, RFC 9106).
//!
//! Computing a hash takes 19 MiB and tens of milliseconds: never do it on a thread of the runtime.

use data_encoding::BASE64_NOPAD;

use linli_domain::role::Factor;

use crate::argon2id::{COST, Cost, LENGTH, derive};

/// Length of a salt in bytes (RFC 9106 section 3.1).
pub const SALT: usize = 16;

/// Shortest and longest password, in characters. The longest bounds the work of hashing.
const PASSWORD: (usize, usize) = (12, 128);

/// Shortest and longest PIN.
const PIN: (usize, usize) = (6, 12);

/// Why a new secret is not taken, for a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Weak {
    /// Its length.
    #[error("口令须为 {0} 至 {1} 个字符 a password has {0} to {1} characters")]
    PasswordLength(usize, usize),
    /// It contains the account's id.
    #[error("口令不得包含账号名 a password must not contain the account's name")]
    NamesAccount,
    /// One character again and again.
    #[error("口令过于简单 a password of one or two different characters is guessed at once")]
    Repeats,
    /// Not digits, or too few or too many of them.
    #[error("PIN 须为 {0} 至 {1} 位数字 a PIN has {0} to {1} digits")]
    Pin(usize, usize),
    /// A PIN that is tried first.
    #[error(
        "PIN 过于简单（同一数字或连续数字） a PIN of one digit, or of digits in order, is guessed at once"
    )]
    SimplePin,
}

/// Whether a new secret may be used.
///
/// # Errors
/// Says what is wrong with it; the secret is not quoted.
pub fn check(secret: &str, factor: Factor, account: &str) -> Result<(), Weak> {
    match factor {
        Factor::PasswordAndCode => password(secret, account),
        Factor::BadgeAndPin => pin(secret),
    }
}

fn password(secret: &str, account: &str) -> Result<(), Weak> {
    let characters = secret.chars().count();
    if !(PASSWORD.0..=PASSWORD.1).contains(&characters) || secret.contains('\0') {
        return Err(Weak::PasswordLength(PASSWORD.0, PASSWORD.1));
    }
    let different: std::collections::BTreeSet<char> = secret.chars().collect();
    if different.len() < 3 {
        return Err(Weak::Repeats);
    }
    match account.len() >= 3 && secret.to_lowercase().contains(&account.to_lowercase()) {
        true => Err(Weak::NamesAccount),
        false => Ok(()),
    }
}

fn pin(secret: &str) -> Result<(), Weak> {
    let is_digits = secret.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits || !(PIN.0..=PIN.1).contains(&secret.len()) {
        return Err(Weak::Pin(PIN.0, PIN.1));
    }
    let bytes = secret.as_bytes();
    let steps: std::collections::BTreeSet<i16> =
        bytes.windows(2).map(|pair| i16::from(pair[1]) - i16::from(pair[0])).collect();
    match steps.len() == 1 && steps.iter().all(|step| step.abs() <= 1) {
        true => Err(Weak::SimplePin),
        false => Ok(()),
    }
}

/// Returns the stored form of a secret: a PHC string. Slow.
///
/// # Errors
/// When the parameters are not valid, or memory is lacking.
pub fn hash(secret: &str, salt: [u8; SALT]) -> Result<String, argon2::Error> {
    let hash = derive(secret.as_bytes(), &salt, COST)?;
    let (memory, passes, lanes) = COST;
    let (salt, hash) = (BASE64_NOPAD.encode(&salt), BASE64_NOPAD.encode(&hash));
    Ok(format!("$argon2id$v=19$m={memory},t={passes},p={lanes}${salt}${hash}"))
}

/// Whether a secret is the stored one. Slow, also when the stored form is none.
#[must_use]
pub fn verify(secret: &str, stored: Option<&str>) -> bool {
    let Some((salt, cost, expected)) = stored.and_then(read) else {
        // An account that does not exist takes as long as one that does.
        let _computed = std::hint::black_box(derive(secret.as_bytes(), &[0; SALT], COST));
        return false;
    };
    // Longer ones were never accepted.
    secret.len() <= PASSWORD.1 * 4
        && derive(secret.as_bytes(), &salt, cost).is_ok_and(|hash| is_same(&hash, &expected))
}

/// Compares in a time that does not depend on where the bytes differ.
fn is_same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

type Read = (Vec<u8>, Cost, Vec<u8>);

fn read(stored: &str) -> Option<Read> {
    let mut parts = stored.strip_prefix("$argon2id$v=19$")?.split('$');
    let mut cost = parts.next()?.split(',');
    let mut number = |name: &str| cost.next()?.strip_prefix(name)?.parse().ok();
    let cost = (number("m=")?, number("t=")?, number("p=")?);
    let salt = BASE64_NOPAD.decode(parts.next()?.as_bytes()).ok()?;
    let hash = BASE64_NOPAD.decode(parts.next()?.as_bytes()).ok()?;
    (hash.len() == LENGTH && parts.next().is_none()).then_some((salt, cost, hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_secret_is_accepted() {
        let stored = hash("平急两用 correct horse", [7; SALT]).unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(verify("平急两用 correct horse", Some(&stored)));
        for other in ["", "平急两用 correct horsf", "平急两用 correct horse ", &"x".repeat(1 << 20)] {
            assert!(!verify(other, Some(&stored)));
        }
        assert!(!verify("平急两用 correct horse", None));
        for broken in ["", "plain", "$argon2id$v=19$m=8,t=1$x$y", &stored[..stored.len() - 1], "$2y$10$abc"] {
            assert!(!verify("平急两用 correct horse", Some(broken)), "{broken}");
        }
        let other = hash("平急两用 correct horse", [8; SALT]).unwrap();
        assert_ne!(stored, other, "the salt differs");
    }

    /// The test vector was computed by the reference implementation (`argon2-cffi` 25.1, libargon2).
    #[test]
    fn what_the_reference_implementation_stored_is_read() {
        let stored = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$iPOQ5f2O21FsjnBvo1AiFcDuSXciCnKUrXFO+yfgNoM";
        assert!(verify("correct horse battery", Some(stored)));
        assert!(!verify("correct horse batterz", Some(stored)));
    }

    #[test]
    fn weak_secrets_are_not_taken() {
        let password = |secret: &str| check(secret, Factor::PasswordAndCode, "zhao");
        assert_eq!(password("correct horse"), Ok(()));
        assert_eq!(password("十二个汉字的口令也是可以的"), Ok(()));
        assert_eq!(password("elevenchars"), Err(Weak::PasswordLength(12, 128)));
        assert_eq!(password(&"ab".repeat(65)), Err(Weak::PasswordLength(12, 128)));
        assert_eq!(password("aaaaaaaaaaaaaa"), Err(Weak::Repeats));
        assert_eq!(password("ababababababab"), Err(Weak::Repeats));
        assert_eq!(password("i am ZHAO and here"), Err(Weak::NamesAccount));
        assert_eq!(password("correct\0horse battery"), Err(Weak::PasswordLength(12, 128)));
        let pin = |secret: &str| check(secret, Factor::BadgeAndPin, "mei");
        assert_eq!(pin("493027"), Ok(()));
        for wrong in ["", "49302", "4930271234567", "49302a", "４９３０２７"] {
            assert_eq!(pin(wrong), Err(Weak::Pin(6, 12)), "{wrong}");
        }
        for simple in ["000000", "123456", "987654", "3456789"] {
            assert_eq!(pin(simple), Err(Weak::SimplePin), "{simple}");
        }
    }
}
