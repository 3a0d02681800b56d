//! One process, one database: an advisory lock on a file beside it, gone with the process.

use std::fs::{File, TryLockError};
use std::path::Path;

use crate::error::OpenError;
use crate::watermark::beside;

/// Held while a process writes a database; released when dropped.
pub struct DatabaseLock {
    _file: File,
}

// === impl DatabaseLock ===

impl DatabaseLock {
    /// Takes the lock. [`OpenError::InUse`] if another process holds it.
    ///
    /// Creates the directory of the database if it is missing.
    pub fn take(database: &Path) -> Result<Self, OpenError> {
        let directory = |source| OpenError::Directory { path: database.to_owned(), source };
        if let Some(parent) = database.parent().filter(|p| !p.as_os_str().is_empty()) {
            std::fs::create_dir_all(parent).map_err(directory)?;
        }
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(beside(database, "lock"))
            .map_err(directory)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path: database.to_owned() }),
            Err(TryLockError::Error(source)) => Err(directory(source)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_has_one_owner_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/linli.db");
        let first = DatabaseLock::take(&path).unwrap();
        assert!(matches!(DatabaseLock::take(&path), Err(OpenError::InUse { .. })));
        drop(first);
        assert!(DatabaseLock::take(&path).is_ok());
    }
}
