//! A consistent copy while the gateway runs.

use std::path::{Path, PathBuf};

use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;

use crate::schema;

/// Why no copy was made.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is no database to copy.
    #[error("{}: no database there", .0.display())]
    Missing(PathBuf),
    /// The target file exists already.
    #[error("{}: exists already and is not overwritten; name another file", .0.display())]
    Exists(PathBuf),
    /// The copy was made, but is not sound; it was removed.
    #[error("the copy is not sound ({0}); it was removed")]
    Unsound(String),
    /// SQLite could not read or write.
    #[error("{0}")]
    Database(#[from] sqlx::Error),
    /// The copy could not be put in place.
    #[error("{}: {source}", path.display())]
    File {
        /// Path of the file.
        path: PathBuf,
        /// The error of the operating system.
        #[source]
        source: std::io::Error,
    },
}

/// Copies the database at `path` to `to`. The copy is one snapshot; it is checked and synced, then
/// renamed to `to`.
pub async fn backup(path: &Path, to: &Path) -> Result<(), BackupError> {
    if !path.exists() {
        return Err(BackupError::Missing(path.to_owned()));
    }
    if to.exists() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    let mut unfinished = to.as_os_str().to_owned();
    unfinished.push(".unfinished");
    let unfinished = PathBuf::from(unfinished);
    let _ = std::fs::remove_file(&unfinished);
    let copied = copy(path, &unfinished).await;
    if copied.is_err() {
        let _ = std::fs::remove_file(&unfinished);
        return copied;
    }
    let file = |source| BackupError::File { path: to.to_owned(), source };
    std::fs::File::open(&unfinished).and_then(|copy| copy.sync_all()).map_err(file)?;
    std::fs::rename(&unfinished, to).map_err(file)
}

async fn copy(path: &Path, unfinished: &Path) -> Result<(), BackupError> {
    let mut connection = SqliteConnection::connect_with(&schema::reader(path)).await?;
    sqlx::query("VACUUM INTO ?").bind(unfinished.to_string_lossy().as_ref()).execute(&mut connection).await?;
    connection.close().await?;
    let mut copy = SqliteConnection::connect_with(&schema::reader(unfinished)).await?;
    let checked: String = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&mut copy).await?;
    copy.close().await?;
    if checked == "ok" { Ok(()) } else { Err(BackupError::Unsound(checked)) }
}
