//! Hash and signature by `salty`: 11 KB where others need 43.

use linli_node::board::{Crypto, Hash};
use linli_wire::image::SIGNED;
use salty::{PublicKey, Sha512, Signature};

/// One public key that is trusted.
#[derive(Debug, Clone, Copy)]
pub struct Salty(pub [u8; 32]);

/// SHA-512.
pub struct Digest(Sha512);

// === impl Salty ===

impl Crypto for Salty {
    type Hash = Digest;

    fn knows(&self, key: u32) -> bool {
        self.0.starts_with(&key.to_be_bytes())
    }

    fn verify(&self, key: u32, message: &[u8; SIGNED], signature: &[u8; 64]) -> bool {
        let public = PublicKey::try_from(&self.0).ok().filter(|_| self.knows(key));
        public.is_some_and(|public| public.verify(message, &Signature::from(signature)).is_ok())
    }
}

impl Hash for Digest {
    fn new() -> Self {
        Self(Sha512::new())
    }

    fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(self) -> [u8; 64] {
        self.0.finalize()
    }
}
