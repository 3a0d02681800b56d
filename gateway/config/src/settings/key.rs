//! The keys of the health cabin, which are stored in files outside the database.

use std::fmt;
use std::path::Path;

use anyhow::Context;
use linli_domain::audit::{hex, unhex};
use ring::digest::{SHA256, digest};

use crate::files;

/// A key of 32 bytes. Its `Debug` form does not contain it.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

/// The keys of a cabin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// Encrypts identities.
    pub identity: Key,
    /// Earlier identity keys: records encrypted with them are encrypted again with `identity`.
    pub previous: Vec<Key>,
    /// Key of the district from which pseudonyms are derived.
    pub pseudonym: Key,
}

// === impl Key ===

impl Key {
    /// Reads 64 hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let wrong = "must hold a key of 64 hexadecimal digits; `linli visits keygen FILE` makes one";
        unhex(text.trim()).and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or(wrong)
    }

    /// The key of these bytes.
    #[must_use]
    pub const fn of(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Writes a random key as 64 hexadecimal digits to a new file with mode 0600.
    ///
    /// # Errors
    /// When the file exists or cannot be written.
    pub fn write_new(path: &Path) -> anyhow::Result<()> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?;
        let text = format!("{}\n", hex(&bytes));
        files::create_secret(path, text.as_bytes())
            .with_context(|| format!("{}: a key is never overwritten", path.display()))
    }

    /// Fingerprint: the first 4 bytes of its SHA-256 in hexadecimal.
    #[must_use]
    pub fn name(&self) -> String {
        hex(&digest(&SHA256, &self.0).as_ref()[..4])
    }

    /// The secret bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}
