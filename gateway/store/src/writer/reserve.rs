//! A few megabytes held back, so that a full disk still leaves room to make room.

use std::io::Write;
use std::path::Path;

use crate::watermark::beside;

/// As much as the write-ahead log may grow between two checkpoints.
const LARGEST: u64 = 6 * 1024 * 1024;

/// The reserve's size for a database of at most `max_bytes`.
pub(super) const fn size(max_bytes: u64) -> u64 {
    let share = max_bytes / 32;
    if share < LARGEST { share } else { LARGEST }
}

/// Creates the reserve if it is missing. Real zeros: a hole would hold nothing back.
pub(super) fn create(database: &Path, bytes: u64) -> std::io::Result<()> {
    let path = beside(database, "reserve");
    if std::fs::metadata(&path).is_ok_and(|found| found.len() >= bytes) {
        return Ok(());
    }
    let written = write_zeros(&path, bytes);
    if written.is_err() {
        let _ = std::fs::remove_file(&path);
    }
    written
}

/// Gives the reserve back to the file system; whether there was one.
pub(super) fn release(database: &Path) -> bool {
    std::fs::remove_file(beside(database, "reserve")).is_ok()
}

fn write_zeros(path: &Path, bytes: u64) -> std::io::Result<()> {
    let mut file = std::fs::File::create(path)?;
    let block = [0_u8; 64 * 1024];
    let mut left = bytes;
    while left > 0 {
        let step = usize::try_from(left).unwrap_or(block.len()).min(block.len());
        file.write_all(&block[..step])?;
        left -= step as u64;
    }
    file.sync_all()
}
