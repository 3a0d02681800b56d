//! Keys: owner, permitted use and validity.

use std::fmt;

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use super::time::KnownTime;
use crate::Class;
use linli_domain::audit::hex;
use linli_domain::{Id, Timestamp};

/// Prefix of public keys in files.
const PUBLIC: &str = "ed25519:";
/// Prefix of secret keys in files.
const SECRET: &str = "ed25519-secret:";

/// Key id: the first bytes of the SHA-256 of a public key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 8]);

/// An Ed25519 public key that is not weak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// An Ed25519 secret key.
pub struct SecretKey(SigningKey);

/// A public key of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its owner.
    pub person: Id,
    /// Their roles.
    pub roles: Vec<String>,
    /// The class of orders it may sign: drills have separate keys.
    pub class: Class,
    /// The key.
    pub public: PublicKey,
    /// Begin of its validity.
    pub from: Option<Timestamp>,
    /// End of its validity.
    pub until: Option<Timestamp>,
    /// When it was revoked: lost or stolen. From then on it counts for nothing.
    pub revoked: Option<Timestamp>,
}

/// The public keys of a centre.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keyring {
    /// The keys.
    pub keys: Vec<Key>,
}

// === impl PublicKey ===

impl PublicKey {
    /// Parses `ed25519:` and 64 hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, String> {
        let digits = text.strip_prefix(PUBLIC).ok_or(format!("a public key begins with {PUBLIC}"))?;
        Self::from_bytes(&unhex(digits).ok_or("a public key is 64 hexadecimal digits")?)
    }

    /// Creates a key from its 32 bytes.
    pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Result<Self, String> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| "not a point of the curve")?;
        if key.is_weak() {
            return Err("a weak key: anybody could sign with it".to_owned());
        }
        Ok(Self(key))
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Returns its id.
    #[must_use]
    pub fn id(&self) -> KeyId {
        let hash = Sha256::digest(self.0.as_bytes());
        let mut id = [0; 8];
        id.copy_from_slice(&hash[..8]);
        KeyId(id)
    }

    /// Verifies a signature; only the strict form is accepted (RFC 8032 §5.1.7).
    #[must_use]
    pub fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        ed25519_dalek::Signature::from_slice(signature)
            .is_ok_and(|signature| self.0.verify_strict(message, &signature).is_ok())
    }
}

// === impl SecretKey ===

impl SecretKey {
    /// Creates a key from 32 random bytes.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(SigningKey::from_bytes(&seed))
    }

    /// Parses `ed25519-secret:` and 64 hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, String> {
        let digits = text.trim().strip_prefix(SECRET).ok_or(format!("a secret key begins with {SECRET}"))?;
        unhex(digits).map(Self::from_seed).ok_or("a secret key is 64 hexadecimal digits".to_owned())
    }

    /// Returns the text of the key file.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{SECRET}{}", hex(&self.0.to_bytes()))
    }

    /// Returns the public key.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.0.sign(message).to_bytes().to_vec()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({})", self.public().id())
    }
}

// === impl Key ===

impl Key {
    /// Whether it is valid at that time, as far as its dates say; see [`Self::is_revoked`].
    #[must_use]
    pub fn is_valid_at(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && !self.has_ended(at)
    }

    /// Whether it counts now, as far as the time is known: while the clock is not trusted it may be later
    /// than it shows, so the key may well have begun.
    #[must_use]
    pub fn counts(&self, time: &KnownTime) -> bool {
        let is_valid =
            if time.doubt.is_some() { !self.has_ended(time.at) } else { self.is_valid_at(time.at) };
        is_valid && !self.is_revoked(time)
    }

    /// Whether its validity has ended.
    #[must_use]
    pub fn has_ended(&self, at: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= at)
    }

    /// Whether it is revoked. While the clock is not trusted, a revocation counts whatever its time.
    #[must_use]
    pub fn is_revoked(&self, time: &KnownTime) -> bool {
        self.revoked.is_some_and(|revoked| revoked <= time.at || time.doubt.is_some())
    }
}

// === impl Keyring ===

impl Keyring {
    /// Returns a key by its id.
    #[must_use]
    pub fn key(&self, id: &[u8]) -> Option<&Key> {
        self.keys.iter().find(|key| key.public.id().0 == id)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PUBLIC}{}", hex(self.0.as_bytes()))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    linli_domain::audit::unhex(text)?.try_into().ok()
}
