//! The server's side of TLS: which certificate it shows is decided for each connection, so it can be renewed
//! while the listeners go on.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::ResolvesServerCert;

/// TLS for listeners.
#[derive(Debug, Clone)]
pub struct Tls {
    /// For HTTP: offers HTTP/2 and HTTP/1.1 (ALPN, RFC 7301).
    pub http: Arc<ServerConfig>,
    /// For other protocols: offers none by name.
    pub other: Arc<ServerConfig>,
}

// === impl Tls ===

impl Tls {
    /// TLS 1.2 and 1.3 by rustls with ring; `resolver` gives the certificate.
    ///
    /// # Errors
    /// When the cryptography that is linked supports no version of TLS.
    pub fn new(resolver: Arc<dyn ResolvesServerCert>) -> Result<Self, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let other = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        let mut http = other.clone();
        http.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { http: Arc::new(http), other: Arc::new(other) })
    }
}
