//! PEM: a private key and the chain of its certificates.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

/// The certificates of a text, the first one first.
///
/// # Errors
/// A sentence when there is none, or when one is damaged.
pub fn certificates(text: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    let found =
        found.map_err(|error| format!("a certificate in it is damaged ({error}); get the file again"))?;
    if found.is_empty() {
        return Err("holds no certificate in PEM (-----BEGIN CERTIFICATE-----)".to_owned());
    }
    Ok(found)
}

/// The private key of a text.
///
/// # Errors
/// A sentence when there is none that can be used.
pub fn key(text: &str) -> Result<PrivateKeyDer<'static>, String> {
    if text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") {
        let how = "`openssl pkey -in FILE -out PLAIN` decrypts it";
        return Err(format!("the private key is protected by a password; {how}"));
    }
    PrivateKeyDer::from_pem_slice(text.as_bytes())
        .map_err(|_| "holds no private key in PEM (-----BEGIN PRIVATE KEY-----)".to_owned())
}

/// Joins chain and key, and checks that the key is that of the first certificate.
///
/// # Errors
/// A sentence when they do not belong together or the key is of an unknown kind.
pub fn certified(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<CertifiedKey, String> {
    let provider = rustls::crypto::ring::default_provider();
    CertifiedKey::from_der(chain, key, &provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            "the private key is not that of the first certificate; give the two that were made together"
                .to_owned()
        }
        other => {
            format!("the private key cannot be used ({other}); keys are RSA, ECDSA (P-256, P-384) or Ed25519")
        }
    })
}
