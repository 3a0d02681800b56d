//! Which brokers a line trusts over TLS.

use std::sync::Arc;

use mqtt_v311::tokio_rustls::rustls;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// The client's side of TLS that trusts these certificates in PEM, or those of the system if the text is empty.
///
/// # Errors
/// A sentence when the text holds no certificate.
pub(super) fn trusted(ca: &str) -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::empty();
    if ca.is_empty() {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    for certificate in CertificateDer::pem_slice_iter(ca.as_bytes()) {
        let added = certificate
            .map_err(|error| error.to_string())
            .and_then(|certificate| roots.add(certificate).map_err(|error| error.to_string()));
        added.map_err(|error| format!("ca: a certificate cannot be used: {error}"))?;
    }
    if roots.is_empty() {
        return Err("ca: no certificate in PEM; give the broker's authority".to_owned());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| error.to_string())?;
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}
