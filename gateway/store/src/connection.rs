//! The connection that writes, and how it ends.
//!
//! SQLite removes the write-ahead log by its name when the last connection to a database closes. A
//! connection that is only dropped closes some time later, on a thread of its own, and would then
//! remove the log of the database that was put in its place meanwhile, with everything accepted
//! into it. So a connection of this crate is closed and awaited before its file is replaced.
//! Connections of [`schema::reader`] cannot remove the log: they open the file read-only.

use std::path::Path;

use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};

use crate::schema;

/// Opens the database at `path` for writing, and creates it if there is none. When this fails, no
/// connection is left.
pub(crate) async fn open(path: &Path) -> Result<SqliteConnection, sqlx::Error> {
    // No setting of these options reads the file: a file that is no database is found below.
    let mut connection = SqliteConnection::connect_with(&schema::writer(path)).await?;
    match connection.execute(AssertSqlSafe(schema::WRITER_SETTINGS)).await {
        Ok(_) => Ok(connection),
        Err(error) => {
            close(connection).await;
            Err(error)
        }
    }
}

/// Closes a connection and waits until it has let go of its files. An error of the close changes
/// nothing for the caller: what was committed is in the log, and the next connection recovers it.
pub(crate) async fn close(connection: SqliteConnection) {
    if let Err(error) = connection.close().await {
        tracing::debug!(%error, "a connection to the database did not close cleanly");
    }
}
