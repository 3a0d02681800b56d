//! Requests to the district. What is secret is sent only after the district has shown who it is.

use std::sync::Arc;
use std::time::Duration;

use linli_domain::Timestamp;
use linli_listen::pem;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use crate::error::EnrolError;

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Longest answer, in bytes.
const LONGEST: u64 = 1 << 20;

/// A district that has shown who it is.
#[derive(Debug)]
pub struct District {
    url: String,
    agent: ureq::Agent,
}

/// A gateway that asks for its certificate.
#[derive(Debug, Clone, Serialize)]
pub struct Ask<'a> {
    /// The centre.
    pub centre: &'a str,
    /// The gateway.
    pub gateway: &'a str,
    /// The one-time code.
    pub code: &'a str,
    /// The request, PEM.
    pub request: &'a str,
}

/// What the district gives.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Given {
    /// The user at the broker.
    pub user: String,
    /// The certificate and its authority, PEM.
    pub certificate: String,
    /// What to trust at the broker, PEM.
    pub trust: String,
    /// Addresses of the broker.
    pub brokers: Vec<String>,
    /// Version of MQTT that they speak as gateway.toml says it; a district that says none speaks MQTT 5.
    pub version: Option<String>,
    /// End of the certificate.
    pub until: Timestamp,
}

/// What the district says of its authority.
#[derive(Deserialize)]
struct Shown {
    trust: String,
}

// === impl District ===

impl District {
    /// Reaches a district. With a fingerprint it is the one whose authority has it; without one, the certificates that the
    /// system trusts decide.
    ///
    /// # Errors
    /// When the address or the fingerprint is none, nobody answers, or somebody else does.
    pub fn reach(url: &str, fingerprint: Option<&str>) -> Result<Self, EnrolError> {
        let url = url.trim_end_matches('/');
        let is_here = ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"]
            .iter()
            .any(|here| url.starts_with(here));
        if !is_here
            && !url
                .strip_prefix("https://")
                .is_some_and(|host| !host.is_empty() && !host.contains(['/', '@']))
        {
            return Err(EnrolError::Address(url.to_owned()));
        }
        let Some(given) = fingerprint.filter(|_| !is_here) else {
            return Ok(Self { url: url.to_owned(), agent: agent(TlsConfig::builder().build()) });
        };
        let wanted = digits(given).ok_or_else(|| EnrolError::NoFingerprint(given.to_owned()))?;
        // Nothing is told yet: whoever answers only shows a certificate, which is then compared.
        let open = TlsConfig::builder().disable_verification(true).build();
        let stranger = Self { url: url.to_owned(), agent: agent(open) };
        let shown: Shown = stranger.ask("/api/v1/authority", None)?;
        let chain = pem::certificates(&shown.trust).map_err(EnrolError::Answer)?;
        let found =
            data_encoding::HEXUPPER.encode(ring::digest::digest(&ring::digest::SHA256, &chain[0]).as_ref());
        if found != wanted {
            return Err(EnrolError::Fingerprint { shown: pairs(&found), given: pairs(&wanted) });
        }
        Self::trusting(url, &shown.trust)
    }

    /// A district whose certificate this authority has signed, or one that the system trusts.
    ///
    /// # Errors
    /// When the text holds no certificate.
    pub fn trusting(url: &str, trust: &str) -> Result<Self, EnrolError> {
        let certificates = parse_pem(trust.as_bytes()).filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        });
        let certificates: Vec<Certificate<'static>> = certificates.collect();
        if certificates.is_empty() {
            return Err(EnrolError::Answer("it holds no certificate to trust".to_owned()));
        }
        let tls = TlsConfig::builder().root_certs(RootCerts::Specific(Arc::new(certificates))).build();
        Ok(Self { url: url.trim_end_matches('/').to_owned(), agent: agent(tls) })
    }

    /// Asks for a certificate with a code.
    ///
    /// # Errors
    /// When the district refuses, or does not answer.
    pub fn enrol(&self, ask: &Ask<'_>) -> Result<Given, EnrolError> {
        let body = serde_json::to_string(ask).map_err(|error| EnrolError::Answer(error.to_string()))?;
        self.ask("/api/v1/certificate", Some(&body))
    }

    /// Asks for the next certificate: the present one, the next request, and the signature of the present key over it.
    ///
    /// # Errors
    /// When the district refuses, or does not answer.
    pub fn renew(&self, certificate: &str, request: &str, proof: &str) -> Result<Given, EnrolError> {
        let body = serde_json::json!({"certificate": certificate, "request": request, "proof": proof});
        self.ask("/api/v1/certificate/renew", Some(&body.to_string()))
    }

    fn ask<T: for<'a> Deserialize<'a>>(&self, path: &str, body: Option<&str>) -> Result<T, EnrolError> {
        let url = format!("{}{path}", self.url);
        let answer = match body {
            Some(body) => self.agent.post(&url).header("content-type", "application/json").send(body),
            None => self.agent.get(&url).call(),
        };
        let mut answer = answer.map_err(|error| EnrolError::Unreachable(format!("{}: {error}", self.url)))?;
        let status = answer.status().as_u16();
        let text = answer.body_mut().with_config().limit(LONGEST).read_to_string();
        let text = text.map_err(|error| EnrolError::Answer(error.to_string()))?;
        if status == 200 {
            return serde_json::from_str(&text).map_err(|error| EnrolError::Answer(error.to_string()));
        }
        let told: Value = serde_json::from_str(&text).unwrap_or_default();
        let word = |key: &str| told[key].as_str().map(str::to_owned);
        match (word("code"), word("zh"), word("en")) {
            (Some(code), Some(zh), Some(en)) => Err(EnrolError::Refused { code, zh, en }),
            _ => Err(EnrolError::Answer(format!("{url}: HTTP status {status}; is it a district?"))),
        }
    }
}

fn agent(tls: TlsConfig) -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .max_redirects(0)
        .http_status_as_error(false)
        .tls_config(tls)
        .build()
        .into()
}

/// The digits of a fingerprint, however it was written.
fn digits(text: &str) -> Option<String> {
    let text = text.trim();
    let rest =
        text.get(..7).filter(|start| start.eq_ignore_ascii_case("sha256:")).map_or(text, |_| &text[7..]);
    let digits: String =
        rest.chars().filter(|c| !matches!(c, ':' | ' ' | '-')).collect::<String>().to_ascii_uppercase();
    (digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(digits)
}

fn pairs(digits: &str) -> String {
    let pairs: Vec<&str> = (0..digits.len()).step_by(2).filter_map(|at| digits.get(at..at + 2)).collect();
    pairs.join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_however_it_is_written() {
        let plain = "ab".repeat(32);
        let expect = Some("AB".repeat(32));
        assert_eq!(digits(&plain), expect);
        assert_eq!(digits(&format!("SHA256:{}", pairs(&plain.to_uppercase()))), expect);
        assert_eq!(digits(&format!(" {} ", pairs(&plain))), expect);
        for wrong in ["", "sha256:", "ab", &"zz".repeat(32), &"ab".repeat(33), "指纹"] {
            assert_eq!(digits(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn nothing_is_sent_in_the_clear_to_another_machine() {
        for wrong in [
            "http://district.example",
            "district.example",
            "https://",
            "https://user@d",
            "https://d/path",
            "ftp://d",
        ] {
            assert!(matches!(District::reach(wrong, None), Err(EnrolError::Address(_))), "{wrong}");
        }
        assert!(matches!(District::reach("https://d", Some("12")), Err(EnrolError::NoFingerprint(_))));
        assert!(District::reach("http://127.0.0.1:8090", None).is_ok());
    }
}
