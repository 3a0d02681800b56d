//! Gives each new connection the present certificate, so that a renewal needs no restart.

use std::sync::{Arc, PoisonError, RwLock};

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// The present certificate of all listeners.
#[derive(Debug)]
pub struct Resolver(RwLock<Arc<CertifiedKey>>);

// === impl Resolver ===

impl Resolver {
    /// Starts with a certificate.
    #[must_use]
    pub const fn new(key: Arc<CertifiedKey>) -> Self {
        Self(RwLock::new(key))
    }

    /// Uses another certificate for the connections from now on; those that are open go on.
    pub fn replace(&self, key: Arc<CertifiedKey>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = key;
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}
