//! Errors by what the caller will do about them.

use std::path::{Path, PathBuf};

use crate::disk_space::{self, is_no_space};
use crate::quota::Kind;

/// The store could not be opened at all; a damaged file is not such a case.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory is missing or not writable.
    #[error("{}: {source}; create the directory and give it to the user linli runs as", path.display())]
    Directory {
        /// The database file.
        path: PathBuf,
        /// The error of the operating system.
        #[source]
        source: std::io::Error,
    },
    /// Another process uses the database.
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
    /// The database belongs to another user, such as root who put a backup in its place.
    #[error(
        "{}: this user may not open it; it must belong to the user linli runs as: `chown --reference={} {}*`",
        path.display(), path.parent().unwrap_or(path).display(), path.display()
    )]
    NotOurs {
        /// The database file.
        path: PathBuf,
    },
    /// Anything else that is neither damage nor a full disk.
    #[error("{}: {source}", path.display())]
    Database {
        /// The database file.
        path: PathBuf,
        /// The error of SQLite.
        #[source]
        source: sqlx::Error,
    },
}

/// The record was not accepted: the queue in front of the store is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the store cannot take more for now")]
pub struct Refused;

/// The operation was not stored and will not be retried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotDurable {
    /// The transaction failed, or the store is closed. Holds the reason.
    #[error("not stored: {0}")]
    Failed(String),
    /// There is no room for this kind of document.
    #[error("not stored: {0}")]
    Full(#[from] Full),
    /// A key is longer than any that linli makes or a standard permits.
    #[error("not stored: an id of {0} bytes; at most {LONGEST_KEY} are possible")]
    KeyTooLong(usize),
}

/// Most bytes of an id or another key.
pub const LONGEST_KEY: usize = 1000;

/// There is no room for a kind of document; its text says what is full and how to mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full {
    /// The kind.
    pub kind: Kind,
    /// Bytes it uses; `None` when the whole store is full.
    pub used: Option<u64>,
    /// Bytes it may use, or the size of the whole store.
    pub most: u64,
}

// === impl Full ===

impl std::fmt::Display for Full {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kib = |bytes: u64| bytes.div_ceil(1024);
        let Self { kind, used, most } = *self;
        match used {
            Some(used) => write!(
                f,
                "the store has no room for the kind \"{kind}\", which uses {} of {} KiB",
                kib(used),
                kib(most)
            )?,
            None => {
                write!(f, "the whole store of {} KiB is full, so the kind \"{kind}\" is refused", kib(most))?
            }
        }
        write!(f, "; {}", kind.quota().mend)
    }
}

impl std::error::Error for Full {}

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The database does not answer; trying again later may help.
    #[error("the store cannot be read: {0}")]
    Database(#[from] sqlx::Error),
    /// The requested row exists but cannot be decoded. It is kept, counted in
    /// [`Status::undecodable`](crate::Status::undecodable) and logged.
    #[error("{table} {key} cannot be decoded: {reason}")]
    Undecodable {
        /// The table.
        table: &'static str,
        /// The row's key, several parts separated by a slash.
        key: String,
        /// What is wrong with it; never any of its content.
        reason: String,
    },
}

/// What a failed transaction means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// No space: on the file system, in the quota, or below the limit of pages.
    Full,
    /// The device or the file system reports an error other than that: try again.
    Device,
    /// The file is not a database any more, or contradicts itself.
    Damaged,
    /// Locked, interrupted, unknown: try again.
    Passing,
}

/// SQLite's primary result codes (sqlite.org, "Result and Error Codes").
mod code {
    pub const ERROR: i32 = 1;
    pub const IOERR: i32 = 10;
    pub const CORRUPT: i32 = 11;
    pub const FULL: i32 = 13;
    pub const NOTADB: i32 = 26;
}

// === impl Failure ===

impl Failure {
    /// Classifies the error by its code alone. SQLite reports a full disk as an I/O error where it writes
    /// anything but a page; [`Failure::at`] distinguishes the two.
    pub(crate) fn of(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Io(source) if is_no_space(source) => Self::Full,
            sqlx::Error::Io(_) => Self::Device,
            error => match primary_code(error) {
                Some(code::FULL) => Self::Full,
                Some(code::IOERR) => Self::Device,
                Some(code::CORRUPT | code::NOTADB) => Self::Damaged,
                _ => Self::Passing,
            },
        }
    }

    /// Classifies the error for the database at that path. Writes a few kilobytes beside it if
    /// that is needed to tell a full disk from a failing one: may block.
    pub(crate) fn at(error: &sqlx::Error, database: &Path) -> Self {
        match Self::of(error) {
            Self::Device if disk_space::is_exhausted(database) => Self::Full,
            failure => failure,
        }
    }
}

/// Whether SQLite does not understand a statement of ours: a table or a column is not there.
pub(crate) fn is_foreign_schema(error: &sqlx::Error) -> bool {
    primary_code(error) == Some(code::ERROR)
}

/// The lowest byte of SQLite's extended result code.
fn primary_code(error: &sqlx::Error) -> Option<i32> {
    let sqlx::Error::Database(database) = error else { return None };
    database.code()?.parse::<i32>().ok().map(|code| code & 0xFF)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;

    #[derive(Debug)]
    struct Reported(i32);

    impl std::fmt::Display for Reported {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "code {}", self.0)
        }
    }

    impl std::error::Error for Reported {}

    impl sqlx::error::DatabaseError for Reported {
        fn message(&self) -> &str {
            "reported"
        }
        fn code(&self) -> Option<Cow<'_, str>> {
            Some(self.0.to_string().into())
        }
        fn as_error(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
            self
        }
        fn as_error_mut(&mut self) -> &mut (dyn std::error::Error + Send + Sync + 'static) {
            self
        }
        fn into_error(self: Box<Self>) -> Box<dyn std::error::Error + Send + Sync + 'static> {
            self
        }
        fn kind(&self) -> sqlx::error::ErrorKind {
            sqlx::error::ErrorKind::Other
        }
    }

    fn reported(code: i32) -> sqlx::Error {
        sqlx::Error::Database(Box::new(Reported(code)))
    }

    #[test]
    fn only_corruption_is_damage_and_only_no_space_is_a_full_disk() {
        for (code, expect) in [
            (11, Failure::Damaged),
            (26, Failure::Damaged),
            // SQLITE_CORRUPT_VTAB, SQLITE_CORRUPT_INDEX.
            (267, Failure::Damaged),
            (779, Failure::Damaged),
            (13, Failure::Full),
            (10, Failure::Device),
            // SQLITE_IOERR_READ, _WRITE, _FSYNC.
            (266, Failure::Device),
            (778, Failure::Device),
            (1034, Failure::Device),
            (1, Failure::Passing),
            // SQLITE_BUSY, SQLITE_CONSTRAINT_UNIQUE.
            (5, Failure::Passing),
            (2067, Failure::Passing),
        ] {
            assert_eq!(Failure::of(&reported(code)), expect, "code {code}");
        }
    }

    #[test]
    fn what_cannot_be_decoded_is_no_damage() {
        assert_eq!(Failure::of(&sqlx::Error::Decode("not ours".into())), Failure::Passing);
        assert_eq!(Failure::of(&sqlx::Error::ColumnNotFound("body".to_owned())), Failure::Passing);
    }

    #[test]
    fn an_io_error_is_a_full_disk_only_by_its_number() {
        let io = |number: i32| sqlx::Error::Io(std::io::Error::from_raw_os_error(number));
        // ENOSPC, EDQUOT, EIO.
        assert_eq!(Failure::of(&io(28)), Failure::Full);
        assert_eq!(Failure::of(&io(122)), Failure::Full);
        assert_eq!(Failure::of(&io(5)), Failure::Device);
    }

    #[test]
    fn an_io_error_with_space_left_is_the_device() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Failure::at(&reported(778), &dir.path().join("linli.db")), Failure::Device);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "the trial file is removed");
    }

    #[test]
    fn a_missing_table_is_a_foreign_schema() {
        assert!(is_foreign_schema(&reported(1)));
        assert!(!is_foreign_schema(&reported(11)));
    }
}
