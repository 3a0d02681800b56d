//! A small file beside the database that stores the sequence numbers it reached: if the database
//! is lost, the ledger can still name the range that was lost.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The sequence numbers a database had reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watermark {
    /// Its epoch.
    pub epoch: String,
    /// Its next sequence number.
    pub next_seq: u64,
    /// Every record below was delivered, evicted or dead-lettered.
    pub oldest: u64,
}

// === impl Watermark ===

impl Watermark {
    /// The file beside a database.
    pub fn path(database: &Path) -> PathBuf {
        beside(database, "watermark")
    }

    /// Reads it; a missing or damaged one is none.
    pub fn read(database: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(Self::path(database)).ok()?).ok()
    }

    /// Replaces it atomically: written, synced, renamed, directory synced.
    pub fn write(&self, database: &Path) -> std::io::Result<()> {
        let path = Self::path(database);
        let fresh = beside(database, "watermark.new");
        let mut file = std::fs::File::create(&fresh)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.sync_all()?;
        std::fs::rename(&fresh, &path)?;
        match path.parent() {
            Some(directory) => std::fs::File::open(directory)?.sync_all(),
            None => Ok(()),
        }
    }
}

/// `linli.db` with `ending` gives `linli.db.ending`.
pub fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_survives_and_garbage_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("linli.db");
        assert_eq!(Watermark::read(&database), None);
        let mark = Watermark { epoch: "e".to_owned(), next_seq: 9, oldest: 4 };
        mark.write(&database).unwrap();
        assert_eq!(Watermark::read(&database), Some(mark));
        std::fs::write(Watermark::path(&database), b"\0\0\0").unwrap();
        assert_eq!(Watermark::read(&database), None);
    }
}
