//! A record's head, signed by whoever keeps the record: a checkpoint (C2SP `tlog-checkpoint`) in a
//! signed note (C2SP `signed-note`), the form in which transparency logs tell theirs. Whoever has
//! the verifier key needs nothing of ours to check it.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::audit::{Head, hex};
use crate::order::{PublicKey, SecretKey};

/// Ed25519 among the kinds of signatures.
const KIND: u8 = 1;

/// How the line of a signature begins.
const DASH: &str = "— ";

/// No checkpoint is longer.
const LONGEST: usize = 4096;

/// Keeps a record, and signs for it.
#[derive(Debug)]
pub struct Keeper {
    key: SecretKey,
    verifier: Verifier,
}

/// What a keeper's checkpoints are checked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifier {
    name: String,
    id: [u8; 4],
    key: PublicKey,
}

/// Why a note is no checkpoint of that keeper.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSigned {
    /// It is not in the form of a signed note.
    #[error("is no signed note: a text, an empty line, then lines that begin with \"{DASH}\"")]
    NoNote,
    /// Somebody else signed it, or nobody.
    #[error("is not signed by {0}")]
    NotByThem(String),
    /// Their key did not sign these words.
    #[error("was changed after it was signed")]
    Changed,
    /// What is signed is no head.
    #[error("is signed, but is no checkpoint: origin, size and root, a line each")]
    NoCheckpoint,
}

// === impl Keeper ===

impl Keeper {
    /// Signs as that name: one or more characters without spaces and `+`.
    #[must_use]
    pub fn new(name: String, key: SecretKey) -> Self {
        let verifier = Verifier::new(name, key.public());
        Self { key, verifier }
    }

    /// What it is checked with.
    #[must_use]
    pub const fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// The head as a signed checkpoint.
    #[must_use]
    pub fn sign(&self, head: &Head) -> String {
        let Verifier { name, id, .. } = &self.verifier;
        let root = head.root_bytes().unwrap_or_default();
        let text = format!("{name}\n{}\n{}\n", head.count, STANDARD.encode(root));
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

    /// From its text: `name+id+key`.
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

    /// The text of a note, if they signed it.
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

    /// The head of a checkpoint, if they signed it.
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
