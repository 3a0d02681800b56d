//! Hash and signature on a host, and the making of images for tests and the demonstration.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use linli_wire::image::{ALIGN, BODY, Header, SIGNED};
use sha2::{Digest, Sha512};

use crate::board::{Crypto, Hash};

/// The keys a node believes.
#[derive(Debug, Clone, Default)]
pub struct Keys(Vec<VerifyingKey>);

/// SHA-512 of the host.
#[derive(Debug, Clone)]
pub struct Sha(Sha512);

// === impl Keys ===

impl Keys {
    /// Believes these public keys; `None` if one of them is no point of the curve.
    #[must_use]
    pub fn new(public: &[[u8; 32]]) -> Option<Self> {
        public.iter().map(|key| VerifyingKey::from_bytes(key).ok()).collect::<Option<_>>().map(Self)
    }
}

/// The number by which an image names its key.
#[must_use]
pub fn key_id(public: &[u8; 32]) -> u32 {
    u32::from_be_bytes([public[0], public[1], public[2], public[3]])
}

impl Crypto for Keys {
    type Hash = Sha;

    fn knows(&self, key: u32) -> bool {
        self.0.iter().any(|known| key_id(known.as_bytes()) == key)
    }

    fn verify(&self, key: u32, message: &[u8; SIGNED], signature: &[u8; 64]) -> bool {
        let signature = Signature::from_bytes(signature);
        let mut named = self.0.iter().filter(|known| key_id(known.as_bytes()) == key);
        named.any(|known| known.verify_strict(message, &signature).is_ok())
    }
}

// === impl Sha ===

impl Hash for Sha {
    fn new() -> Self {
        Self(Sha512::new())
    }

    fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(self) -> [u8; 64] {
        let mut hash = [0; 64];
        hash.copy_from_slice(&self.0.finalize());
        hash
    }
}

/// The public key of a secret one.
#[must_use]
pub fn public(secret: &[u8; 32]) -> [u8; 32] {
    SigningKey::from_bytes(secret).verifying_key().to_bytes()
}

/// A whole signed image: the header is completed with length, hash, key and signature.
#[must_use]
pub fn image(header: Header, body: &[u8], secret: &[u8; 32]) -> Vec<u8> {
    let mut body = body.to_vec();
    body.resize(body.len().next_multiple_of(ALIGN as usize), 0xFF);
    let secret = SigningKey::from_bytes(secret);
    let mut sha = Sha::new();
    Hash::update(&mut sha, &body);
    let mut header = Header {
        length: body.len() as u32,
        key: key_id(secret.verifying_key().as_bytes()),
        hash: sha.finish(),
        ..header
    };
    header.signature = secret.sign(&header.signed()).to_bytes();
    let mut file = header.encode().to_vec();
    file.resize(BODY as usize, 0xFF);
    file.extend(body);
    file
}
