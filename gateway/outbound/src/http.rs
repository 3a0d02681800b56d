//! One HTTP request to a machine outside, with the certificates that the configuration trusts.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

/// Longest answer that is read, in bytes.
const LONGEST: u64 = 8 << 20;

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Its body.
    pub body: Vec<u8>,
}

/// Posts a body and returns the answer, whatever its status. Blocks.
///
/// # Errors
/// A sentence: the certificates cannot be read, nobody answers, or the answer is too long.
pub fn post(
    url: &str,
    ca: Option<&Path>,
    headers: &[(&str, &str)],
    body: &[u8],
    patience: Duration,
) -> Result<Answer, String> {
    let mut tls = TlsConfig::builder();
    if let Some(ca) = ca {
        tls = tls.root_certs(RootCerts::Specific(Arc::new(certificates(ca)?)));
    }
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(patience))
        .max_redirects(0)
        .http_status_as_error(false)
        .tls_config(tls.build())
        .build()
        .into();
    let mut request = agent.post(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut answer = request.send(body).map_err(|error| error.to_string())?;
    let status = answer.status().as_u16();
    let body = answer.body_mut().with_config().limit(LONGEST).read_to_vec();
    Ok(Answer { status, body: body.map_err(|error| error.to_string())? })
}

fn certificates(ca: &Path) -> Result<Vec<Certificate<'static>>, String> {
    let pem = std::fs::read(ca).map_err(|error| format!("{}: {error}", ca.display()))?;
    let certificates = parse_pem(&pem).filter_map(|item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(certificate),
        _ => None,
    });
    let certificates: Vec<Certificate<'static>> = certificates.collect();
    if certificates.is_empty() {
        Err(format!("{} has no certificate", ca.display()))
    } else {
        Ok(certificates)
    }
}
