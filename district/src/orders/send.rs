//! The loop that sends what is due.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use sqlx::{PgPool, Row};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;
use crate::source::Publisher;

/// How often orders that are due are sent.
const EVERY: Duration = Duration::from_millis(500);

/// A round that has not ended within this is given up.
const SENT_WITHIN: Duration = Duration::from_secs(30);

/// Orders handed to the broker at a time.
const AT_ONCE: i64 = 500;

/// Sends what is due until cancelled. Copies share the work.
pub async fn run(
    pool: PgPool,
    publisher: Arc<dyn Publisher>,
    metrics: Arc<Metrics>,
    cancel: CancellationToken,
) {
    loop {
        // The network may be gone without a word: then another connection is taken.
        match timeout(SENT_WITHIN, send_due(&pool, publisher.as_ref()))
            .await
            .unwrap_or(Err(sqlx::Error::PoolTimedOut))
        {
            Ok(sent) => {
                metrics.orders.fetch_add(sent, Relaxed);
            }
            Err(error) => tracing::debug!(%error, "orders cannot be sent yet"),
        }
        tokio::select! {
            () = cancel.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// Sends orders that are due; each is due again after a pause that doubles from 5 s to 80 s.
async fn send_due(pool: &PgPool, publisher: &dyn Publisher) -> Result<u64, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let rows = sqlx::query(
        "WITH due AS (SELECT t.id, t.gateway FROM order_target t JOIN mass_order o ON o.id = t.id \
                      WHERE t.due <= now() AND o.expires > now() AND o.stopped_at IS NULL \
                      ORDER BY t.due LIMIT $1 FOR UPDATE OF t SKIP LOCKED) \
         UPDATE order_target t SET sent = t.sent + 1, sent_at = now(), first_sent_at = coalesce(t.first_sent_at, now()), \
         due = now() + interval '5 s' * (1 << least(t.sent, 4)) FROM due d, mass_order o, gateway g \
         WHERE t.id = d.id AND t.gateway = d.gateway AND o.id = d.id AND g.id = d.gateway \
         RETURNING g.centre, g.gateway, o.bytes",
    )
    .bind(AT_ONCE)
    .fetch_all(&mut *tx)
    .await?;
    let mut sent = 0;
    for row in rows {
        let (centre, gateway, bytes): (String, String, Vec<u8>) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        if !publisher.publish(format!("linli/1/{centre}/{gateway}/order"), bytes, true) {
            // Nothing was handed over: it stays due.
            return Ok(0);
        }
        sent += 1;
    }
    tx.commit().await?;
    Ok(sent)
}
