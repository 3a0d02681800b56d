//! The centre's authority: signs the certificate of the gateway. Its private key never leaves the machine.

use linli_domain::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::CertificateDer;
use time::{Duration, OffsetDateTime};

use crate::names::Names;
use linli_listen::pem;

/// Validity of the authority. Changing it means a visit to every screen, so it outlives the hardware.
const AUTHORITY_DAYS: i64 = 20 * 365;

/// Validity of the gateway's certificate; some browsers refuse longer ones (398 days).
const SERVER_DAYS: i64 = 397;

/// A certificate is valid from this long before it was made: clocks of clients differ.
const BEFORE: Duration = Duration::days(1);

/// No clock is earlier, unless it was never set (2026-01-01T00:00:00Z). An authority made before that would be
/// too old once the clock is set.
const EARLIEST: i64 = 1_767_225_600;

/// The authority with its private key.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub certificate: CertificateDer<'static>,
}

// === impl Authority ===

impl Authority {
    /// Makes the authority of a centre; returns it with the text to store.
    pub fn make(centre: &str, now: Timestamp) -> Result<(Self, String), rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut about = CertificateParams::default();
        about.distinguished_name.push(DnType::OrganizationName, format!("linli {centre}"));
        about.distinguished_name.push(DnType::CommonName, format!("linli {centre} authority"));
        about.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        about.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        // A clock that is ahead must not make an authority that is not valid once it is set.
        about.not_before = at(EARLIEST)?;
        about.not_after = at(seconds(now).max(EARLIEST))? + Duration::days(AUTHORITY_DAYS);
        let certificate = about.self_signed(&key)?;
        let text = format!("{}{}", key.serialize_pem(), certificate.pem());
        let der = certificate.der().clone();
        Ok((Self { issuer: Issuer::new(about, key), certificate: der }, text))
    }

    /// Reads what [`Authority::make`] gave to store.
    ///
    /// # Errors
    /// A sentence when the text holds no authority.
    pub fn read(text: &str) -> Result<Self, String> {
        let chain = pem::certificates(text)?;
        let certificate = chain[0].clone();
        // Checks that the key belongs to the certificate.
        pem::certified(chain, pem::key(text)?)?;
        let key = pem::key(text)?;
        let key =
            KeyPair::try_from(&key).map_err(|error| format!("the private key cannot be used: {error}"))?;
        let issuer = Issuer::from_ca_cert_der(&certificate, key);
        let issuer = issuer.map_err(|error| format!("is no certificate of an authority: {error}"))?;
        Ok(Self { issuer, certificate })
    }

    /// Makes a certificate for these names; returns it as PEM: private key, certificate, authority.
    pub fn issue(&self, centre: &str, names: &Names, now: Timestamp) -> Result<String, rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut about = CertificateParams::new(names.iter().map(str::to_owned).collect::<Vec<_>>())?;
        about.distinguished_name = rcgen::DistinguishedName::new();
        about.distinguished_name.push(DnType::OrganizationName, format!("linli {centre}"));
        about.distinguished_name.push(DnType::CommonName, format!("linli {centre}"));
        about.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        about.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        about.use_authority_key_identifier_extension = true;
        let now = at(seconds(now))?;
        (about.not_before, about.not_after) = (now - BEFORE, now + Duration::days(SERVER_DAYS));
        let certificate = about.signed_by(&key, &self.issuer)?;
        Ok(format!("{}{}{}", key.serialize_pem(), certificate.pem(), self.pem()))
    }

    /// The certificate alone, as PEM, to be given to screens and kiosks.
    pub fn pem(&self) -> String {
        let body = data_encoding::BASE64.encode(&self.certificate);
        let lines: Vec<&str> =
            (0..body.len()).step_by(64).map(|at| &body[at..body.len().min(at + 64)]).collect();
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
    }
}

fn seconds(at: Timestamp) -> i64 {
    at.0.div_euclid(1000)
}

fn at(seconds: i64) -> Result<OffsetDateTime, rcgen::Error> {
    OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| rcgen::Error::Time)
}
