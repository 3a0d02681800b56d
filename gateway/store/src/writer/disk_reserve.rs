//! A reserve for the full disk: a file of a few megabytes beside the database. While there is no
//! reserve, the database does not grow.
//!
//! Evicting records needs space itself: pages are written to the write-ahead log first, and a
//! checkpoint may have to extend the file. So when the disk is full, the reserve is deleted, the log
//! is checkpointed, and SQLite is limited to the present size of the file: new records use the pages
//! of evicted ones. When there is space for the reserve again, the limit is removed.

use linli_domain::loss::LossReason;
use sqlx::{Connection, SqliteConnection};

use super::Writer;
use crate::disk_space;

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
        let released = tokio::task::spawn_blocking(move || disk_space::release(&path)).await.unwrap_or(false);
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
        let held = tokio::task::spawn_blocking(move || disk_space::reserve(&path)).await;
        match held.unwrap_or_else(|error| Err(error.into())) {
            Ok(()) => self.set_reserved(true),
            Err(error) => {
                tracing::debug!(%error, "no space for the reserve");
                self.set_reserved(false);
            }
        }
        let mut connection = self.connected().await?;
        let limited = limit(&mut connection, self.has_reserve).await;
        self.put_back(connection, limited.is_ok()).await;
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
        self.put_back(connection, emptied.is_ok()).await;
        emptied.map(|_| ())
    }
}

/// Sets SQLite's page limit: none, or the present size of the file.
pub(super) async fn limit(connection: &mut SqliteConnection, may_grow: bool) -> Result<(), sqlx::Error> {
    let limit = if may_grow { UNBOUNDED } else { AS_IT_IS };
    sqlx::query(limit).execute(&mut *connection).await?;
    connection.ping().await
}
