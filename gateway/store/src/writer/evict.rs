//! Evicts the oldest records of the least important class, with a ledger entry for each batch.

use std::time::Duration;

use linli_domain::Timestamp;
use linli_domain::loss::{Loss, LossReason};
use sqlx::{Connection, Row, SqliteConnection};
use tokio::time::Instant;

use super::Writer;
use super::transact::{self, Draft};
use crate::schema::{self, TABLES};

/// Rows evicted in one transaction when the size cap is reached: a twentieth of the table.
const SHARE: u64 = 20;

/// Most rows evicted in one transaction, so that the transaction itself stays small.
const MOST: u64 = 2000;

/// Shortest time between two checks of the size while records come in.
const LOOK_EVERY: Duration = Duration::from_secs(1);

// === impl Writer ===

impl Writer {
    /// Checks the size, at most once a second.
    pub(super) async fn enforce_soon(&mut self) {
        if self.housekeeping.looked.is_none_or(|looked| looked.elapsed() >= LOOK_EVERY) {
            self.housekeeping.looked = Some(Instant::now());
            if let Err(error) = self.enforce().await {
                self.report(error).await;
            }
        }
    }

    /// Keeps the database below its size: trends first, then data class by class, the urgent
    /// lane only when nothing else is left and its own reserve is used up.
    pub(super) async fn enforce(&mut self) -> Result<(), sqlx::Error> {
        let (cap, reserve) = (self.settings.max_bytes, self.settings.max_bytes / 10);
        let mut trend_share = 1;
        while self.used().await? > cap - reserve {
            if trend_share < 64 {
                trend_share *= 2;
                self.purge_history(self.settings.history_retention / trend_share).await?;
            } else if (1..TABLES.len()).any(|table| self.meta.rows[table] > 0) {
                self.evict_oldest(LossReason::SizeCap).await?;
            } else {
                break;
            }
        }
        while self.used().await? > cap && self.meta.rows[0] > 1 {
            self.evict(0, LossReason::SizeCap, None).await?;
        }
        Ok(())
    }

    /// Evicts records older than the age cap.
    pub(super) async fn enforce_age(&mut self) -> Result<(), sqlx::Error> {
        let Some(max_age) = self.settings.max_age else { return Ok(()) };
        let age = i64::try_from(max_age.as_millis()).unwrap_or(i64::MAX);
        let oldest = Timestamp(self.steady_now().0.saturating_sub(age));
        for table in 0..TABLES.len() {
            while self.evict(table, LossReason::AgeCap, Some(oldest)).await? {}
        }
        Ok(())
    }

    /// Evicts the oldest records of the least important class that has any. Returns whether there were any.
    pub(super) async fn evict_oldest(&mut self, reason: LossReason) -> Result<bool, sqlx::Error> {
        match (1..TABLES.len()).find(|table| self.meta.rows[*table] > 0) {
            Some(table) => self.evict(table, reason, None).await,
            None => Ok(false),
        }
    }

    /// Evicts a batch of the oldest rows of one table (only those before `before`, if given) and
    /// writes the ledger entry in the same transaction. Returns whether there were any.
    async fn evict(
        &mut self,
        table: usize,
        reason: LossReason,
        before: Option<Timestamp>,
    ) -> Result<bool, sqlx::Error> {
        let batch = (self.meta.rows[table] / SHARE).clamp(1, MOST);
        let mut connection = self.connected().await?;
        let now = (self.now)();
        let mut draft = Draft::new(&self.meta, now);
        let went = evict_from(&mut connection, &mut draft, table, batch, reason, before, now).await;
        self.put_back(connection, went.is_ok());
        if let Some(loss) = went? {
            tracing::warn!(reason = reason.as_str(), range = ?loss.range, messages = loss.messages, "records evicted");
            transact::adopt_without_losses(self, draft);
            return Ok(true);
        }
        Ok(false)
    }

    /// Bytes in use.
    pub(super) async fn used(&mut self) -> Result<u64, sqlx::Error> {
        let Some(connection) = &mut self.connection else { return Ok(0) };
        let row = sqlx::query(
            "SELECT (SELECT page_count FROM pragma_page_count()) - (SELECT freelist_count FROM pragma_freelist_count()), \
             (SELECT page_size FROM pragma_page_size())",
        )
        .fetch_one(connection)
        .await?;
        let used = row.get::<i64, _>(0).cast_unsigned() * row.get::<i64, _>(1).cast_unsigned();
        self.status.send_modify(|status| status.used_bytes = used);
        Ok(used)
    }
}

async fn evict_from(
    connection: &mut SqliteConnection,
    draft: &mut Draft,
    table: usize,
    batch: u64,
    reason: LossReason,
    before: Option<Timestamp>,
    now: Timestamp,
) -> Result<Option<Loss>, sqlx::Error> {
    let name = TABLES[table];
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let oldest = format!(
        "SELECT min(seq), max(seq), count(*), min(at), max(at) FROM \
         (SELECT seq, at FROM {name} ORDER BY seq LIMIT ?1) WHERE at < ?2"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(oldest))
        .bind(batch.cast_signed())
        .bind(before.map_or(i64::MAX, |before| before.0))
        .fetch_one(&mut *transaction)
        .await?;
    let (Some(first), Some(last)) = (row.get::<Option<i64>, _>(0), row.get::<Option<i64>, _>(1)) else {
        return Ok(None);
    };
    let went = format!("DELETE FROM {name} WHERE seq BETWEEN ?1 AND ?2 AND at < ?3");
    let deleted = sqlx::query(sqlx::AssertSqlSafe(went))
        .bind(first)
        .bind(last)
        .bind(before.map_or(i64::MAX, |before| before.0))
        .execute(&mut *transaction)
        .await?
        .rows_affected();
    draft.meta.rows[table] = draft.meta.rows[table].saturating_sub(deleted);
    let loss = Loss {
        reason,
        class: schema::class(table),
        of_epoch: draft.meta.epoch.to_string(),
        range: Some((first.cast_unsigned(), last.cast_unsigned())),
        messages: Some(deleted),
        between: Some((Timestamp(row.get(3)), Timestamp(row.get(4)))),
        detail: String::new(),
    };
    draft.ledger(&mut transaction, &loss, now).await?;
    draft.insert(&mut transaction).await?;
    draft.write(&mut transaction).await?;
    transaction.commit().await?;
    Ok(Some(loss))
}
