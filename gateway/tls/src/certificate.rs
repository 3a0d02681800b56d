//! What a certificate says: whose it is, for which names, until when.

use data_encoding::HEXUPPER;
use linli_domain::Timestamp;
use ring::digest::{SHA256, digest};
use serde::Serialize;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// What a certificate says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Certificate {
    /// Whose it is, as a distinguished name.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// Host names and addresses it is valid for.
    pub names: Vec<String>,
    /// Beginning of its validity.
    pub not_before: Timestamp,
    /// End of its validity.
    pub not_after: Timestamp,
    /// SHA-256 of the whole certificate, as pairs of hexadecimal digits with colons between them.
    pub fingerprint: String,
}

// === impl Certificate ===

impl Certificate {
    /// Reads a certificate in DER.
    ///
    /// # Errors
    /// A sentence when the bytes are no X.509 certificate.
    pub fn read(der: &[u8]) -> Result<Self, String> {
        let read = parse(der)?;
        let names = read.subject_alternative_name().ok().flatten();
        let names = names.map(|names| names.value.general_names.iter().filter_map(name).collect());
        let at = |time: x509_parser::time::ASN1Time| Timestamp(time.timestamp().saturating_mul(1000));
        Ok(Self {
            subject: read.subject().to_string(),
            issuer: read.issuer().to_string(),
            names: names.unwrap_or_default(),
            not_before: at(read.validity().not_before),
            not_after: at(read.validity().not_after),
            fingerprint: fingerprint(der),
        })
    }

    /// Returns why it is not valid at that time.
    #[must_use]
    pub fn is_void(&self, now: Timestamp) -> Option<String> {
        if now > self.not_after {
            return Some(format!("expired on {}", date(self.not_after)));
        }
        (now < self.not_before).then(|| {
            let (from, today) = (date(self.not_before), date(now));
            format!("is not valid before {from}, and this machine's clock says {today}")
        })
    }
}

/// Whether `authority` signed `der`; both are certificates in DER.
pub(crate) fn is_signed_by(der: &[u8], authority: &[u8]) -> bool {
    let (Ok(signed), Ok(authority)) = (parse(der), parse(authority)) else { return false };
    signed.verify_signature(Some(authority.public_key())).is_ok()
}

/// The day of a time, in UTC.
pub(crate) fn date(at: Timestamp) -> String {
    time::OffsetDateTime::from_unix_timestamp(at.0.div_euclid(1000))
        .map_or_else(|_| format!("{} ms", at.0), |time| time.date().to_string())
}

fn parse(der: &[u8]) -> Result<X509Certificate<'_>, String> {
    let (rest, read) = X509Certificate::from_der(der).map_err(|_| "is no X.509 certificate".to_owned())?;
    if rest.is_empty() { Ok(read) } else { Err("has bytes after the certificate".to_owned()) }
}

fn fingerprint(der: &[u8]) -> String {
    let digits = HEXUPPER.encode(digest(&SHA256, der).as_ref());
    let pairs: Vec<&str> = (0..digits.len()).step_by(2).map(|at| &digits[at..at + 2]).collect();
    pairs.join(":")
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match <[u8; 4]>::try_from(*bytes) {
            Ok(four) => Some(std::net::Ipv4Addr::from(four).to_string()),
            Err(_) => <[u8; 16]>::try_from(*bytes).ok().map(|all| std::net::Ipv6Addr::from(all).to_string()),
        },
        _ => None,
    }
}
