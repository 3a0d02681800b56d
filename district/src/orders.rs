//! Mass orders: bytes that command has signed elsewhere, distributed until each centre has answered.
//!
//! The district holds no key and judges no order; each gateway verifies the signatures itself. Two people are needed: one
//! prepares an order, another releases it and types how many centres it reaches and its class. It goes to one centre
//! first, then to a tenth, then to all: each stage is released by itself. An order is sent again until it is answered or
//! has expired, which harms nobody: gateways refuse what they have accepted before.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use linli_mode::order::{Envelope, Malformed, text};
use sqlx::{PgPool, Row};
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;
use crate::source::Publisher;

/// How often orders that are due are sent.
const EVERY: Duration = Duration::from_millis(500);

/// Orders handed to the broker at a time.
const AT_ONCE: i64 = 500;

/// Stages of the ramp.
pub const RAMP: i32 = 3;

/// Why a mass order is refused.
#[derive(Debug, thiserror::Error)]
pub enum OrderRefused {
    /// Not the bytes of an order.
    #[error("these bytes are no order: {0}")]
    Malformed(#[from] Malformed),
    /// The text form has a mistake.
    #[error("the text form of the order: {0}")]
    Text(String),
    /// It is too late.
    #[error("the order has expired")]
    Expired,
    /// None of its centres is enrolled.
    #[error("none of the {0} centres of the order is enrolled")]
    Nobody(usize),
    /// It was prepared before.
    #[error("order {0} was prepared before")]
    Known(String),
    /// There is none.
    #[error("there is no order {0}")]
    Unknown(String),
    /// The same person.
    #[error("{0} has prepared it: another person releases it")]
    SamePerson(String),
    /// What was typed does not fit.
    #[error("typed were {typed} centres, class {class}; the order is for {count} centres, class {of}")]
    Typed {
        /// The number typed.
        typed: i64,
        /// The class typed.
        class: String,
        /// The number it is for.
        count: i64,
        /// Its class.
        of: String,
    },
    /// It was stopped.
    #[error("the order was stopped")]
    Stopped,
    /// Every stage is released.
    #[error("every stage of the order is released")]
    Complete,
    /// The database fails.
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
}

/// Prepares an order for the enrolled centres that it names; nothing is sent. Returns its id and their number.
pub async fn prepare(
    pool: &PgPool,
    payload: &[u8],
    person: &str,
    now: i64,
) -> Result<(String, i64), OrderRefused> {
    let bytes = match std::str::from_utf8(payload).ok().filter(|written| text::is_text(written)) {
        Some(written) => text::read(written).map_err(|error| OrderRefused::Text(error.to_string()))?,
        None => payload.to_vec(),
    };
    let order = Envelope::read(&bytes)?.order;
    if order.expires.0 <= now {
        return Err(OrderRefused::Expired);
    }
    let mut tx = pool.begin().await?;
    let made = sqlx::query(
        "INSERT INTO mass_order (id, number, kind, class, bytes, expires, made_by) \
         VALUES ($1, $2, $3, $4, $5, to_timestamp($6 / 1000.0), $7) ON CONFLICT DO NOTHING",
    )
    .bind(&order.id)
    .bind(i64::try_from(order.seq).unwrap_or(i64::MAX))
    .bind(order.kind.as_str())
    .bind(format!("{:?}", order.class))
    .bind(&bytes)
    .bind(order.expires.0)
    .bind(person)
    .execute(&mut *tx)
    .await?;
    if made.rows_affected() == 0 {
        return Err(OrderRefused::Known(order.id));
    }
    let centres: Vec<String> = order.targets.iter().map(|target| target.centre.to_string()).collect();
    // The first that is reachable, then a tenth, then all others.
    let targets = sqlx::query(
        "INSERT INTO order_target (id, gateway, ramp) \
         SELECT $1, id, CASE WHEN nth = 1 THEN 1 WHEN nth <= 1 + ceil(n / 10.0) THEN 2 ELSE 3 END FROM \
         (SELECT id, row_number() OVER (ORDER BY online DESC NULLS LAST, centre, gateway) AS nth, count(*) OVER () AS n \
          FROM gateway WHERE centre = ANY ($2) AND revoked_at IS NULL) g",
    )
    .bind(&order.id)
    .bind(&centres)
    .execute(&mut *tx)
    .await?;
    if targets.rows_affected() == 0 {
        return Err(OrderRefused::Nobody(centres.len()));
    }
    tx.commit().await?;
    Ok((order.id, i64::try_from(targets.rows_affected()).unwrap_or(i64::MAX)))
}

/// What a person types to release the next stage.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// Number of gateways of the whole order.
    pub count: i64,
    /// Its class: `Actual` or `Exercise`.
    pub class: String,
}

/// Releases the next stage of the ramp. Returns its number.
pub async fn release(pool: &PgPool, id: &str, typed: &Release, person: &str) -> Result<i32, OrderRefused> {
    let mut tx = pool.begin().await?;
    let order = sqlx::query(
        "SELECT made_by, class, stopped_at IS NOT NULL, expires <= now(), \
         (SELECT count(*) FROM order_target t WHERE t.id = o.id), \
         (SELECT min(ramp) FROM order_target t WHERE t.id = o.id AND sent = 0 AND due IS NULL AND result IS NULL) \
         FROM mass_order o WHERE id = $1 FOR UPDATE",
    )
    .bind(id)
    .fetch_optional(&mut *tx)
    .await?
    .ok_or_else(|| OrderRefused::Unknown(id.to_owned()))?;
    let (made_by, of): (String, String) = (order.try_get(0)?, order.try_get(1)?);
    let (is_stopped, is_expired): (bool, bool) = (order.try_get(2)?, order.try_get(3)?);
    let (count, next): (i64, Option<i32>) = (order.try_get(4)?, order.try_get(5)?);
    if made_by == person {
        return Err(OrderRefused::SamePerson(made_by));
    }
    if typed.count != count || typed.class != of {
        return Err(OrderRefused::Typed { typed: typed.count, class: typed.class.clone(), count, of });
    }
    if is_stopped {
        return Err(OrderRefused::Stopped);
    }
    if is_expired {
        return Err(OrderRefused::Expired);
    }
    let next = next.ok_or(OrderRefused::Complete)?;
    sqlx::query("UPDATE order_target SET due = now() WHERE id = $1 AND ramp = $2 AND result IS NULL")
        .bind(id)
        .bind(next)
        .execute(&mut *tx)
        .await?;
    sqlx::query(
        "UPDATE mass_order SET released_at = coalesce(released_at, now()), released_by = coalesce(released_by, $2) \
         WHERE id = $1",
    )
    .bind(id)
    .bind(person)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(next)
}

/// Sends no more of an order. What centres have accepted goes on: that takes a signed order to stop.
pub async fn stop(pool: &PgPool, id: &str, person: &str) -> Result<(), OrderRefused> {
    let changed = sqlx::query(
        "WITH stopped AS (UPDATE mass_order SET stopped_at = now(), stopped_by = $2 \
                          WHERE id = $1 AND stopped_at IS NULL RETURNING id) \
         UPDATE order_target t SET due = NULL FROM stopped s WHERE t.id = s.id",
    )
    .bind(id)
    .bind(person)
    .execute(pool)
    .await?;
    if changed.rows_affected() == 0 {
        return Err(OrderRefused::Unknown(id.to_owned()));
    }
    Ok(())
}

/// Sends what is due until cancelled. Copies share the work.
pub async fn run(
    pool: PgPool,
    publisher: Arc<dyn Publisher>,
    metrics: Arc<Metrics>,
    cancel: CancellationToken,
) {
    loop {
        match send_due(&pool, publisher.as_ref()).await {
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
         UPDATE order_target t SET sent = t.sent + 1, sent_at = now(), \
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
