//! What can be wrong with certificates and keys, with the words that say how to mend it.

use std::path::{Path, PathBuf};

/// Why certificates cannot be used or made.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Path of the file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// A file with a private key is open to others.
    #[error("{0}: group or others may read this private key (mode {mode:03o}); run `chmod 600 {0}`", path.display())]
    Wide {
        /// Path of the file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The content of a file cannot be used.
    #[error("{}: {why}", path.display())]
    Unusable {
        /// Path of the file.
        path: PathBuf,
        /// What is wrong, and how to mend it.
        why: String,
    },
    /// A certificate cannot be made.
    #[error("a certificate cannot be made: {0}")]
    Make(#[from] rcgen::Error),
}

// === impl TlsError ===

impl TlsError {
    /// A file that cannot be read or written.
    pub(crate) fn file(path: &Path, source: std::io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }

    /// A file whose content cannot be used.
    pub(crate) fn unusable(path: &Path, why: impl Into<String>) -> Self {
        Self::Unusable { path: path.to_owned(), why: why.into() }
    }
}
