//! Two persons approve what both saw; then the stages are released, one after the other.

use std::time::Duration;

use linli_domain::Id;
use linli_domain::approval::{Approval, NotApproved};
use linli_domain::audit::unhex;
use sqlx::{PgConnection, PgPool};

use super::{First, Held, OrderRefused, hold, note};
use crate::accounts::{Person, caller, clock};

/// What a person approves with: the hash of what they saw; the second also types number and class.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirmation {
    /// The hash of the preview that was shown.
    pub seen: String,
    /// Their password, entered again.
    pub password: String,
    /// Number of gateways of the whole order.
    pub count: Option<i64>,
    /// Its class: `Actual` or `Exercise`.
    pub class: Option<String>,
}

/// What a person types to release the next stage.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// The stage.
    pub stage: i32,
    /// Number of gateways of the whole order.
    pub count: i64,
    /// Its class: `Actual` or `Exercise`.
    pub class: String,
}

/// Approves an order: the first of two persons, or the second, with whom the first stage goes out. The password was
/// verified before. Returns whether it is the second.
pub async fn approve(
    pool: &PgPool,
    id: &str,
    confirmation: &Confirmation,
    person: &Person,
) -> Result<bool, OrderRefused> {
    let mut tx = pool.begin().await?;
    let held = hold(&mut tx, id).await?;
    if held.is_approved {
        return Err(OrderRefused::Complete);
    }
    if held.seen.as_deref() != Some(&confirmation.seen) || held.is_revoked {
        return Err(OrderRefused::Changed);
    }
    if !held.is_seen_lately {
        return Err(OrderRefused::OldPreview);
    }
    let now = clock(&mut tx).await?;
    let approval = |account: &Id, session: &str, seen: &str, at: i64| {
        let subject = unhex(seen).and_then(|bytes| bytes.try_into().ok()).unwrap_or_default();
        let at = Duration::from_millis(u64::try_from(at).unwrap_or_default());
        Approval::of(&caller(account, session), subject, at).map_err(OrderRefused::NotApproved)
    };
    let second = approval(&person.account, &person.session, &confirmation.seen, now)?;
    let refused = match &held.first {
        None => None,
        Some(First { account, session, seen, at }) => {
            let account = Id::new(account).map_err(|_| OrderRefused::NotYet)?;
            // The password was entered with this request.
            approval(&account, session, seen, *at)?.completed_by(&second, true).err()
        }
    };
    match (&held.first, refused) {
        (Some(_), None) => {
            typed(
                &held,
                confirmation.count.unwrap_or_default(),
                confirmation.class.as_deref().unwrap_or_default(),
            )?;
            complete(&mut tx, id, &confirmation.seen, person).await?;
            tx.commit().await?;
            Ok(true)
        }
        (Some(_), Some(why)) if !why.voids() => Err(OrderRefused::NotApproved(why)),
        (_, why) => {
            begin(&mut tx, id, &confirmation.seen, person).await?;
            tx.commit().await?;
            match why {
                // The first is void, this one is now the first: whoever asks has to know.
                Some(why @ NotApproved::Late) => Err(OrderRefused::NotApproved(why)),
                _ => Ok(false),
            }
        }
    }
}

async fn begin(
    database: &mut PgConnection,
    id: &str,
    seen: &str,
    person: &Person,
) -> Result<(), OrderRefused> {
    sqlx::query(
        "UPDATE mass_order SET first_by = $2, first_session = $3, first_seen = $4, first_at = clock_timestamp() \
         WHERE id = $1",
    )
    .bind(id)
    .bind(person.account.as_str())
    .bind(&person.session)
    .bind(seen)
    .execute(&mut *database)
    .await?;
    Ok(note(database, id, "approved", Some(seen), Some(1), person.account.as_str()).await?)
}

async fn complete(
    database: &mut PgConnection,
    id: &str,
    seen: &str,
    person: &Person,
) -> Result<(), OrderRefused> {
    let by = person.account.as_str();
    sqlx::query(
        "UPDATE mass_order SET second_by = $2, second_at = clock_timestamp(), released_by = $2, released_at = now() \
         WHERE id = $1",
    )
    .bind(id)
    .bind(by)
    .execute(&mut *database)
    .await?;
    note(database, id, "approved", Some(seen), Some(2), by).await?;
    send_stage(database, id, 1, by).await
}

/// Releases the next stage of the ramp. Returns its number.
pub async fn release(pool: &PgPool, id: &str, asked: &Release, by: &str) -> Result<i32, OrderRefused> {
    let mut tx = pool.begin().await?;
    let held = hold(&mut tx, id).await?;
    if !held.is_approved {
        return Err(OrderRefused::NotYet);
    }
    let next = held.stage + 1;
    if next > held.stages {
        return Err(OrderRefused::Complete);
    }
    if asked.stage != next {
        return Err(OrderRefused::Stage { asked: asked.stage, next });
    }
    typed(&held, asked.count, &asked.class)?;
    send_stage(&mut tx, id, next, by).await?;
    tx.commit().await?;
    Ok(next)
}

fn typed(held: &Held, count: i64, class: &str) -> Result<(), OrderRefused> {
    match count == held.count && class == held.class {
        true => Ok(()),
        false => Err(OrderRefused::Typed {
            typed: count,
            class: class.to_owned(),
            count: held.count,
            of: held.class.clone(),
        }),
    }
}

async fn send_stage(database: &mut PgConnection, id: &str, stage: i32, by: &str) -> Result<(), OrderRefused> {
    sqlx::query("UPDATE order_target SET due = now() WHERE id = $1 AND ramp = $2 AND result IS NULL")
        .bind(id)
        .bind(stage)
        .execute(&mut *database)
        .await?;
    sqlx::query("UPDATE mass_order SET stage = $2 WHERE id = $1")
        .bind(id)
        .bind(stage)
        .execute(&mut *database)
        .await?;
    Ok(note(database, id, "released", None, Some(stage), by).await?)
}
