//! Kinds of documents whose oldest rows go when their share is used up.

use linli_domain::Timestamp;
use linli_domain::loss::{Loss, LossReason};
use sqlx::{Connection, SqliteConnection};

use super::Writer;
use super::evict::Pass;
use super::transact::{self, Draft};
use crate::quota::Kind;
use crate::trail::{self, Trail};

/// A kind, and how its oldest rows are deleted: as many as ?1, with the time ?2. The audit has none: its trails
/// delete their own.
struct Oldest {
    kind: Kind,
    delete: &'static str,
    /// What the ledger says of rows that are nowhere else.
    loss: Option<&'static str>,
    /// Shares that the kind may use before they go.
    shares: u64,
}

const OLDEST: [Oldest; 7] = [
    // A message that is sent again after its id was forgotten is stored again: nothing is lost.
    Oldest {
        kind: Kind::Seen,
        delete: "DELETE FROM seen WHERE key IN (SELECT key FROM seen WHERE ?2 = ?2 ORDER BY at LIMIT ?1)",
        loss: None,
        shares: 1,
    },
    // Each was sent to the district when it happened.
    Oldest {
        kind: Kind::AlarmStep,
        delete: "DELETE FROM alarm_journal WHERE id IN \
                 (SELECT id FROM alarm_journal WHERE ?2 = ?2 ORDER BY id LIMIT ?1)",
        loss: None,
        shares: 1,
    },
    Oldest {
        kind: Kind::Notification,
        delete: "DELETE FROM notification WHERE id IN \
                 (SELECT id FROM notification WHERE ?2 = ?2 ORDER BY id LIMIT ?1)",
        loss: Some(
            "notifications that waited for their receivers: their queue was full, the oldest were given up",
        ),
        shares: 1,
    },
    // Only those that can act no more, should they be sent again.
    Oldest {
        kind: Kind::Command,
        delete: "DELETE FROM command WHERE id IN (SELECT id FROM command WHERE id NOT IN (SELECT id FROM open_command) \
                 AND id NOT IN (SELECT key FROM undecodable WHERE source = 'command') \
                 AND CASE WHEN json_valid(body) THEN json_extract(body, '$.expires') END < ?2 ORDER BY at LIMIT ?1)",
        loss: None,
        shares: 1,
    },
    // Each is in the ledger since it left its lane.
    Oldest {
        kind: Kind::DeadLetter,
        delete: "DELETE FROM dead_letter WHERE seq IN (SELECT seq FROM dead_letter WHERE ?2 = ?2 AND seq NOT IN \
                 (SELECT CAST(key AS INTEGER) FROM undecodable WHERE source = 'outbox') ORDER BY seq LIMIT ?1)",
        loss: None,
        shares: 1,
    },
    // Acknowledgements are never refused, so that their audit entries would have no end. Those of the cabin stay.
    Oldest {
        kind: Kind::Audit,
        delete: "",
        loss: Some("audit entries of alarms: there were too many, the oldest were removed"),
        shares: AUDIT_SHARES,
    },
    // Each was announced.
    Oldest {
        kind: Kind::Ledger,
        delete: "DELETE FROM ledger WHERE id IN (SELECT id FROM ledger WHERE ?2 = ?2 AND id < ifnull( \
                 (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'unannounced'), 9223372036854775807) \
                 ORDER BY id LIMIT ?1)",
        loss: None,
        shares: 1,
    },
];

/// Beyond its share, what is urgent uses the reserve.
const AUDIT_SHARES: u64 = 2;

/// Most rows deleted in one transaction.
const MOST: u64 = 20_000;

// === impl Writer ===

impl Writer {
    /// Brings every such kind down to nine tenths of its share, if it exceeds it.
    pub(super) async fn forget_oldest(&mut self, pass: &mut Pass) -> Result<(), sqlx::Error> {
        for oldest in &OLDEST {
            while self.sizes.must_forget(oldest.kind, oldest.shares) && pass.step() {
                if !self.forget(oldest).await? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// One transaction; returns whether rows were deleted.
    async fn forget(&mut self, oldest: &Oldest) -> Result<bool, sqlx::Error> {
        let mut connection = self.connected().await?;
        let now = (self.now)();
        let mut draft = Draft::new(&self.meta, &self.sizes, now);
        let gone = forget_in(&mut connection, &mut draft, oldest, now).await;
        self.put_back(connection, gone.is_ok()).await;
        let gone = gone?;
        draft.sizes.set_stuck(oldest.kind, gone == 0 && draft.sizes.exceeds(oldest.kind, oldest.shares));
        if gone == 0 {
            self.sizes = draft.sizes;
            return Ok(false);
        }
        tracing::warn!(kind = oldest.kind.as_str(), rows = gone, "the oldest rows make room");
        transact::adopt_without_losses(self, draft);
        Ok(true)
    }
}

async fn forget_in(
    connection: &mut SqliteConnection,
    draft: &mut Draft,
    oldest: &Oldest,
    now: Timestamp,
) -> Result<u64, sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let measured = draft.sizes.measure(&mut transaction, oldest.kind).await?;
    let (bytes, share) = (draft.sizes.bytes(oldest.kind), oldest.shares * draft.sizes.share(oldest.kind));
    if bytes <= share {
        return Ok(0);
    }
    let excess = bytes - share / 10 * 9;
    let rows = (u128::from(measured.rows) * u128::from(excess)).div_ceil(u128::from(bytes));
    let rows = u64::try_from(rows).unwrap_or(MOST).clamp(1, MOST);
    let gone = match oldest.kind {
        Kind::Audit => trail::forget_oldest(&mut transaction, Trail::Alarm, rows, now).await?,
        _ => delete(&mut transaction, oldest.delete, rows, now).await?,
    };
    if gone > 0 {
        draft.sizes.remove_rows(oldest.kind, gone, measured.bytes / measured.rows.max(1) * gone);
        draft.sizes.changed(oldest.kind);
    }
    if gone > 0
        && let Some(detail) = oldest.loss
    {
        let loss = Loss {
            reason: LossReason::SizeCap,
            class: None,
            of_epoch: draft.meta.epoch.to_string(),
            range: None,
            // They have no sequence numbers, and `messages` counts those.
            messages: None,
            between: None,
            detail: detail.to_owned(),
        };
        draft.ledger(&mut transaction, &loss, now).await?;
        draft.write(&mut transaction).await?;
    }
    transaction.commit().await?;
    Ok(gone)
}

async fn delete(
    connection: &mut SqliteConnection,
    sql: &'static str,
    rows: u64,
    now: Timestamp,
) -> Result<u64, sqlx::Error> {
    let gone = sqlx::query(sql).bind(rows.cast_signed()).bind(now.0).execute(connection).await?;
    Ok(gone.rows_affected())
}
