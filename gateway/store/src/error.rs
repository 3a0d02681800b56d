//! Errors by what the caller will do about them.

use std::path::PathBuf;

/// The store could not be opened at all; a damaged file is not such a case.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory is missing or not ours.
    #[error("{}: {source}; create the directory and give it to the user linli runs as", path.display())]
    Directory {
        /// The database file.
        path: PathBuf,
        /// The operating system's words.
        #[source]
        source: std::io::Error,
    },
    /// Another process has it.
    #[error("{}: another linli uses this database; stop it first", path.display())]
    InUse {
        /// The database file.
        path: PathBuf,
    },
    /// Written by a newer linli.
    #[error("{}: has format {found}, this version knows up to {known}; use the newer linli again or move the file away", path.display())]
    Newer {
        /// The database file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest this version knows.
        known: i64,
    },
    /// Anything else that is neither damage nor a full disk.
    #[error("{}: {source}", path.display())]
    Database {
        /// The database file.
        path: PathBuf,
        /// SQLite's words.
        #[source]
        source: sqlx::Error,
    },
}

/// The record was not accepted: the queue before the store is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the store cannot take more for now")]
pub struct Refused;

/// It could not be made durable, and will not be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not stored: {0}")]
pub struct NotDurable(pub String);

/// It could not be read now; trying again later may help.
#[derive(Debug, thiserror::Error)]
#[error("the store cannot be read: {0}")]
pub struct ReadError(#[from] pub(crate) sqlx::Error);

/// What a failed transaction means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// No space, or the device does not write.
    Full,
    /// The file is not what it was.
    Damaged,
    /// Locked, interrupted, unknown: try again.
    Passing,
}

// === impl Trouble ===

impl Trouble {
    /// Reads SQLite's primary result code (sqlite.org, "Result and Error Codes").
    pub(crate) fn of(error: &sqlx::Error) -> Self {
        let code = match error {
            sqlx::Error::Database(database) => {
                database.code().and_then(|code| code.parse::<i32>().ok()).unwrap_or_default()
            }
            sqlx::Error::Io(_) => return Self::Full,
            // What is read is not what we wrote.
            sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } => return Self::Damaged,
            _ => return Self::Passing,
        };
        match code & 0xFF {
            10 | 13 => Self::Full,
            11 | 26 => Self::Damaged,
            // A table of ours that is missing or misshapen.
            1 => Self::Damaged,
            _ => Self::Passing,
        }
    }
}
