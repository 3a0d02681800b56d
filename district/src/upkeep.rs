//! Partitions made ahead, days packed, what is too old removed. Any copy does it, one at a time.

use std::time::Duration;

use sqlx::{AssertSqlSafe, PgPool, Postgres, Row, Transaction};
use tokio_util::sync::CancellationToken;

use crate::config::Keep;

/// Number of the advisory lock of whoever does it ("keep" in ASCII).
const LOCK: i64 = 0x6B65_6570;

/// How often it is looked whether something is to be done.
const EVERY: Duration = Duration::from_secs(900);

/// Pause after a failure.
const AFTER_FAILURE: Duration = Duration::from_secs(30);

/// What one round did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Done {
    /// Days packed.
    pub packed_days: u32,
    /// Partitions removed.
    pub removed: u32,
}

/// Works until cancelled.
pub async fn run(pool: PgPool, keep: Keep, cancel: CancellationToken) {
    loop {
        let pause = match once(&pool, &keep).await {
            Ok(done) => {
                if done != Done::default() {
                    tracing::info!(
                        packed_days = done.packed_days,
                        removed = done.removed,
                        "upkeep of the database"
                    );
                }
                EVERY
            }
            Err(error) => {
                tracing::warn!(%error, "upkeep of the database failed; it is tried again");
                AFTER_FAILURE
            }
        };
        tokio::select! {
            () = cancel.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// One round; nothing while another copy does it.
pub async fn once(pool: &PgPool, keep: &Keep) -> Result<Done, sqlx::Error> {
    let mut done = Done::default();
    let mut tx = pool.begin().await?;
    if !lock(&mut tx).await? {
        return Ok(done);
    }
    // From yesterday on: what an outage held back is of yesterday.
    sqlx::query("SELECT make_partitions(current_date - 1, current_date + $1)")
        .bind(i32::try_from(keep.ahead_days).unwrap_or(7))
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    for (table, days) in [("message", keep.recent_days), ("event", keep.event_days)] {
        for partition in older(pool, table, days).await? {
            let mut tx = pool.begin().await?;
            if !lock(&mut tx).await? {
                return Ok(done);
            }
            if table == "message" {
                sqlx::query("SELECT pack($1::text::regclass)").bind(&partition).execute(&mut *tx).await?;
                done.packed_days += 1;
            }
            // The name comes from the catalogue, and matches the pattern of the query there.
            sqlx::query(AssertSqlSafe(format!("DROP TABLE {partition}"))).execute(&mut *tx).await?;
            tx.commit().await?;
            done.removed += 1;
        }
    }
    defaults(pool, keep).await?;
    let (packed, poison) = (days(keep.packed_days), days(keep.poison_days));
    sqlx::query("DELETE FROM packed WHERE hour < now() - $1 * interval '1 day'")
        .bind(packed)
        .execute(pool)
        .await?;
    sqlx::query("DELETE FROM poison WHERE at < now() - $1 * interval '1 day'")
        .bind(poison)
        .execute(pool)
        .await?;
    Ok(done)
}

fn days(days: u32) -> f64 {
    f64::from(days)
}

async fn lock(tx: &mut Transaction<'_, Postgres>) -> Result<bool, sqlx::Error> {
    sqlx::query("SELECT pg_try_advisory_xact_lock($1)").bind(LOCK).fetch_one(&mut **tx).await?.try_get(0)
}

/// Day partitions that lie wholly before the days that are kept.
async fn older(pool: &PgPool, table: &str, days: u32) -> Result<Vec<String>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid \
         WHERE i.inhparent = $1::text::regclass AND c.relname ~ '^(message|event)_[0-9]{8}$' \
         AND to_date(right(c.relname, 8), 'YYYYMMDD') < current_date - $2 ORDER BY 1",
    )
    .bind(table)
    .bind(i32::try_from(days).unwrap_or(i32::MAX))
    .fetch_all(pool)
    .await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

/// Rows of days without a partition: those that came late are packed like their day was; those of the future stay until
/// they are old.
async fn defaults(pool: &PgPool, keep: &Keep) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin().await?;
    if !lock(&mut tx).await? {
        return Ok(());
    }
    let recent = days(keep.recent_days);
    sqlx::query("CREATE TEMPORARY TABLE late (LIKE message) ON COMMIT DROP").execute(&mut *tx).await?;
    let moved = sqlx::query(
        "WITH gone AS (DELETE FROM message_default WHERE at < now() - $1 * interval '1 day' RETURNING *) \
         INSERT INTO late SELECT * FROM gone",
    )
    .bind(recent)
    .execute(&mut *tx)
    .await?;
    if moved.rows_affected() > 0 {
        sqlx::query("SELECT pack('late'::regclass)").execute(&mut *tx).await?;
    }
    sqlx::query("DELETE FROM event_default WHERE at < now() - $1 * interval '1 day'")
        .bind(days(keep.event_days))
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}
