//! The free space of the file system: the file that reserves some of it, and whether any is left.

use std::io::Write;
use std::path::Path;

use crate::watermark::beside;

/// Size of the reserve: more than the write-ahead log grows between two checkpoints.
const RESERVED: u64 = 6 * 1024 * 1024;

/// Space that must stay free beside the reserve, for files of other programs.
const MARGIN: u64 = 1024 * 1024;

/// Less free space than this is none: SQLite's shared-memory file alone grows by 32 KiB.
const NOTHING: u64 = 64 * 1024;

/// Whether the operating system says that there is no space, or none left in the quota.
pub(crate) fn is_no_space(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)
}

/// Whether the reserve of this database exists in full.
pub(crate) fn is_reserved(database: &Path) -> bool {
    std::fs::metadata(beside(database, "reserve")).is_ok_and(|found| found.len() >= RESERVED)
}

/// Creates the reserve unless it exists. Returns `StorageFull` if there is no space for it; blocks.
pub(crate) fn reserve(database: &Path) -> std::io::Result<()> {
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

/// Deletes the reserve; returns whether there was one.
pub(crate) fn release(database: &Path) -> bool {
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
