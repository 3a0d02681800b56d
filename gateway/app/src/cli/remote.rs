//! Requests to a gateway over the network, for a command line away from the box.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use linli_drivers::insecure::{host_of, is_here};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use super::answer::{Answer, next_page, text_or_bytes};

/// Longest answer: a record of a thousand entries, an export.
const LONGEST: u64 = 64 << 20;

/// Sends a request and returns the whole answer.
///
/// # Errors
/// When the gateway cannot be reached, or its certificate is not that of the centre.
pub fn ask(
    server: &str,
    ca: Option<&Path>,
    (method, path): (&str, &str),
    headers: &[(&str, String)],
    body: &[u8],
    patience: Duration,
) -> anyhow::Result<Answer> {
    let is_local = server.starts_with("http://") && host_of(server).is_some_and(is_here);
    anyhow::ensure!(
        server.starts_with("https://") || is_local,
        "{server}: 只有本机可用明文 only this machine is reached without TLS: https://…"
    );
    let mut tls = TlsConfig::builder();
    if let Some(ca) = ca {
        let pem = std::fs::read(ca).with_context(|| format!("{} cannot be read", ca.display()))?;
        let certificates = parse_pem(&pem).filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        });
        let certificates: Vec<Certificate<'static>> = certificates.collect();
        anyhow::ensure!(!certificates.is_empty(), "{} has no certificate", ca.display());
        tls = tls.root_certs(RootCerts::Specific(std::sync::Arc::new(certificates)));
    }
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(patience))
        .max_redirects(0)
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .tls_config(tls.build())
        .build()
        .into();
    let mut request =
        ureq::http::Request::builder().method(method).uri(format!("{}{path}", server.trim_end_matches('/')));
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let answer = match method {
        "POST" => agent.run(request.body(body.to_vec())?),
        _ => agent.run(request.body(())?),
    };
    let mut answer = answer.with_context(|| format!("{server} does not answer"))?;
    let cookies = answer.headers().get_all("set-cookie").iter();
    let cookies = cookies.filter_map(|cookie| cookie.to_str().ok().map(str::to_owned)).collect();
    let next = next_page(answer.headers().get("link").and_then(|link| link.to_str().ok()));
    let status = answer.status().as_u16();
    let (body, bytes) = text_or_bytes(answer.body_mut().with_config().limit(LONGEST).read_to_vec()?);
    Ok(Answer { status, body, bytes, cookies, next })
}
