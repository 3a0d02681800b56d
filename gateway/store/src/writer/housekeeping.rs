//! Periodic work of the writer in small steps; never scans the backlog.

use std::time::Duration;

use sqlx::{Connection, Row};
use tokio::time::Instant;

use super::Writer;
use crate::schema::TABLES;
use crate::watermark::Watermark;

/// How often trends are purged, the watermark is written and the reserve is renewed. Each
/// writing of the watermark costs three flash pages: at this rate about 20 MB a day.
const EVERY: Duration = Duration::from_secs(60);

/// Command ids are remembered this long: a repeated id is the same command.
const COMMANDS_KEPT_MS: i64 = 30 * 24 * 3600 * 1000;

/// Ledger entries kept in the database; all were delivered to the district.
const LEDGER_KEPT: i64 = 10_000;

/// Most state changes of alarms kept.
const ALARM_STEPS_KEPT: i64 = 50_000;

/// Most dead letters kept besides those that cannot be decoded.
const DEAD_KEPT: i64 = 1000;

/// Free pages returned to the file system per step, when a quarter of the file is free.
const VACUUM_PAGES: i64 = 512;

/// The same while the file is larger than it may be.
const VACUUM_MORE: i64 = 16 * VACUUM_PAGES;

/// When each task was last done.
#[derive(Default)]
pub(super) struct Due {
    /// The size was checked.
    pub looked: Option<Instant>,
    /// [`Sizes::added`](super::sizes::Sizes::added) when it was.
    pub added_before: u64,
    /// The pass of evictions that followed did not finish.
    pub has_more: bool,
    /// Rejected records became losses.
    pub collected: Option<Instant>,
    done: Option<Instant>,
    written: Option<Watermark>,
}

// === impl Writer ===

impl Writer {
    /// One round of housekeeping; errors are handled like those of transactions.
    pub(super) async fn housekeeping(&mut self) {
        if let Err(error) = self.round().await {
            self.report(error).await;
        }
    }

    /// Goes on with a pass of evictions that did not finish.
    pub(super) async fn enforce_more(&mut self) {
        self.housekeeping.has_more = false;
        if let Err(error) = self.enforce().await {
            self.report(error).await;
        }
    }

    async fn round(&mut self) -> Result<(), sqlx::Error> {
        self.enforce().await?;
        if self.housekeeping.done.is_some_and(|done| done.elapsed() < EVERY) {
            return Ok(());
        }
        // What the age cap leaves to do is done in the next round.
        let is_done = self.enforce_age().await?;
        self.housekeeping.done = is_done.then(Instant::now);
        self.purge_history(self.settings.history_retention).await?;
        self.enforce_undecodable().await?;
        self.purge_records().await?;
        self.vacuum_step().await?;
        self.remember().await;
        self.reserve_space().await
    }

    async fn purge_records(&mut self) -> Result<(), sqlx::Error> {
        let before = self.steady_now().0.saturating_sub(COMMANDS_KEPT_MS);
        let Some(connection) = &mut self.connection else { return Ok(()) };
        sqlx::query(
            "DELETE FROM command WHERE at < ? AND id NOT IN (SELECT id FROM open_command) \
             AND id NOT IN (SELECT key FROM undecodable WHERE source = 'command')",
        )
        .bind(before)
        .execute(&mut *connection)
        .await?;
        sqlx::query("DELETE FROM seen WHERE at < ?").bind(before).execute(&mut *connection).await?;
        sqlx::query("DELETE FROM ledger WHERE id <= (SELECT max(id) FROM ledger) - ?")
            .bind(LEDGER_KEPT)
            .execute(&mut *connection)
            .await?;
        sqlx::query("DELETE FROM alarm_journal WHERE id <= (SELECT max(id) FROM alarm_journal) - ?")
            .bind(ALARM_STEPS_KEPT)
            .execute(&mut *connection)
            .await?;
        sqlx::query("DELETE FROM dead_letter WHERE seq NOT IN (SELECT seq FROM dead_letter ORDER BY seq DESC LIMIT ?) \
             AND seq NOT IN (SELECT CAST(key AS INTEGER) FROM undecodable WHERE source = 'outbox')")
            .bind(DEAD_KEPT)
            .execute(connection)
            .await?;
        Ok(())
    }

    /// Shrinks the file a little if a quarter of it is free, and more if it is too large.
    async fn vacuum_step(&mut self) -> Result<(), sqlx::Error> {
        let Some(connection) = &mut self.connection else { return Ok(()) };
        let row = sqlx::query(
            "SELECT (SELECT freelist_count FROM pragma_freelist_count()), (SELECT page_count FROM pragma_page_count()), \
             (SELECT page_size FROM pragma_page_size())",
        )
        .fetch_one(&mut *connection)
        .await?;
        let (free, all, page): (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
        let is_too_large = all.saturating_mul(page) > self.settings.max_bytes.cast_signed();
        if free > VACUUM_PAGES && (is_too_large || free > all / 4) {
            let pages = if is_too_large { VACUUM_MORE } else { VACUUM_PAGES };
            let step = format!("PRAGMA incremental_vacuum({pages})");
            sqlx::query(sqlx::AssertSqlSafe(step)).execute(connection).await?;
        }
        Ok(())
    }

    /// Writes the watermark if it has moved.
    pub(super) async fn remember(&mut self) {
        match self.oldest().await {
            Ok(oldest) => self.meta.oldest = oldest,
            Err(error) => return tracing::debug!(%error, "the oldest record is not known"),
        }
        let mark = Watermark {
            epoch: self.meta.epoch.to_string(),
            next_seq: self.meta.next_seq,
            oldest: self.meta.oldest,
        };
        if self.housekeeping.written.as_ref() == Some(&mark) {
            return;
        }
        let (path, written) = (self.settings.path.clone(), mark.clone());
        match tokio::task::spawn_blocking(move || written.write(&path)).await {
            Ok(Ok(())) => self.housekeeping.written = Some(mark),
            Ok(Err(error)) => tracing::warn!(%error, "the watermark could not be written"),
            Err(error) => tracing::warn!(%error, "the watermark could not be written"),
        }
    }

    /// The lowest number not yet delivered.
    async fn oldest(&mut self) -> Result<u64, sqlx::Error> {
        let Some(connection) = &mut self.connection else { return Ok(self.meta.oldest) };
        let mut oldest = self.meta.next_seq;
        for table in TABLES {
            let first = format!("SELECT min(seq) FROM {table}");
            let first: Option<i64> =
                sqlx::query_scalar(sqlx::AssertSqlSafe(first)).fetch_one(&mut *connection).await?;
            oldest = oldest.min(first.map_or(oldest, i64::cast_unsigned));
        }
        Ok(oldest)
    }

    /// Marks the database as in use; only [`Writer::mark_closed`] takes the mark away.
    pub(super) async fn mark_open(&mut self) {
        self.mark("0").await;
    }

    pub(super) async fn mark_closed(&mut self) {
        self.mark("1").await;
        if let Some(connection) = &mut self.connection {
            let _ = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut *connection).await;
            let _ = connection.ping().await;
        }
    }

    async fn mark(&mut self, clean: &str) {
        let Some(connection) = &mut self.connection else { return };
        let marked = sqlx::query("INSERT OR REPLACE INTO meta (key, value) VALUES ('clean', ?)")
            .bind(clean)
            .execute(connection)
            .await;
        if let Err(error) = marked {
            tracing::warn!(%error, "the database could not be marked");
        }
    }
}
