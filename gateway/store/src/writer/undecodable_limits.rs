//! Bounds the rows that cannot be decoded: the oldest are removed when there are too many.

use linli_domain::Timestamp;
use linli_domain::loss::{Loss, LossReason};
use sqlx::{Connection, SqliteConnection};

use super::Writer;
use super::transact::{self, Draft};
use crate::quota::Kind;

/// Most rows recorded: as many as a reader remembers as reported.
const MOST_ROWS: i64 = 10_000;

/// Most bytes kept for them, dead letters included, unless their share of the database is less.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// Rows removed in one transaction, so that the transaction itself stays small.
const BATCH: i64 = 2000;

/// The oldest rows beyond either limit, of which there are as many rows and bytes as ?1 and ?2.
const BEYOND_LIMITS: &str = "SELECT source, key, body IS NOT NULL FROM ( \
       SELECT source, key, body, row_number() OVER newest AS rows, sum(bytes) OVER newest AS bytes FROM ( \
         SELECT u.source, u.key, u.at, u.body, \
           ifnull(octet_length(u.body), 0) + ifnull(octet_length(d.body), 0) AS bytes \
         FROM undecodable AS u LEFT JOIN dead_letter AS d ON u.source = 'outbox' AND d.seq = CAST(u.key AS INTEGER)) \
       WINDOW newest AS (ORDER BY at DESC, source DESC, key DESC ROWS UNBOUNDED PRECEDING)) \
     WHERE rows > ?1 OR bytes > ?2 ORDER BY rows DESC LIMIT ?3";

// === impl Writer ===

impl Writer {
    /// Removes the oldest rows that cannot be decoded until the rest is within the limits, with a ledger
    /// entry for those whose bytes are nowhere else.
    pub(super) async fn enforce_undecodable(&mut self) -> Result<(), sqlx::Error> {
        let most_bytes = MOST_BYTES.min(self.sizes.share(Kind::Undecodable)).cast_signed();
        loop {
            let mut connection = self.connected().await?;
            let now = (self.now)();
            let mut draft = Draft::new(&self.meta, &self.sizes, now);
            let removed = remove_oldest(&mut connection, &mut draft, most_bytes, now).await;
            self.put_back(connection, removed.is_ok()).await;
            let Removed { rows, lost } = removed?;
            // Also when there are some that no statement of ours removes.
            if rows == 0 {
                return Ok(());
            }
            tracing::warn!(rows, lost, "too many rows that cannot be decoded: the oldest are removed");
            transact::adopt_without_losses(self, draft);
            self.status.send_modify(|status| status.undecodable = status.undecodable.saturating_sub(rows));
        }
    }
}

/// How many rows were removed.
struct Removed {
    rows: u64,
    /// Those whose bytes are lost: dead letters, and copies of rows that were removed or overwritten.
    lost: u64,
}

/// Removes one batch and writes its ledger entry in the same transaction.
async fn remove_oldest(
    connection: &mut SqliteConnection,
    draft: &mut Draft,
    most_bytes: i64,
    now: Timestamp,
) -> Result<Removed, sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let oldest: Vec<(String, String, bool)> = sqlx::query_as(BEYOND_LIMITS)
        .bind(MOST_ROWS)
        .bind(most_bytes)
        .bind(BATCH)
        .fetch_all(&mut *transaction)
        .await?;
    let (mut rows, mut dead_letters, mut copies) = (0_u64, 0_u64, 0_u64);
    for (source, key, has_copy) in &oldest {
        if source == "outbox" {
            dead_letters += sqlx::query("DELETE FROM dead_letter WHERE seq = CAST(? AS INTEGER)")
                .bind(key)
                .execute(&mut *transaction)
                .await?
                .rows_affected();
        }
        let deleted = sqlx::query("DELETE FROM undecodable WHERE source = ? AND key = ?")
            .bind(source)
            .bind(key)
            .execute(&mut *transaction)
            .await?
            .rows_affected();
        rows += deleted;
        copies += if *has_copy { deleted } else { 0 };
    }
    let removed = Removed { rows, lost: dead_letters + copies };
    if removed.lost > 0 {
        let loss = Loss {
            reason: LossReason::SizeCap,
            class: None,
            of_epoch: draft.meta.epoch.to_string(),
            range: None,
            // Dead letters were counted when they left the outbox; the other rows are no messages.
            messages: None,
            between: None,
            detail: format!(
                "too many rows that cannot be decoded: the oldest {dead_letters} dead letters and {copies} other rows removed"
            ),
        };
        draft.ledger(&mut transaction, &loss, now).await?;
        draft.announce(now);
        draft.insert(&mut transaction).await?;
        draft.write(&mut transaction).await?;
    }
    transaction.commit().await?;
    Ok(removed)
}
