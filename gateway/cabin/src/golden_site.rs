//! The site of the cabin's tests: a store with the keys of residents.

use std::ops::Deref;

pub use linli_golden_site::NOW;

use crate::ResidentKeys;

/// A store in a directory of its own.
pub struct Site(linli_golden_site::Site);

// === impl Site ===

impl Site {
    /// An empty store.
    pub async fn open() -> Self {
        Self(linli_golden_site::Site::open().await)
    }

    /// The same with a store of that size in bytes.
    pub async fn open_of(max_bytes: u64) -> Self {
        Self(linli_golden_site::Site::open_of(max_bytes).await)
    }

    /// The keys of residents.
    pub fn residents(&self) -> ResidentKeys {
        ResidentKeys::at(self.0.dir())
    }

    /// Every entry of the audit, and everything that waits for the broker.
    pub async fn dump(&self) -> String {
        self.0.cabin_audit().await + &self.0.messages().await
    }
}

impl Deref for Site {
    type Target = linli_golden_site::Site;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}
