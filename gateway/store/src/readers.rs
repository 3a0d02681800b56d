//! The connections that only read.

use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use sqlx::SqlitePool;
use sqlx::sqlite::SqlitePoolOptions;

use crate::schema;

/// Connections that read: one for the uplink, one for people.
const READERS: u32 = 2;

/// The reading connections; replaced when a damaged database was.
pub(crate) struct Readers {
    path: PathBuf,
    pool: RwLock<SqlitePool>,
}

// === impl Readers ===

impl Readers {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), pool: RwLock::new(pool(path)) }
    }

    /// Returns the current pool.
    pub(crate) fn pool(&self) -> SqlitePool {
        self.pool.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Closes the connections to the old file and opens the new one.
    pub(crate) async fn renew(&self) {
        let fresh = pool(&self.path);
        let old = {
            let mut held = self.pool.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *held, fresh)
        };
        old.close().await;
    }
}

fn pool(path: &Path) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(READERS)
        .min_connections(0)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_lazy_with(schema::reader(path))
}
