//! Keeps the database within its size: each kind of document within its share, by its own rule.
//!
//! Every step removes at least one row and adds none to what it removes from; a pass ends after a number of
//! steps, so that operations that wait (a stop, an alarm) come between two passes.

use std::time::Duration;

use linli_domain::Timestamp;
use linli_domain::loss::{Loss, LossReason};
use sqlx::{Connection, Row, SqliteConnection};
use tokio::time::Instant;

use super::Writer;
use super::transact::{self, Draft};
use crate::quota::{self, Kind};
use crate::schema::{self, TABLES};

/// Rows evicted in one transaction when the size cap is reached: a twentieth of the table.
const SHARE: u64 = 20;

/// Most rows evicted in one transaction, so that the transaction itself stays small.
const MOST: u64 = 2000;

/// Most transactions in one pass.
const STEPS: u32 = 32;

/// Shortest time between two checks of the size while records come in.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The size is checked sooner when this part of it was added.
const MOST_ADDED: u64 = 100;

/// Trends are cut to this fraction of their time before anything else goes.
const SHORT_TREND: u32 = 1 << 6;

/// And to this one, some seconds, when data is at its share.
const SHORTEST_TREND: u32 = 1 << 16;

/// From so many of the latest rows of a table the size of all is estimated.
const SAMPLED: i64 = 200;

/// What is left of the number of steps.
pub(super) struct Pass(u32);

// === impl Pass ===

impl Pass {
    pub(super) const fn new() -> Self {
        Self(STEPS)
    }

    /// Takes a step, if one is left.
    pub(super) const fn step(&mut self) -> bool {
        let is_left = self.0 > 0;
        self.0 = self.0.saturating_sub(1);
        is_left
    }

    /// Whether a step was asked for that was not left.
    pub(super) const fn is_over(&self) -> bool {
        self.0 == 0
    }
}

// === impl Writer ===

impl Writer {
    /// Checks the size
    pub(super) async fn enforce_soon(&mut self) {
        let is_due = self.housekeeping.looked.is_none_or(|looked| looked.elapsed() >= LOOK_EVERY);
        let added = self.sizes.added - self.housekeeping.added_before;
        let is_needed = is_due || added > self.settings.max_bytes / MOST_ADDED;
        if is_needed && let Err(error) = self.enforce().await {
            self.report(error).await;
        }
    }

    /// One pass: every kind within its share, and all of them within the size of the store.
    pub(super) async fn enforce(&mut self) -> Result<(), sqlx::Error> {
        self.housekeeping.looked = Some(Instant::now());
        self.housekeeping.added_before = self.sizes.added;
        let mut pass = Pass::new();
        if self.status.borrow().undecodable > 0 {
            self.enforce_undecodable().await?;
        }
        self.forget_oldest(&mut pass).await?;
        self.shorten_trends(1, SHORT_TREND).await?;
        self.evict_data(&mut pass).await?;
        self.shorten_trends(SHORT_TREND, SHORTEST_TREND).await?;
        self.evict_urgent(&mut pass).await?;
        self.announce().await?;
        self.housekeeping.has_more = pass.is_over();
        if !pass.is_over() {
            let is_over = self.used().await? > self.most_used();
            self.sizes.is_over = is_over;
            if let Some(mut connection) = self.connection.take() {
                let reviewed = self.sizes.review(&mut connection).await;
                self.connection = Some(connection);
                reviewed?;
            }
        }
        self.status.send_if_modified(|status| {
            let before = (status.full.len(), status.is_over);
            self.sizes.show(status);
            before != (status.full.len(), status.is_over)
        });
        Ok(())
    }

    /// Bytes at which elastic kinds make room.
    pub(super) const fn usual(&self) -> u64 {
        self.settings.max_bytes - quota::reserve(self.settings.max_bytes)
    }

    /// Bytes at which the urgent lane makes room, and ordinary documents are refused: half of the reserve
    /// is left.
    const fn most_used(&self) -> u64 {
        self.settings.max_bytes - quota::reserve(self.settings.max_bytes) / 2
    }

    /// Makes trends shorter until the database is small enough, down to one part in `shortest` of their time.
    async fn shorten_trends(&mut self, mut fraction: u32, shortest: u32) -> Result<(), sqlx::Error> {
        while fraction < shortest && self.used().await? > self.usual() {
            fraction *= 2;
            self.purge_history(self.settings.history_retention / fraction).await?;
        }
        Ok(())
    }

    /// Evicts data, the least important class first, until the database is small enough or only their share
    /// is left.
    async fn evict_data(&mut self, pass: &mut Pass) -> Result<(), sqlx::Error> {
        while self.used().await? > self.usual()
            && self.lane_exceeds_share(Kind::Data, 1..TABLES.len()).await?
        {
            if !pass.step() || !self.evict_oldest(LossReason::SizeCap).await? {
                break;
            }
        }
        Ok(())
    }

    /// The same of the urgent lane.
    async fn evict_urgent(&mut self, pass: &mut Pass) -> Result<(), sqlx::Error> {
        while self.used().await? > self.most_used() && self.lane_exceeds_share(Kind::Urgent, 0..1).await? {
            if !pass.step() || !self.evict(0, LossReason::SizeCap, None).await? {
                break;
            }
        }
        Ok(())
    }

    /// Whether tables of the outbox use more than their share.
    async fn lane_exceeds_share(
        &mut self,
        kind: Kind,
        tables: std::ops::Range<usize>,
    ) -> Result<bool, sqlx::Error> {
        let Some(connection) = &mut self.connection else { return Ok(false) };
        let (mut rows, mut bytes) = (0, 0);
        for table in tables {
            let latest = format!(
                "SELECT count(*), ifnull(sum(bytes), 0) FROM (SELECT octet_length(body) AS bytes FROM {} \
                 ORDER BY seq DESC LIMIT {SAMPLED})",
                TABLES[table]
            );
            let (counted, sum): (i64, i64) =
                sqlx::query_as(sqlx::AssertSqlSafe(latest)).fetch_one(&mut *connection).await?;
            if counted < SAMPLED {
                // These are all; the next transaction stores the right count.
                self.meta.rows[table] = counted.cast_unsigned();
            }
            rows += self.meta.rows[table];
            bytes += self.meta.rows[table] * sum.cast_unsigned() / counted.cast_unsigned().max(1);
        }
        self.sizes.estimate(kind, rows, bytes);
        Ok(self.sizes.exceeds_share(kind))
    }

    /// Evicts records older than the age cap; returns whether that is all done.
    pub(super) async fn enforce_age(&mut self) -> Result<bool, sqlx::Error> {
        let Some(max_age) = self.settings.max_age else { return Ok(true) };
        let age = i64::try_from(max_age.as_millis()).unwrap_or(i64::MAX);
        let oldest = Timestamp(self.steady_now().0.saturating_sub(age));
        let mut pass = Pass::new();
        for table in 0..TABLES.len() {
            while pass.step() && self.evict(table, LossReason::AgeCap, Some(oldest)).await? {}
        }
        self.announce().await?;
        Ok(!pass.is_over())
    }

    /// Evicts the oldest records of the least important class that has any. Returns whether there were any.
    pub(super) async fn evict_oldest(&mut self, reason: LossReason) -> Result<bool, sqlx::Error> {
        for table in 1..TABLES.len() {
            if self.meta.rows[table] > 0 && self.evict(table, reason, None).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Evicts a batch of the oldest rows of one table (only those before `before`, if given) and writes the
    /// ledger entry in the same transaction; [`Writer::announce`] sends it. Returns whether there were any.
    async fn evict(
        &mut self,
        table: usize,
        reason: LossReason,
        before: Option<Timestamp>,
    ) -> Result<bool, sqlx::Error> {
        let share = (self.meta.rows[table] / SHARE).clamp(1, MOST);
        let batch = if before.is_some() { MOST } else { share };
        let mut connection = self.connected().await?;
        let now = (self.now)();
        let mut draft = Draft::new(&self.meta, &self.sizes, now);
        let went = evict_from(&mut connection, &mut draft, table, batch, reason, before, now).await;
        self.put_back(connection, went.is_ok()).await;
        let Some((loss, rows)) = went? else {
            return Ok(false);
        };
        tracing::warn!(reason = reason.as_str(), range = ?loss.range, messages = rows, "records evicted");
        transact::adopt_without_losses(self, draft);
        Ok(true)
    }

    /// Bytes in use.
    pub(super) async fn used(&mut self) -> Result<u64, sqlx::Error> {
        let Some(connection) = &mut self.connection else { return Ok(0) };
        let used = used_by(connection).await?;
        self.status.send_modify(|status| status.used_bytes = used);
        Ok(used)
    }
}

/// Bytes in use: pages that are not free.
pub(super) async fn used_by(connection: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
    let row = sqlx::query(
        "SELECT (SELECT page_count FROM pragma_page_count()) - (SELECT freelist_count FROM pragma_freelist_count()), \
         (SELECT page_size FROM pragma_page_size())",
    )
    .fetch_one(connection)
    .await?;
    Ok(row.get::<i64, _>(0).cast_unsigned() * row.get::<i64, _>(1).cast_unsigned())
}

async fn evict_from(
    connection: &mut SqliteConnection,
    draft: &mut Draft,
    table: usize,
    batch: u64,
    reason: LossReason,
    before: Option<Timestamp>,
    now: Timestamp,
) -> Result<Option<(Loss, u64)>, sqlx::Error> {
    let name = TABLES[table];
    let before = before.map_or(i64::MAX, |before| before.0);
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let oldest = format!(
        "SELECT min(seq), max(seq), min(at), max(at) FROM \
         (SELECT seq, at FROM {name} ORDER BY seq LIMIT ?1) WHERE at < ?2"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(oldest))
        .bind(batch.cast_signed())
        .bind(before)
        .fetch_one(&mut *transaction)
        .await?;
    let (Some(first), Some(last)) = (row.get::<Option<i64>, _>(0), row.get::<Option<i64>, _>(1)) else {
        return Ok(None);
    };
    if table == 0 {
        draft.fold_announcements(&mut transaction, (first, last), before, now).await?;
    }
    let went = format!("DELETE FROM {name} WHERE seq BETWEEN ?1 AND ?2 AND at < ?3");
    let rows = sqlx::query(sqlx::AssertSqlSafe(went))
        .bind(first)
        .bind(last)
        .bind(before)
        .execute(&mut *transaction)
        .await?
        .rows_affected();
    draft.meta.rows[table] = draft.meta.rows[table].saturating_sub(rows);
    let loss = Loss {
        reason,
        class: schema::class(table),
        of_epoch: draft.meta.epoch.to_string(),
        range: Some((first.cast_unsigned(), last.cast_unsigned())),
        messages: Some(rows),
        between: Some((Timestamp(row.get(2)), Timestamp(row.get(3)))),
        detail: String::new(),
    };
    draft.ledger(&mut transaction, &loss, now).await?;
    draft.write(&mut transaction).await?;
    transaction.commit().await?;
    Ok(Some((loss, rows)))
}
