//! The file of an outreach: a header in the clear, then lines of sealed JSON.
//!
//! The key comes from a secret that people share (Argon2id, RFC 9106, with the salt of the header), each line is sealed with
//! AES-256-GCM under a nonce of its own. Header and number of the line are authenticated with it, so a line that was
//! changed, left out, repeated or taken from another file does not open; the last line says how many there are.

use data_encoding::BASE64;
use linli_config::settings::key::Key;
use linli_domain::Timestamp;
use linli_domain::audit::{hex, unhex};
use linli_login::argon2id::{self, Cost};
use linli_services::random::random;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::Item;
use crate::identity::{open_with, seal_with};

/// Word that begins every header.
const FORMAT: &str = "linli-outreach";

/// Version of the format that is written and read.
const VERSION: u16 = 1;

/// Bytes of the salt.
const SALT: usize = 16;

/// Memory in KiB, passes and lanes of Argon2id: OWASP's first choice of 2025, as for passwords.
const COST: Cost = (19_456, 2, 1);

/// Shortest secret in characters, and the longest.
const SECRET: (usize, usize) = (12, 256);

/// Longest line that is opened, in bytes: the largest document in Base64 twice, and some room.
const LONGEST_LINE: usize = 3 << 19;

/// The first line of a file, in the clear. It names nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// `linli-outreach`.
    format: String,
    /// Version of the format.
    version: u16,
    /// Id of the centre in the configuration of the box.
    pub from: String,
    /// When the file was begun, Unix milliseconds UTC by the clock of the box.
    pub made: Timestamp,
    /// How far the clock of the box was ahead of a right one, in milliseconds, as a person found; negative if it was behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_ahead_ms: Option<i64>,
    /// Salt of the key, hexadecimal.
    salt: String,
}

/// Why a file cannot be read. Nothing was taken from the line that it is about, nor from those after it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// The secret cannot be one.
    #[error(
        "the secret must be {} to {} characters (口令须为 {} 到 {} 个字符)",
        SECRET.0, SECRET.1, SECRET.0, SECRET.1
    )]
    Secret,
    /// The first line is no header.
    #[error("line 1 is no header of an outreach file ({0}) (第 1 行不是巡诊文件头)")]
    NoHeader(String),
    /// It was written by a later version.
    #[error("the file has format {0}, this gateway reads format {VERSION}: update it first (请先升级网关)")]
    Later(u16),
    /// A line does not open.
    #[error(
        "line {0} does not open: the secret is another one, or the file was changed or its lines are not in their order; \
         copy it again from the box (第 {0} 行无法打开：口令不对，或文件已损坏，请从设备重新拷贝)"
    )]
    Sealed(u64),
    /// A line holds what this version does not know.
    #[error("line {0} cannot be read: {1} (第 {0} 行无法读取)")]
    Unreadable(u64, String),
    /// The last line says another number.
    #[error("line {0} ends the file, but {1} lines belong before it: lines are missing (文件不完整)")]
    Incomplete(u64, u64),
}

/// A file that is written or read: its header and its key.
pub struct OutreachFile {
    /// The header.
    pub header: Header,
    line: String,
    key: Key,
}

// === impl OutreachFile ===

impl OutreachFile {
    /// Begins a file.
    ///
    /// # Errors
    /// [`FileError::Secret`]; [`FileError::NoHeader`] when the machine gives no random bytes.
    pub fn begin(
        secret: &str,
        from: &str,
        made: Timestamp,
        clock_ahead_ms: Option<i64>,
    ) -> Result<Self, FileError> {
        let salt = random::<SALT>().map_err(|error| FileError::NoHeader(error.to_string()))?;
        let (format, from, salt) = (FORMAT.to_owned(), from.to_owned(), hex(&salt));
        let header = Header { format, version: VERSION, from, made, clock_ahead_ms, salt };
        let line = serde_json::to_string(&header).map_err(|error| FileError::NoHeader(error.to_string()))?;
        Self::with(secret, &line)
    }

    /// Opens a file by its first line. Whether the secret is right shows with the second.
    ///
    /// # Errors
    /// [`FileError::NoHeader`], [`FileError::Later`], [`FileError::Secret`].
    pub fn with(secret: &str, header: &str) -> Result<Self, FileError> {
        #[derive(Deserialize)]
        struct Any {
            format: String,
            version: u16,
        }
        let no_header = |error: serde_json::Error| FileError::NoHeader(error.to_string());
        let line = header.trim_end().to_owned();
        let Any { format, version } = serde_json::from_str(&line).map_err(no_header)?;
        if format != FORMAT {
            return Err(FileError::NoHeader(format!("format is not {FORMAT}")));
        }
        if version != VERSION {
            return Err(FileError::Later(version));
        }
        let header: Header = serde_json::from_str(&line).map_err(no_header)?;
        let salt = unhex(&header.salt).filter(|salt| salt.len() == SALT);
        let salt = salt.ok_or_else(|| FileError::NoHeader("its salt is not 16 bytes".to_owned()))?;
        let key = derived(secret.trim(), &salt)?;
        Ok(Self { header, line, key })
    }

    /// The header as its line.
    #[must_use]
    pub fn header_line(&self) -> &str {
        &self.line
    }

    /// Seals an item as line `number`; the header is line 1.
    ///
    /// # Errors
    /// [`FileError::Unreadable`] when it cannot be written.
    pub fn seal(&self, number: u64, item: &Item) -> Result<String, FileError> {
        let unwritable = |why: String| FileError::Unreadable(number, why);
        let text = serde_json::to_vec(item).map_err(|error| unwritable(error.to_string()))?;
        let sealed = seal_with(&self.key, &self.bound(number), text);
        Ok(BASE64.encode(&sealed.map_err(|error| unwritable(error.to_string()))?))
    }

    /// Opens line `number`.
    ///
    /// # Errors
    /// [`FileError::Sealed`], [`FileError::Unreadable`], [`FileError::Incomplete`].
    pub fn open(&self, number: u64, line: &str) -> Result<Item, FileError> {
        let line = line.trim_end();
        if line.len() > LONGEST_LINE {
            return Err(FileError::Unreadable(number, format!("it is longer than {LONGEST_LINE} bytes")));
        }
        let sealed = BASE64.decode(line.as_bytes()).map_err(|_| FileError::Sealed(number))?;
        let text =
            open_with(&self.key, &self.bound(number), &sealed).map_err(|_| FileError::Sealed(number))?;
        let item = serde_json::from_slice(&text);
        match item.map_err(|error| FileError::Unreadable(number, error.to_string()))? {
            Item::End { lines } if lines + 1 != number => Err(FileError::Incomplete(number, lines)),
            item => Ok(item),
        }
    }

    /// What a line is sealed with beside the key.
    fn bound(&self, number: u64) -> String {
        format!("{FORMAT}/{VERSION}/{}/{number}", hex(digest(&SHA256, self.line.as_bytes()).as_ref()))
    }
}

fn derived(secret: &str, salt: &[u8]) -> Result<Key, FileError> {
    if !(SECRET.0..=SECRET.1).contains(&secret.chars().count()) {
        return Err(FileError::Secret);
    }
    let key = argon2id::derive(secret.as_bytes(), salt, COST).map_err(|_| FileError::Secret)?;
    Ok(Key::of(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "巡诊车与中心共用的口令 2026";

    fn file() -> OutreachFile {
        OutreachFile::begin(SECRET, "van", Timestamp(1_795_428_000_123), Some(600_000)).unwrap()
    }

    fn lines(item: &Item) -> u64 {
        match item {
            Item::End { lines } => *lines,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_was_sealed_opens_with_the_same_secret_only() {
        let file = file();
        let line = file.seal(2, &Item::End { lines: 1 }).unwrap();
        let again = OutreachFile::with(SECRET, &format!("{}\r\n", file.header_line())).unwrap();
        assert_eq!((again.header.from.as_str(), again.header.clock_ahead_ms), ("van", Some(600_000)));
        assert_eq!(lines(&again.open(2, &line).unwrap()), 1);
        let other = OutreachFile::with("another secret of people", file.header_line()).unwrap();
        assert_eq!(other.open(2, &line).unwrap_err(), FileError::Sealed(2));
    }

    #[test]
    fn a_line_in_another_place_or_file_or_of_other_content_does_not_open() {
        let file = file();
        let line = file.seal(2, &Item::Measurement(Vec::new())).unwrap();
        assert_eq!(file.open(3, &line).unwrap_err(), FileError::Sealed(3));
        let moved = file.header_line().replace("\"van\"", "\"bus\"");
        assert_ne!(moved, file.header_line());
        let other = OutreachFile::with(SECRET, &moved).unwrap();
        assert_eq!(other.open(2, &line).unwrap_err(), FileError::Sealed(2));
        let mut bent = line.into_bytes();
        bent[30] = if bent[30] == b'A' { b'B' } else { b'A' };
        let bent = String::from_utf8(bent).unwrap();
        assert_eq!(file.open(2, &bent).unwrap_err(), FileError::Sealed(2));
        let early = file.seal(3, &Item::End { lines: 7 }).unwrap();
        assert_eq!(file.open(3, &early).unwrap_err(), FileError::Incomplete(3, 7));
    }

    #[test]
    fn a_header_that_is_none_is_refused_with_words() {
        let why = |header: &str| OutreachFile::with(SECRET, header).map(|_| ()).unwrap_err();
        assert!(matches!(why("id,name"), FileError::NoHeader(_)));
        assert!(matches!(why("{\"format\":\"zip\",\"version\":1}"), FileError::NoHeader(_)));
        let later = file().header_line().replace("\"version\":1", "\"version\":2");
        assert_eq!(why(&later), FileError::Later(2));
        let short = OutreachFile::with("short", file().header_line()).map(|_| ()).unwrap_err();
        assert!(short.to_string().contains("12 to 256"), "{short}");
    }
}
