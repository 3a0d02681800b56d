//! Mass orders: bytes that command has signed elsewhere, distributed until each centre has answered.
//!
//! The district holds no key and judges no order; each gateway verifies the signatures itself. An order is prepared, and
//! what would stop each centre is looked at (`preview`). Two persons approve that, bound to a hash of what they saw
//! ([`approve()`]). It goes to one centre first, then to a tenth, then to all: each stage is released by itself. An order
//! is sent again until it is answered or has expired, which harms nobody: gateways refuse what they have accepted before.

mod approve;
mod preview;
mod send;
mod timeline;
mod view;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use linli_domain::approval::NotApproved;
use linli_mode::order::{Envelope, Malformed, text};
use sqlx::{PgConnection, PgPool, Row};

pub use approve::{Confirmation, Release, approve, release};
pub use preview::look;
pub use send::run;
pub use view::{list, one, report};

use crate::accounts::record::{self, Event};

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
    /// A centre that the signed order does not name.
    #[error("the signed order does not name the centre {0}; only command can add it, by another order")]
    NotInOrder(String),
    /// It was prepared before.
    #[error("order {0} was prepared before")]
    Known(String),
    /// There is none.
    #[error("there is no order {0}")]
    Unknown(String),
    /// Nobody has to be rung about it.
    #[error("the order was not sent to {0}")]
    NotSent(String),
    /// The two persons, or what they saw, do not fit.
    #[error("{0}")]
    NotApproved(NotApproved),
    /// What was seen is not what there is now.
    #[error("what you saw is not the present preview; look at it again")]
    Changed,
    /// What was seen is too old.
    #[error("the preview is older than 10 minutes; look anew")]
    OldPreview,
    /// Two persons have not approved it yet.
    #[error("two persons have not approved it yet")]
    NotYet,
    /// Another stage is next.
    #[error("stage {next} is next, not {asked}")]
    Stage {
        /// The stage asked for.
        asked: i32,
        /// The one that is next.
        next: i32,
    },
    /// What was typed does not fit.
    #[error("typed were {typed} gateways, class {class}; the order is for {count} gateways, class {of}")]
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

/// An order as it stands in the database, held for a change.
struct Held {
    class: String,
    count: i64,
    stage: i32,
    stages: i32,
    seen: Option<String>,
    is_seen_lately: bool,
    is_revoked: bool,
    first: Option<First>,
    is_approved: bool,
}

/// The first of two persons.
struct First {
    account: String,
    session: String,
    seen: String,
    at: i64,
}

/// The bytes of an order, from its text form, its base64, or as they are.
pub fn bytes_of(payload: &[u8]) -> Result<Vec<u8>, OrderRefused> {
    let written = std::str::from_utf8(payload).ok();
    if let Some(written) = written.filter(|written| text::is_text(written)) {
        return text::read(written).map_err(|error| OrderRefused::Text(error.to_string()));
    }
    let decoded = written.and_then(|text| STANDARD.decode(text.trim()).ok());
    // Base64 of the text form is what a file of it becomes.
    match decoded {
        Some(inner) if std::str::from_utf8(&inner).is_ok_and(text::is_text) => bytes_of(&inner),
        Some(inner) => Ok(inner),
        None => Ok(payload.to_vec()),
    }
}

/// Prepares an order for the enrolled centres that it names, or for some of them; nothing is sent. Returns its id.
pub async fn prepare(
    pool: &PgPool,
    payload: &[u8],
    only: Option<&[String]>,
    by: &str,
) -> Result<String, OrderRefused> {
    let bytes = bytes_of(payload)?;
    let order = Envelope::read(&bytes)?.order;
    let named: Vec<String> = order.targets.iter().map(|target| target.centre.to_string()).collect();
    if let Some(other) = only.into_iter().flatten().find(|centre| !named.contains(centre)) {
        return Err(OrderRefused::NotInOrder(other.clone()));
    }
    let centres = only.map_or(named, <[String]>::to_vec);
    let mut tx = pool.begin().await?;
    if order.expires.0 <= crate::accounts::clock(&mut tx).await? {
        return Err(OrderRefused::Expired);
    }
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
    .bind(by)
    .execute(&mut *tx)
    .await?;
    if made.rows_affected() == 0 {
        return Err(OrderRefused::Known(order.id));
    }
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
    note(&mut tx, &order.id, "prepared", None, None, by).await?;
    preview::take(&mut tx, &order.id).await?;
    tx.commit().await?;
    Ok(order.id)
}

/// Sends no more of an order. What centres have accepted goes on: that takes a signed order to stop.
pub async fn stop(pool: &PgPool, id: &str, by: &str) -> Result<(), OrderRefused> {
    let mut tx = pool.begin().await?;
    let changed = sqlx::query(
        "WITH stopped AS (UPDATE mass_order SET stopped_at = now(), stopped_by = $2 \
                          WHERE id = $1 AND stopped_at IS NULL RETURNING id), \
              held AS (UPDATE order_target t SET due = NULL FROM stopped s WHERE t.id = s.id) \
         SELECT FROM stopped",
    )
    .bind(id)
    .bind(by)
    .fetch_optional(&mut *tx)
    .await?;
    if changed.is_none() {
        let known =
            sqlx::query("SELECT FROM mass_order WHERE id = $1").bind(id).fetch_optional(&mut *tx).await?;
        // Stopped twice is stopped.
        return known.map(drop).ok_or_else(|| OrderRefused::Unknown(id.to_owned()));
    }
    note(&mut tx, id, "stopped", None, None, by).await?;
    tx.commit().await?;
    Ok(())
}

/// Holds an order for a change, unless it is at its end.
async fn hold(database: &mut PgConnection, id: &str) -> Result<Held, OrderRefused> {
    let row = sqlx::query(
        "SELECT class, stage, seen, seen_at > now() - interval '10 min', stopped_at IS NOT NULL, expires <= now(), \
         first_by, first_session, first_seen, (extract(epoch FROM first_at) * 1000)::int8, second_by IS NOT NULL, \
         (SELECT count(*) FROM order_target t WHERE t.id = o.id), \
         (SELECT max(ramp) FROM order_target t WHERE t.id = o.id), \
         EXISTS (SELECT FROM order_target t JOIN gateway g ON g.id = t.gateway \
                 WHERE t.id = o.id AND g.revoked_at IS NOT NULL) \
         FROM mass_order o WHERE id = $1 FOR UPDATE OF o",
    )
    .bind(id)
    .fetch_optional(database)
    .await?
    .ok_or_else(|| OrderRefused::Unknown(id.to_owned()))?;
    if row.try_get(4)? {
        return Err(OrderRefused::Stopped);
    }
    if row.try_get(5)? {
        return Err(OrderRefused::Expired);
    }
    let first: (Option<String>, Option<String>, Option<String>, Option<i64>) =
        (row.try_get(6)?, row.try_get(7)?, row.try_get(8)?, row.try_get(9)?);
    let first = match first {
        (Some(account), Some(session), Some(seen), Some(at)) => Some(First { account, session, seen, at }),
        _ => None,
    };
    Ok(Held {
        class: row.try_get(0)?,
        stage: row.try_get(1)?,
        seen: row.try_get(2)?,
        is_seen_lately: row.try_get::<Option<bool>, _>(3)?.unwrap_or(false),
        first,
        is_approved: row.try_get(10)?,
        count: row.try_get(11)?,
        stages: row.try_get::<Option<i32>, _>(12)?.unwrap_or(RAMP),
        is_revoked: row.try_get(13)?,
    })
}

/// Writes a line about an order.
async fn note(
    database: &mut PgConnection,
    order: &str,
    what: &str,
    seen: Option<&str>,
    nth: Option<i32>,
    by: &str,
) -> Result<(), sqlx::Error> {
    let event = Event::Order {
        order: order.to_owned(),
        what: what.to_owned(),
        seen: seen.map(str::to_owned),
        nth,
        of: None,
        by: by.to_owned(),
    };
    record::append(database, &event).await
}

/// Keeps that somebody has rung a gateway that was sent an order, or that they have not after all.
pub async fn called(
    pool: &PgPool,
    id: &str,
    (centre, gateway): (&str, &str),
    is_called: bool,
    by: &str,
) -> Result<(), OrderRefused> {
    let mut tx = pool.begin().await?;
    let changed = sqlx::query(
        "UPDATE order_target t SET called_at = CASE WHEN $4 THEN clock_timestamp() END, \
         called_by = CASE WHEN $4 THEN $5 END FROM gateway g \
         WHERE t.id = $1 AND g.id = t.gateway AND g.centre = $2 AND g.gateway = $3 AND t.sent > 0",
    )
    .bind(id)
    .bind(centre)
    .bind(gateway)
    .bind(is_called)
    .bind(by)
    .execute(&mut *tx)
    .await?;
    if changed.rows_affected() == 0 {
        return Err(OrderRefused::NotSent(format!("{centre}/{gateway}")));
    }
    let event = Event::Order {
        order: id.to_owned(),
        what: if is_called { "called" } else { "uncalled" }.to_owned(),
        seen: None,
        nth: None,
        of: Some(format!("{centre}/{gateway}")),
        by: by.to_owned(),
    };
    record::append(&mut tx, &event).await?;
    tx.commit().await?;
    Ok(())
}
