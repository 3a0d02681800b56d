//! The authority for gateways: signs their certificates at the broker, and the list of those that are void.
//!
//! It is another one than the authority of the broker's own certificate: whoever takes this key can be a gateway, but
//! not the broker. Gateways make their keys themselves; only the public ones come here, in a request (RFC 2986).

use std::path::Path;

use linli_listen::pem;
use rcgen::{
    CertificateParams, CertificateRevocationListParams, CertificateSigningRequestParams, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, PublicKeyData,
    RevocationReason, RevokedCertParams, SerialNumber,
};
use rustls::pki_types::CertificateDer;
use time::{Duration, OffsetDateTime};
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::{FromDer, X509Certificate};

/// Days for which a gateway's certificate is valid. A gateway renews it when a third is left.
pub const DAYS: i64 = 180;

/// A certificate is valid from this long before it was made: clocks of brokers differ.
const BEFORE: Duration = Duration::hours(1);

/// Days after which a list of void certificates is itself void. Longer than any certificate on it is valid: a broker that
/// gets no new one must not refuse every gateway.
const LIST_DAYS: i64 = 3650;

/// Longest request that is read, in bytes.
const LONGEST: usize = 16 << 10;

/// What a renewal is signed for, before the bytes of the new request: separates it from other signatures.
const RENEWAL: &[u8] = b"linli-renew-v1";

/// The authority with its private key.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    /// Its certificate as PEM, for the broker.
    pub pem: String,
}

/// A request for a certificate, its signature verified: whoever made it has the private key.
#[derive(Debug)]
pub struct Request {
    parsed: CertificateSigningRequestParams,
    der: Vec<u8>,
}

/// A certificate of this authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The user that it names.
    pub user: String,
    /// Its number, in hexadecimal digits.
    pub serial: String,
    /// Its end, Unix milliseconds.
    pub until: i64,
    /// Itself and its authority, PEM.
    pub chain: String,
}

/// A void certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Void {
    /// Its number, in hexadecimal digits.
    pub serial: String,
    /// Since when, Unix milliseconds.
    pub since: i64,
}

// === impl Authority ===

impl Authority {
    /// Reads the private key and the certificate, both PEM in one file.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn read(path: &Path) -> Result<Self, String> {
        let of = |error: String| format!("{}: {error}", path.display());
        let mode = std::fs::metadata(path).map_err(|error| of(error.to_string()))?.permissions();
        let mode = std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777;
        if mode & 0o077 != 0 {
            let how = format!("group or others may read this private key (mode {mode:03o}); run `chmod 600`");
            return Err(of(how));
        }
        let text = std::fs::read_to_string(path).map_err(|error| of(error.to_string()))?;
        Self::of(&text).map_err(of)
    }

    /// The same from a text.
    ///
    /// # Errors
    /// A sentence.
    pub fn of(text: &str) -> Result<Self, String> {
        let chain = pem::certificates(text)?;
        let certificate = chain[0].clone();
        // Checks that the key belongs to the certificate.
        pem::certified(chain, pem::key(text)?)?;
        let key = KeyPair::try_from(&pem::key(text)?);
        let key = key.map_err(|error| {
            format!("the private key cannot be used: {error}; it is a P-256 key in PKCS #8")
        })?;
        let issuer = Issuer::from_ca_cert_der(&certificate, key);
        let issuer = issuer.map_err(|error| format!("is no certificate of an authority: {error}"))?;
        for usage in [KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign] {
            if !issuer.key_usages().contains(&usage) {
                return Err(format!("its key usage has no {usage:?}: it is no authority"));
            }
        }
        let pem = armour("CERTIFICATE", &certificate);
        Ok(Self { issuer, certificate, pem })
    }

    /// Signs a certificate for this user. Nothing of the request is taken but its key.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn issue(
        &self,
        user: &str,
        request: &Request,
        serial: [u8; 16],
        now: i64,
    ) -> Result<Signed, rcgen::Error> {
        let now =
            OffsetDateTime::from_unix_timestamp(now.div_euclid(1000)).map_err(|_| rcgen::Error::Time)?;
        let mut about = CertificateParams::default();
        about.distinguished_name = DistinguishedName::new();
        about.distinguished_name.push(DnType::CommonName, user);
        about.is_ca = IsCa::ExplicitNoCa;
        about.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        about.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        about.use_authority_key_identifier_extension = true;
        // Positive (RFC 5280, 4.1.2.2), and never zero.
        let mut serial = serial;
        serial[0] = serial[0] & 0x3f | 0x40;
        about.serial_number = Some(SerialNumber::from_slice(&serial));
        (about.not_before, about.not_after) = (now - BEFORE, now + Duration::days(DAYS));
        let until = about.not_after.unix_timestamp() * 1000;
        let certificate = about.signed_by(&request.parsed.public_key, &self.issuer)?;
        let chain = format!("{}{}", certificate.pem(), self.pem);
        Ok(Signed { user: user.to_owned(), serial: hex(&serial), until, chain })
    }

    /// The list of void certificates (RFC 5280, 5), PEM.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn list(&self, void: &[Void], now: i64) -> Result<String, rcgen::Error> {
        let at = |ms: i64| {
            OffsetDateTime::from_unix_timestamp(ms.div_euclid(1000)).map_err(|_| rcgen::Error::Time)
        };
        let revoked = void.iter().map(|void| {
            Ok(RevokedCertParams {
                serial_number: SerialNumber::from_slice(&unhex(&void.serial)),
                revocation_time: at(void.since)?,
                reason_code: Some(RevocationReason::PrivilegeWithdrawn),
                invalidity_date: None,
            })
        });
        let now = at(now)?;
        let list = CertificateRevocationListParams {
            this_update: now,
            next_update: now + Duration::days(LIST_DAYS),
            crl_number: SerialNumber::from_slice(&now.unix_timestamp().to_be_bytes()),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect::<Result<_, rcgen::Error>>()?,
            // As the authority's own certificate says it: OpenSSL compares them.
            key_identifier_method: key_identifier(&self.certificate),
        };
        list.signed_by(&self.issuer)?.pem()
    }

    /// Whether a certificate, PEM, is one of this authority, and the signature by its key over a new request holds.
    /// Returns its number.
    ///
    /// # Errors
    /// A sentence.
    pub fn renews(&self, certificate: &str, request: &Request, proof: &[u8]) -> Result<String, String> {
        let chain = pem::certificates(certificate)?;
        let (_, read) =
            X509Certificate::from_der(&chain[0]).map_err(|_| "is no X.509 certificate".to_owned())?;
        let (_, own) = X509Certificate::from_der(&self.certificate).map_err(|error| error.to_string())?;
        if read.verify_signature(Some(own.public_key())).is_err() {
            return Err("the certificate is not one of this district".to_owned());
        }
        let key = ring::signature::UnparsedPublicKey::new(
            &ring::signature::ECDSA_P256_SHA256_ASN1,
            &read.public_key().subject_public_key.data,
        );
        let signed = [RENEWAL, &request.der].concat();
        key.verify(&signed, proof).map_err(|_| "the signature by the old key does not hold".to_owned())?;
        Ok(hex(read.raw_serial()))
    }
}

// === impl Request ===

impl Request {
    /// Reads a request as PEM and verifies its signature.
    ///
    /// # Errors
    /// A sentence.
    pub fn read(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("{} bytes are no request for a certificate", text.len()));
        }
        let der = <rustls::pki_types::CertificateSigningRequestDer<'_> as rustls::pki_types::pem::PemObject>::from_pem_slice(
            text.as_bytes(),
        )
        .map_err(|_| "holds no request in PEM (-----BEGIN CERTIFICATE REQUEST-----)".to_owned())?;
        let parsed = CertificateSigningRequestParams::from_der(&der)
            .map_err(|error| format!("the request cannot be read: {error}"))?;
        // What renewals are verified with; gateways make no others.
        if parsed.public_key.algorithm() != &rcgen::PKCS_ECDSA_P256_SHA256 {
            return Err("the key is not an ECDSA key of P-256".to_owned());
        }
        Ok(Self { parsed, der: der.to_vec() })
    }

    /// SHA-256 of its public key, in hexadecimal digits.
    #[must_use]
    pub fn key(&self) -> String {
        linli_login::code::hash(&hex(&self.parsed.public_key.subject_public_key_info()))
    }
}

/// SHA-256 of the first certificate of a text, as pairs of hexadecimal digits with colons between them: what people
/// compare.
///
/// # Errors
/// A sentence.
pub fn fingerprint(text: &str) -> Result<String, String> {
    let chain = pem::certificates(text)?;
    let digest = ring::digest::digest(&ring::digest::SHA256, &chain[0]);
    let pairs: Vec<String> = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    Ok(pairs.join(":"))
}

fn key_identifier(certificate: &CertificateDer<'_>) -> KeyIdMethod {
    let parsed = X509Certificate::from_der(certificate).ok();
    let found = parsed.as_ref().and_then(|(_, read)| {
        read.iter_extensions().find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0.to_vec()),
            _ => None,
        })
    });
    found.map_or(KeyIdMethod::Sha256, KeyIdMethod::PreSpecified)
}

fn armour(what: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let body = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> = (0..body.len()).step_by(64).map(|at| &body[at..body.len().min(at + 64)]).collect();
    format!("-----BEGIN {what}-----\n{}\n-----END {what}-----\n", lines.join("\n"))
}

fn hex(bytes: &[u8]) -> String {
    linli_domain::audit::hex(bytes)
}

fn unhex(text: &str) -> Vec<u8> {
    linli_domain::audit::unhex(text).unwrap_or_default()
}

/// The text of an authority, for tests.
#[cfg(test)]
pub(crate) fn for_tests() -> String {
    let key = KeyPair::generate().expect("random numbers");
    let mut about = CertificateParams::default();
    about.is_ca = IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
    about.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let certificate = about.self_signed(&key).expect("a certificate of its own");
    format!("{}{}", key.serialize_pem(), certificate.pem())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::SigningKey;

    const NOW: i64 = 1_795_428_000_000;

    fn request(key: &KeyPair) -> String {
        let mut about = CertificateParams::default();
        // What it asks for is not what it gets.
        about.distinguished_name.push(DnType::CommonName, "other.gw");
        about.serialize_request(key).unwrap().pem().unwrap()
    }

    #[test]
    fn a_certificate_names_whom_the_district_says_and_not_whom_the_request_says() {
        let authority = Authority::of(&for_tests()).unwrap();
        let key = KeyPair::generate().unwrap();
        let read = Request::read(&request(&key)).unwrap();
        let signed = authority.issue("c.gw", &read, [0xff; 16], NOW).unwrap();
        let chain = pem::certificates(&signed.chain).unwrap();
        let (_, leaf) = X509Certificate::from_der(&chain[0]).unwrap();
        assert_eq!(leaf.subject().to_string(), "CN=c.gw");
        assert!(!leaf.is_ca());
        assert_eq!(hex(leaf.raw_serial()), signed.serial);
        assert_eq!(signed.until, NOW + DAYS * 86_400_000);
        // Renewed by whoever has the old key, for a new one.
        let next = KeyPair::generate().unwrap();
        let second = Request::read(&request(&next)).unwrap();
        let proof = key.sign(&[RENEWAL, &second.der].concat()).unwrap();
        assert_eq!(authority.renews(&signed.chain, &second, &proof), Ok(signed.serial.clone()));
        let wrong = next.sign(&[RENEWAL, &second.der].concat()).unwrap();
        assert!(authority.renews(&signed.chain, &second, &wrong).unwrap_err().contains("old key"));
        let other = Authority::of(&for_tests()).unwrap();
        assert!(
            other.renews(&signed.chain, &second, &proof).unwrap_err().contains("not one of this district")
        );
        // The list names it.
        let list = authority.list(&[Void { serial: signed.serial, since: NOW }], NOW).unwrap();
        assert!(list.starts_with("-----BEGIN X509 CRL-----"), "{list}");
    }

    #[test]
    fn rubbish_is_told_with_words() {
        assert!(Request::read("rubbish").unwrap_err().contains("CERTIFICATE REQUEST"));
        assert!(Request::read(&"x".repeat(20_000)).unwrap_err().contains("20000 bytes"));
        // The body of one request with the signature of another does not hold.
        let (one, two) = (request(&KeyPair::generate().unwrap()), request(&KeyPair::generate().unwrap()));
        let mixed: String =
            one.lines().take(3).chain(two.lines().skip(3)).map(|line| format!("{line}\n")).collect();
        assert!(Request::read(&mixed).is_err());
        let key = KeyPair::generate().unwrap();
        let plain = CertificateParams::default().self_signed(&key).unwrap();
        let plain = format!("{}{}", key.serialize_pem(), plain.pem());
        assert!(Authority::of(&plain).err().unwrap().contains("no authority"));
    }
}
