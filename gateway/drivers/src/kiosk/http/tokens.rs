//! The tokens that kiosks prove by who they are. Only their hashes are kept: who reads the configuration learns no
//! token. While one is replaced, the earlier one is taken for a stated time, so that no kiosk falls silent.

use linli_domain::Timestamp;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};

/// Shortest token, in characters; shorter ones can be guessed.
const SHORTEST: usize = 24;

/// Random bytes of a new token.
const RANDOM: usize = 32;

/// What a hashed token begins with in its file.
const HASHED: &str = "sha256:";

/// A token that is taken, as its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Accepted {
    hash: Vec<u8>,
    /// Not taken from then on.
    until: Option<Timestamp>,
}

/// The tokens of one kiosk.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tokens(Vec<Accepted>);

/// Which token was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// The present one.
    Present,
    /// The earlier one, which is taken until then.
    Earlier(Timestamp),
}

// === impl Tokens ===

impl Tokens {
    /// Reads the content of a token file: hashes as `linli kiosks token` writes them, or the token itself.
    ///
    /// # Errors
    /// A sentence when a line is neither, or the token is short.
    pub fn parse(text: &str) -> Result<Self, String> {
        let is_hashed = text.lines().any(|line| line.trim_start().starts_with(HASHED));
        if !is_hashed {
            let token = text.trim();
            if token.chars().count() < SHORTEST {
                return Err(format!(
                    "a token has at least {SHORTEST} characters; `linli kiosks token` makes one"
                ));
            }
            return Ok(Self(vec![Accepted { hash: hash(token), until: None }]));
        }
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let accepted: Result<Vec<Accepted>, String> = lines.map(accepted).collect();
        let accepted = accepted?;
        if accepted.iter().all(|one| one.until.is_some()) {
            return Err("every token in it ends; `linli kiosks token` makes a new one".to_owned());
        }
        Ok(Self(accepted))
    }

    /// Adds a new token; those of before are taken until then, not longer than they were. Returns the token, which
    /// is kept nowhere, and `None` when the system gives no random numbers.
    #[must_use]
    pub fn rotate(&mut self, until: Timestamp) -> Option<String> {
        let mut bytes = [0; RANDOM];
        SystemRandom::new().fill(&mut bytes).ok()?;
        let token = data_encoding::BASE64URL_NOPAD.encode(&bytes);
        for earlier in &mut self.0 {
            earlier.until = Some(earlier.until.map_or(until, |end| Timestamp(end.0.min(until.0))));
        }
        self.0.insert(0, Accepted { hash: hash(&token), until: None });
        Some(token)
    }

    /// Leaves out the tokens that have ended by then.
    pub fn drop_ended(&mut self, now: Timestamp) {
        self.0.retain(|one| one.until.is_none_or(|until| now < until));
    }

    /// The content of a token file.
    #[must_use]
    pub fn to_text(&self) -> String {
        let line = |one: &Accepted| {
            let until = one.until.map(|until| format!(" until {}", until.to_rfc3339())).unwrap_or_default();
            format!("{HASHED}{}{until}\n", data_encoding::HEXLOWER.encode(&one.hash))
        };
        let lines: String = self.0.iter().map(line).collect();
        format!("# Hashes of the tokens of a kiosk, by `linli kiosks token`.\n{lines}")
    }

    /// Whether a token is one of these and has not ended.
    pub(super) fn find(&self, token: &str, now: Timestamp) -> Option<Shown> {
        // Hashes are compared, so the time of the comparison reveals nothing about the token.
        let hash = hash(token);
        let found =
            self.0.iter().find(|one| one.hash == hash && one.until.is_none_or(|until| now < until))?;
        Some(found.until.map_or(Shown::Present, Shown::Earlier))
    }

    /// The hash of the present token, as text.
    pub(super) fn present(&self) -> String {
        let present = self.0.iter().find(|one| one.until.is_none());
        present.map(|one| data_encoding::HEXLOWER.encode(&one.hash)).unwrap_or_default()
    }

    /// Whether one token belongs to both.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.0.iter().any(|one| other.0.iter().any(|two| one.hash == two.hash))
    }
}

fn hash(token: &str) -> Vec<u8> {
    digest(&SHA256, token.as_bytes()).as_ref().to_vec()
}

fn accepted(line: &str) -> Result<Accepted, String> {
    let wrong = || {
        "a line is not \"sha256:\" with 64 hexadecimal digits; `linli kiosks token` makes a new one"
            .to_owned()
    };
    let (digits, until) = match line.split_once(" until ") {
        Some((digits, until)) => (digits, Some(Timestamp::from_rfc3339(until.trim()).ok_or_else(wrong)?)),
        None => (line, None),
    };
    let digits = digits.trim().strip_prefix(HASHED).ok_or_else(wrong)?;
    let hash = data_encoding::HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).map_err(|_| wrong())?;
    if hash.len() == 32 { Ok(Accepted { hash, until }) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "a-token-of-more-than-24-characters";

    #[test]
    fn the_file_holds_no_token_and_the_earlier_one_ends_when_it_says() {
        let (now, end) = (Timestamp(1_000), Timestamp(5_000));
        let mut tokens = Tokens::parse(PLAIN).unwrap();
        let fresh = tokens.rotate(end).unwrap();
        let text = tokens.to_text();
        assert!(!text.contains(PLAIN) && !text.contains(&fresh), "{text}");
        let read = Tokens::parse(&text).unwrap();
        assert_eq!(read, tokens);
        assert_eq!(read.find(&fresh, now), Some(Shown::Present));
        assert_eq!(read.find(PLAIN, now), Some(Shown::Earlier(end)));
        assert_eq!(read.find(PLAIN, end), None);
        assert_eq!(read.find("another-token-of-24-characters", now), None);
        assert_eq!(read.find("", now), None);
        // A second change lengthens no earlier one.
        let mut twice = read.clone();
        let newest = twice.rotate(Timestamp(9_000)).unwrap();
        assert_eq!(twice.find(PLAIN, Timestamp(5_000)), None);
        assert_eq!(twice.find(&fresh, Timestamp(8_999)), Some(Shown::Earlier(Timestamp(9_000))));
        twice.drop_ended(Timestamp(9_000));
        assert_eq!(twice.find(&newest, Timestamp(10_000)), Some(Shown::Present));
        assert_eq!(twice.to_text().matches(HASHED).count(), 1);
        assert!(twice.overlaps(&twice) && !twice.overlaps(&Tokens::parse(PLAIN).unwrap()));
        assert!(fresh.len() >= SHORTEST && fresh != newest);
    }

    #[test]
    fn what_is_neither_token_nor_hash_is_refused() {
        let short = format!("sha256:{}", "0".repeat(63));
        let ended = format!("sha256:{} until 2026-01-01T00:00:00Z", "0".repeat(64));
        let date = format!("sha256:{} until tomorrow", "0".repeat(64));
        let mixed = format!("sha256:{}\n{PLAIN}", "0".repeat(64));
        for text in ["", "short", &short, &ended, &date, &mixed] {
            assert!(Tokens::parse(text).is_err(), "{text:?}");
        }
        let good = format!(
            "# two\n\nsha256:{}\nsha256:{} until 2026-01-01T00:00:00Z\n",
            "0".repeat(64),
            "f".repeat(64)
        );
        assert_eq!(Tokens::parse(&good).unwrap().0.len(), 2);
    }
}
