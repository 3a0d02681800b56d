//! Signed tree heads of audit logs: a checkpoint (C2SP `tlog-checkpoint`) in a
//! signed note (C2SP `signed-note`), the format of transparency logs. The verifier key is all
//! that is needed to verify it.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::order::{PublicKey, SecretKey};
use linli_domain::audit::{Head, hex};

/// The signature type of Ed25519 (C2SP `signed-note`).
const KIND: u8 = 1;

/// The beginning of a signature line.
const DASH: &str = "— ";

/// Longest checkpoint that is read, in bytes.
const LONGEST: usize = 4096;

/// Signs the checkpoints of a log.
#[derive(Debug)]
pub struct CheckpointSigner {
    key: SecretKey,
    verifier: Verifier,
}

/// Verifies the checkpoints of one signer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifier {
    name: String,
    id: [u8; 4],
    key: PublicKey,
}

/// Why a note is not a valid checkpoint of the signer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSigned {
    /// It does not have the format of a signed note.
    #[error("is no signed note: a text, an empty line, then lines that begin with \"{DASH}\"")]
    NoNote,
    /// It has no signature of this signer.
    #[error("is not signed by {0}")]
    NotByThem(String),
    /// The signature does not verify: the text was changed.
    #[error("was changed after it was signed")]
    Changed,
    /// The signed text is not a checkpoint.
    #[error("is signed, but is no checkpoint: origin, size and root, a line each")]
    NoCheckpoint,
}

// === impl CheckpointSigner ===

impl CheckpointSigner {
    /// Creates a signer with a name: one or more characters without spaces and `+`.
    #[must_use]
    pub fn new(name: String, key: SecretKey) -> Self {
        let verifier = Verifier::new(name, key.public());
        Self { key, verifier }
    }

    /// Returns the verifier of its signatures.
    #[must_use]
    pub const fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// Returns the tree head as a signed checkpoint, with further lines that are signed with it
    /// (extension lines of C2SP `tlog-checkpoint`).
    #[must_use]
    pub fn sign(&self, head: &Head, lines: &[String]) -> String {
        let Verifier { name, id, .. } = &self.verifier;
        let root = head.root_bytes().unwrap_or_default();
        let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let text = format!("{name}\n{}\n{}\n{lines}", head.count, STANDARD.encode(root));
        let signature = [&id[..], &self.key.sign(text.as_bytes())].concat();
        format!("{text}\n{DASH}{name} {}\n", STANDARD.encode(signature))
    }
}

// === impl Verifier ===

impl Verifier {
    fn new(name: String, key: PublicKey) -> Self {
        let hash = Sha256::new()
            .chain_update(&name)
            .chain_update([b'\n', KIND])
            .chain_update(key.as_bytes())
            .finalize();
        let mut id = [0; 4];
        id.copy_from_slice(&hash[..4]);
        Self { name, id, key }
    }

    /// Parses a verifier key: `name+id+key`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = text.trim().splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(format!("{text:?} is no verifier key: it is written NAME+ID+KEY"));
        };
        let key = STANDARD.decode(key).map_err(|_| "the key is not written in base64")?;
        let Some((&KIND, key)) = key.split_first() else {
            return Err("the key is not one of Ed25519".to_owned());
        };
        let key = key.try_into().map_err(|_| "the key is not 32 bytes long")?;
        let verifier = Self::new(name.to_owned(), PublicKey::from_bytes(key)?);
        if hex(&verifier.id) != id {
            return Err(format!("name and key do not belong together: their id is {}", hex(&verifier.id)));
        }
        Ok(verifier)
    }

    /// Returns the text of a note after verifying its signature.
    pub fn text<'n>(&self, note: &'n str) -> Result<&'n str, NotSigned> {
        let end = note.rfind("\n\n").filter(|_| note.len() <= LONGEST).ok_or(NotSigned::NoNote)?;
        let (text, lines) = (&note[..=end], &note[end + 2..]);
        for line in lines.lines() {
            let Some((name, signature)) = line.strip_prefix(DASH).and_then(|line| line.split_once(' '))
            else {
                return Err(NotSigned::NoNote);
            };
            let signature = STANDARD.decode(signature).map_err(|_| NotSigned::NoNote)?;
            let Some((id, signature)) = signature.split_at_checked(4) else { return Err(NotSigned::NoNote) };
            if name == self.name && *id == self.id {
                let is_signed = self.key.has_signed(text.as_bytes(), signature);
                return if is_signed { Ok(text) } else { Err(NotSigned::Changed) };
            }
        }
        Err(NotSigned::NotByThem(self.name.clone()))
    }

    /// Returns the tree head of a checkpoint after verifying its signature.
    pub fn open(&self, note: &str) -> Result<Head, NotSigned> {
        let mut lines = self.text(note)?.lines();
        let (origin, count, root) = (lines.next(), lines.next(), lines.next());
        let head = || {
            let (count, root) = (count?, STANDARD.decode(root?).ok()?);
            let head = Head { count: count.parse().ok()?, root: hex(&root) };
            (origin? == self.name && root.len() == 32 && head.count.to_string() == count).then_some(head)
        };
        head().ok_or(NotSigned::NoCheckpoint)
    }
}

impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[KIND][..], self.key.as_bytes()].concat();
        write!(f, "{}+{}+{}", self.name, hex(&self.id), STANDARD.encode(key))
    }
}
