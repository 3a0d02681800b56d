//! The database's format: made, and brought up to date.

use sqlx::{AssertSqlSafe, PgPool, Row};

/// Each format's change from the one before, in order. A change that was shipped is never edited.
const CHANGES: [&str; 6] = [
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
    include_str!("schema/5.sql"),
    include_str!("schema/6.sql"),
];

/// The format that this program reads and writes.
pub const FORMAT: i32 = CHANGES.len() as i32;

/// Number of the advisory lock under which the format is changed ("linli" in ASCII).
const LOCK: i64 = 0x006C_696E_6C69;

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// The database fails.
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
    /// A newer program has changed it.
    #[error("the database has format {found}, this program knows {FORMAT}; install a newer one")]
    Newer {
        /// The format found.
        found: i32,
    },
    /// It must be changed first.
    #[error("the database has format {found}, this program needs {FORMAT}; run `linli-district migrate`")]
    Older {
        /// The format found; 0 is an empty database.
        found: i32,
    },
}

/// Returns the format of a database, 0 if it is empty.
pub async fn format(pool: &PgPool) -> Result<i32, sqlx::Error> {
    let is_there: bool =
        sqlx::query("SELECT to_regclass('format') IS NOT NULL").fetch_one(pool).await?.try_get(0)?;
    if !is_there {
        return Ok(0);
    }
    sqlx::query("SELECT coalesce(max(format), 0) FROM format").fetch_one(pool).await?.try_get(0)
}

/// Whether the database takes writes; one that follows another, or still restores a backup, does not.
pub async fn takes_writes(pool: &PgPool) -> Result<bool, sqlx::Error> {
    sqlx::query("SELECT NOT pg_is_in_recovery()").fetch_one(pool).await?.try_get(0)
}

/// Checks that the database has this program's format.
pub async fn check(pool: &PgPool) -> Result<(), FormatError> {
    match format(pool).await? {
        FORMAT => Ok(()),
        found if found > FORMAT => Err(FormatError::Newer { found }),
        found => Err(FormatError::Older { found }),
    }
}

/// Brings the database to this program's format. Returns the format it had. Copies that do it at once wait for each other.
pub async fn migrate(pool: &PgPool) -> Result<i32, FormatError> {
    let mut tx = pool.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *tx).await?;
    sqlx::query(
        "CREATE TABLE IF NOT EXISTS format (format int PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())",
    )
    .execute(&mut *tx)
    .await?;
    let found: i32 =
        sqlx::query("SELECT coalesce(max(format), 0) FROM format").fetch_one(&mut *tx).await?.try_get(0)?;
    if found > FORMAT {
        return Err(FormatError::Newer { found });
    }
    for (change, format) in CHANGES.iter().zip(1_i32..).filter(|(_, format)| *format > found) {
        sqlx::raw_sql(AssertSqlSafe(*change)).execute(&mut *tx).await?;
        sqlx::query("INSERT INTO format (format) VALUES ($1)").bind(format).execute(&mut *tx).await?;
    }
    tx.commit().await?;
    Ok(found)
}
