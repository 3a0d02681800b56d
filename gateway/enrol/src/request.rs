//! A key that was made here, and the request for its certificate (RFC 2986).

use linli_listen::pem;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SigningKey};

use crate::error::EnrolError;

/// What a renewal is signed for, before the bytes of the new request. The district verifies it.
const RENEWAL: &[u8] = b"linli-renew-v1";

/// A private key, P-256, and the request for its certificate.
pub struct Request {
    key: KeyPair,
    der: Vec<u8>,
    /// The request, PEM.
    pub pem: String,
}

// === impl Request ===

impl Request {
    /// Makes a key.
    ///
    /// # Errors
    /// When the machine has no random numbers.
    pub fn make(name: &str) -> Result<Self, EnrolError> {
        Self::of(KeyPair::generate()?, name)
    }

    /// A request for a key that was made before.
    ///
    /// # Errors
    /// When the text holds no key.
    pub fn read(text: &str, name: &str) -> Result<Self, EnrolError> {
        let key = pem::key(text).map_err(EnrolError::Key)?;
        Self::of(KeyPair::try_from(&key)?, name)
    }

    fn of(key: KeyPair, name: &str) -> Result<Self, EnrolError> {
        let mut about = CertificateParams::default();
        about.distinguished_name = DistinguishedName::new();
        about.distinguished_name.push(DnType::CommonName, name);
        let request = about.serialize_request(&key)?;
        Ok(Self { der: request.der().to_vec(), pem: request.pem()?, key })
    }

    /// The private key, PEM.
    #[must_use]
    pub fn key(&self) -> String {
        self.key.serialize_pem()
    }

    /// Signature by this key over the next request, base64.
    ///
    /// # Errors
    /// When it cannot sign.
    pub fn vouch_for(&self, next: &Self) -> Result<String, EnrolError> {
        let signature = self.key.sign(&[RENEWAL, &next.der].concat())?;
        Ok(data_encoding::BASE64.encode(&signature))
    }
}
