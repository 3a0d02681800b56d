//! A reserve for the full disk: a file of a few megabytes beside the database. While there is no
//! reserve, the database does not grow.
//!
//! Evicting records needs space itself: pages are written to the write-ahead log first, and a
//! checkpoint may have to extend the file. So when the disk is full, the reserve is deleted, the log
//! is checkpointed, and SQLite is limited to the present size of the file: new records use the pages
//! of evicted ones. When there is space for the reserve again, the limit is removed.

use std::io::Write;
use std::path::Path;

use linli_domain::loss::LossReason;
use sqlx::{Connection, SqliteConnection};

use super::Writer;
use crate::error::is_no_space;
use crate::watermark::beside;

/// Size of the reserve: more than the write-ahead log grows between two checkpoints.
const RESERVED: u64 = 6 * 1024 * 1024;

/// Space that must stay free beside the reserve, for files of other programs.
const MARGIN: u64 = 1024 * 1024;

/// SQLite's own limit: the file may grow.
const UNBOUNDED: &str = "PRAGMA max_page_count = 4294967294";

/// SQLite takes no limit below the present size: the file may not grow.
const AS_IT_IS: &str = "PRAGMA max_page_count = 1";

// === impl Writer ===

impl Writer {
    /// Frees space on a full disk: deletes the reserve and evicts records. Returns whether anything
    /// was freed.
    pub(super) async fn free_space(&mut self) -> bool {
        let path = self.settings.path.clone();
        let released = tokio::task::spawn_blocking(move || release(&path)).await.unwrap_or(false);
        self.set_reserved(false);
        if let Err(error) = self.empty_the_log().await {
            tracing::debug!(%error, "the log could not be emptied");
        }
        let gained = self.evict_oldest(LossReason::DiskFull).await;
        if let Err(error) = &gained {
            tracing::debug!(%error, "no space could be freed");
        }
        released || gained.unwrap_or(false)
    }

    /// Creates the reserve if there is space for it, and sets SQLite's page limit accordingly.
    pub(super) async fn reserve_space(&mut self) -> Result<(), sqlx::Error> {
        let path = self.settings.path.clone();
        let held = tokio::task::spawn_blocking(move || create(&path)).await;
        match held.unwrap_or_else(|error| Err(error.into())) {
            Ok(()) => self.set_reserved(true),
            Err(error) => {
                tracing::debug!(%error, "no space for the reserve");
                self.set_reserved(false);
            }
        }
        let mut connection = self.connected().await?;
        let limited = limit(&mut connection, self.has_reserve).await;
        self.put_back(connection, limited.is_ok());
        limited
    }

    fn set_reserved(&mut self, has_reserve: bool) {
        self.has_reserve = has_reserve;
        let changed = self
            .status
            .send_if_modified(|status| std::mem::replace(&mut status.disk_full, !has_reserve) == has_reserve);
        if changed && has_reserve {
            tracing::info!("the disk has space again: the database may grow");
        } else if changed {
            tracing::warn!("the disk is full: the database does not grow, the oldest records are evicted");
        }
    }

    async fn empty_the_log(&mut self) -> Result<(), sqlx::Error> {
        let mut connection = self.connected().await?;
        let emptied = sqlx::query("PRAGMA wal_checkpoint(RESTART)").execute(&mut connection).await;
        self.put_back(connection, emptied.is_ok());
        emptied.map(|_| ())
    }
}

/// Sets SQLite's page limit: none, or the present size of the file.
pub(super) async fn limit(connection: &mut SqliteConnection, may_grow: bool) -> Result<(), sqlx::Error> {
    let limit = if may_grow { UNBOUNDED } else { AS_IT_IS };
    sqlx::query(limit).execute(&mut *connection).await?;
    connection.ping().await
}

/// Whether the reserve of this database exists in full.
pub(super) fn is_reserved(database: &Path) -> bool {
    std::fs::metadata(beside(database, "reserve")).is_ok_and(|found| found.len() >= RESERVED)
}

fn create(database: &Path) -> std::io::Result<()> {
    if is_reserved(database) {
        return Ok(());
    }
    let path = beside(database, "reserve");
    // Checked first: writing the reserve costs six megabytes of flash wear.
    let disk = rustix::fs::statvfs(database)?;
    if disk.f_bavail.saturating_mul(disk.f_frsize) < RESERVED + MARGIN {
        return Err(std::io::ErrorKind::StorageFull.into());
    }
    let written = write_zeros(&path);
    if written.is_err() {
        let _ = std::fs::remove_file(&path);
    }
    written
}

/// Less free space than this is none: SQLite's shared-memory file alone grows by 32 KiB.
const NOTHING: u64 = 64 * 1024;

/// Whether there is no space for the database, by the file system's figures or, since a quota is
/// not among them, by writing a little.
pub(crate) fn is_exhausted(database: &Path) -> bool {
    let directory = database.parent().unwrap_or(database);
    if let Ok(disk) = rustix::fs::statvfs(directory)
        && disk.f_bavail.saturating_mul(disk.f_frsize) < NOTHING
    {
        return true;
    }
    let path = beside(database, "trial");
    let tried = std::fs::File::create(&path).and_then(|mut file| {
        file.write_all(&[0; 8 * 1024])?;
        file.sync_all()
    });
    let _ = std::fs::remove_file(&path);
    tried.is_err_and(|error| is_no_space(&error))
}

fn release(database: &Path) -> bool {
    std::fs::remove_file(beside(database, "reserve")).is_ok()
}

/// Writes zeros: a sparse file would reserve nothing.
fn write_zeros(path: &Path) -> std::io::Result<()> {
    let mut file = std::fs::File::create(path)?;
    let block = [0_u8; 64 * 1024];
    for _ in 0..RESERVED / block.len() as u64 {
        file.write_all(&block)?;
    }
    file.sync_all()
}
