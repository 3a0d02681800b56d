//! Heals a database that version 0.1 filled with what eviction could not touch.
//!
//! 0.1 stored the ids of messages without a limit, and evicted one urgent row for each ledger entry that it
//! wrote, for as long as the database was too large. What is left of that: measurements with ids of up to a
//! megabyte, and thousands of ledger entries about single rows, most of which say that the message about the
//! entry before was lost. Both are looked for only in a database that is nearly full.

use linli_domain::Timestamp;
use linli_domain::loss::{Loss, LossReason};
use sqlx::{Connection, SqliteConnection};

use super::transact::{self, Draft};
use super::{Writer, evict};

/// Most characters of a message's id; see [`LONG_KEYS`].
const KEPT: i64 = 199;

/// Cuts the ids of so many measurements: they were of use only to find a repeated message, which `seen` does.
const LONG_KEYS: &str = "UPDATE measurement SET body = json_set(body, '$.measurement.key', \
     substr(json_extract(body, '$.measurement.key'), 1, ?1)) WHERE (id, version) IN \
     (SELECT id, version FROM measurement WHERE octet_length(body) > 4096 AND json_valid(body) \
      AND length(json_extract(body, '$.measurement.key')) > ?1 LIMIT 64)";

/// Entries about one evicted row of the urgent lane, which only the endless eviction wrote in numbers.
const SINGLE: &str = "json_valid(body) AND json_extract(body, '$.reason') = 'size_cap' \
     AND json_extract(body, '$.class') IS NULL AND json_extract(body, '$.messages') = 1";

/// So many such entries are no coincidence.
const MANY: i64 = 16;

/// Entries deleted in one transaction.
const AT_ONCE: i64 = 20_000;

// === impl Writer ===

impl Writer {
    /// Does both, if the database is nearly full. Errors are left to the housekeeping, which meets them too.
    pub(super) async fn heal(&mut self) {
        let healed = async {
            if self.used().await? <= self.usual() {
                return Ok(());
            }
            self.cut_long_keys().await?;
            self.fold_single_entries().await
        };
        let healed: Result<(), sqlx::Error> = healed.await;
        if let Err(error) = healed {
            tracing::warn!(%error, "a database that is nearly full could not be examined");
        }
    }

    async fn cut_long_keys(&mut self) -> Result<(), sqlx::Error> {
        let Some(connection) = &mut self.connection else { return Ok(()) };
        let mut cut = 0;
        loop {
            let rows = sqlx::query(LONG_KEYS).bind(KEPT).execute(&mut *connection).await?.rows_affected();
            if rows == 0 {
                break;
            }
            cut += rows;
        }
        if cut > 0 {
            let used = evict::used_by(connection).await?;
            tracing::warn!(measurements = cut, used, "ids of messages that were too long were cut");
        }
        Ok(())
    }

    /// Replaces such entries by one that covers them all, and announces it: messages about them were lost.
    async fn fold_single_entries(&mut self) -> Result<(), sqlx::Error> {
        let mut connection = self.connected().await?;
        let now = (self.now)();
        let mut draft = Draft::new(&self.meta, &self.sizes, now);
        let folded = fold_in(&mut connection, &mut draft, now).await;
        self.put_back(connection, folded.is_ok()).await;
        let Some(last) = folded? else { return Ok(()) };
        transact::adopt_without_losses(self, draft);
        let Some(connection) = &mut self.connection else { return Ok(()) };
        let delete = format!(
            "DELETE FROM ledger WHERE id IN (SELECT id FROM ledger WHERE id <= ?1 AND {SINGLE} LIMIT {AT_ONCE})"
        );
        let mut entries = 0;
        loop {
            let delete = sqlx::query(sqlx::AssertSqlSafe(delete.clone())).bind(last);
            let rows = delete.execute(&mut *connection).await?.rows_affected();
            if rows == 0 {
                break;
            }
            entries += rows;
        }
        tracing::warn!(entries, "entries of the loss ledger about single rows were folded into one");
        Ok(())
    }
}

/// One row for each epoch: what the entries about it cover.
type Covered = (String, i64, i64, i64, Option<i64>, Option<i64>);

/// Writes and announces the entries that cover the single ones. Returns the id of the last of those.
async fn fold_in(
    connection: &mut SqliteConnection,
    draft: &mut Draft,
    now: Timestamp,
) -> Result<Option<i64>, sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let found = format!(
        "SELECT json_extract(body, '$.of_epoch'), count(*), min(json_extract(body, '$.range[0]')), \
         max(json_extract(body, '$.range[1]')), min(json_extract(body, '$.between[0]')), \
         max(json_extract(body, '$.between[1]')) FROM ledger WHERE {SINGLE} GROUP BY 1 HAVING count(*) >= ?1"
    );
    let found: Vec<Covered> =
        sqlx::query_as(sqlx::AssertSqlSafe(found)).bind(MANY).fetch_all(&mut *transaction).await?;
    if found.is_empty() {
        return Ok(None);
    }
    let last: i64 = sqlx::query_scalar("SELECT max(id) FROM ledger").fetch_one(&mut *transaction).await?;
    for (of_epoch, messages, first_seq, last_seq, from, to) in found {
        let loss = Loss {
            reason: LossReason::SizeCap,
            class: None,
            of_epoch,
            range: Some((first_seq.cast_unsigned(), last_seq.cast_unsigned())),
            messages: Some(messages.cast_unsigned()),
            between: from.map(Timestamp).zip(to.map(Timestamp)),
            detail: String::new(),
        };
        draft.ledger(&mut transaction, &loss, now).await?;
    }
    draft.announce(now);
    draft.insert(&mut transaction).await?;
    draft.write(&mut transaction).await?;
    transaction.commit().await?;
    Ok(Some(last))
}
