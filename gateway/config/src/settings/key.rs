//! The keys of the health cabin: kept in files apart from the database, never shown.

use std::fmt;
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use linli_domain::audit::{hex, unhex};
use ring::digest::{SHA256, digest};

/// A key of 32 bytes, kept apart from the database. Its `Debug` says nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

/// The keys of a cabin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// Seals.
    pub identity: Key,
    /// Sealed before; what they sealed is sealed anew.
    pub previous: Vec<Key>,
    /// Makes pseudonyms; the district's.
    pub pseudonym: Key,
}

// === impl Key ===

impl Key {
    /// Reads 64 hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let wrong = "must hold a key of 64 hexadecimal digits; `linli visits keygen FILE` makes one";
        unhex(text.trim()).and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or(wrong)
    }

    /// Writes a new one into a new file that only its owner may read.
    pub fn write_new(path: &Path) -> anyhow::Result<()> {
        use std::os::unix::fs::OpenOptionsExt;
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?;
        let opened = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let mut file = opened.with_context(|| format!("{}: a key is never overwritten", path.display()))?;
        writeln!(file, "{}", hex(&bytes))?;
        Ok(file.sync_all()?)
    }

    /// Says which key it is without saying what it is.
    #[must_use]
    pub fn name(&self) -> String {
        hex(&digest(&SHA256, &self.0).as_ref()[..4])
    }

    /// The bytes, for whoever seals with them.
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
