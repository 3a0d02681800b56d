//! Which gateways are heard.

use sqlx::{PgPool, Row};

use linli_domain::Id;

use crate::accounts::record::note_centre;

/// A centre's gateway as it is enrolled.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The centre.
    pub centre: Id,
    /// Its gateway.
    pub gateway: Id,
    /// Name for people.
    pub name: Option<String>,
    /// Whom to ring when it is silent.
    pub phone: Option<String>,
    /// Latitude and longitude in degrees.
    pub place: Option<(f64, f64)>,
}

/// Why a gateway cannot be enrolled.
#[derive(Debug, thiserror::Error)]
pub enum NotEnrolled {
    /// Another gateway has the same user at the broker.
    #[error("{0} 已占用消息服务器用户名 has the same user {1} at the broker; 请换一个编号 take another id")]
    SameUser(String, String),
    /// The database fails.
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
}

/// Enrols a gateway, or changes what is known of it. One that was revoked is heard again. Returns whether it is new, or
/// heard again.
pub async fn add(pool: &PgPool, entry: &Entry, by: &str) -> Result<bool, NotEnrolled> {
    let mut tx = pool.begin().await?;
    let user = user(entry.centre.as_str(), entry.gateway.as_str());
    // Ids may contain dots: `a.b` of `c` and `b.c` of `a` would be one user with the rights of both.
    let same = sqlx::query(
        "SELECT centre || '/' || gateway FROM gateway WHERE centre || '.' || gateway = $1 \
         AND (centre, gateway) <> ($2, $3) AND revoked_at IS NULL",
    )
    .bind(&user)
    .bind(entry.centre.as_str())
    .bind(entry.gateway.as_str())
    .fetch_optional(&mut *tx)
    .await?;
    if let Some(row) = same {
        return Err(NotEnrolled::SameUser(row.try_get(0)?, user));
    }
    let known = sqlx::query("SELECT revoked_at IS NULL FROM gateway WHERE centre = $1 AND gateway = $2")
        .bind(entry.centre.as_str())
        .bind(entry.gateway.as_str())
        .fetch_optional(&mut *tx)
        .await?;
    let was_heard = known.map(|row| row.try_get(0)).transpose()?.unwrap_or(false);
    sqlx::query(
        "INSERT INTO gateway AS g (centre, gateway, name, phone, lat, lon) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (centre, gateway) DO UPDATE SET name = coalesce(excluded.name, g.name), \
         phone = coalesce(excluded.phone, g.phone), lat = coalesce(excluded.lat, g.lat), \
         lon = coalesce(excluded.lon, g.lon), revoked_at = NULL",
    )
    .bind(entry.centre.as_str())
    .bind(entry.gateway.as_str())
    .bind(entry.name.as_deref())
    .bind(entry.phone.as_deref())
    .bind(entry.place.map(|place| place.0))
    .bind(entry.place.map(|place| place.1))
    .execute(&mut *tx)
    .await?;
    let what = if was_heard { "changed" } else { "enrolled" };
    note_centre(&mut tx, (&entry.centre, &entry.gateway), what, by).await?;
    tx.commit().await?;
    Ok(!was_heard)
}

/// Puts a gateway's messages aside from now on; its code and its certificates are void. Returns whether it was heard.
pub async fn revoke(pool: &PgPool, centre: &Id, gateway: &Id, by: &str) -> Result<bool, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let row = sqlx::query(
        "UPDATE gateway SET revoked_at = now() WHERE centre = $1 AND gateway = $2 AND revoked_at IS NULL RETURNING id",
    )
    .bind(centre.as_str())
    .bind(gateway.as_str())
    .fetch_optional(&mut *tx)
    .await?;
    let Some(row) = row else { return Ok(false) };
    let id: i32 = row.try_get(0)?;
    sqlx::query("UPDATE certificate SET revoked_at = now() WHERE gateway = $1 AND revoked_at IS NULL")
        .bind(id)
        .execute(&mut *tx)
        .await?;
    sqlx::query("DELETE FROM invitation WHERE gateway = $1").bind(id).execute(&mut *tx).await?;
    note_centre(&mut tx, (centre, gateway), "revoked", by).await?;
    tx.commit().await?;
    Ok(true)
}

/// Every gateway as the screens and the command line show it, JSON.
pub async fn list(pool: &PgPool) -> Result<String, sqlx::Error> {
    let row = sqlx::query(
        "SELECT coalesce(json_agg(t ORDER BY t.centre, t.gateway), '[]')::text FROM (\
         SELECT g.centre, g.gateway, g.name, g.phone, g.lat, g.lon, coalesce(g.online, false) AS online, \
           g.centre || '.' || g.gateway AS \"user\", \
           (extract(epoch FROM g.enrolled_at) * 1000)::int8 AS enrolled_at, \
           (extract(epoch FROM g.revoked_at) * 1000)::int8 AS revoked_at, \
           (extract(epoch FROM c.until) * 1000)::int8 AS certificate_until, \
           (extract(epoch FROM i.until) * 1000)::int8 AS code_until, \
           CASE WHEN g.revoked_at IS NOT NULL THEN 'revoked' WHEN c.until > now() THEN 'certificate' \
             WHEN i.used_at IS NULL AND i.until > now() THEN 'invited' WHEN c.until IS NOT NULL THEN 'ended' \
             WHEN i.used_at IS NULL AND i.until IS NOT NULL THEN 'expired' ELSE 'no_certificate' END AS state \
         FROM gateway g LEFT JOIN invitation i ON i.gateway = g.id \
         LEFT JOIN LATERAL (SELECT max(until) AS until FROM certificate \
           WHERE gateway = g.id AND revoked_at IS NULL) c ON true) t",
    );
    row.fetch_one(pool).await?.try_get(0)
}

/// Rules for mosquitto (`acl_file`): each gateway reads and writes below its own name only, with a user of that name.
/// Only the district names stored records and gives orders.
pub async fn access_rules(pool: &PgPool, district: &str) -> Result<String, sqlx::Error> {
    let rows = sqlx::query("SELECT centre, gateway FROM gateway WHERE revoked_at IS NULL ORDER BY 1, 2")
        .fetch_all(pool)
        .await?;
    let mut rules = format!("user {district}\ntopic read linli/1/#\n");
    for below in ["ack", "order", "cmd/+"] {
        rules += &format!("topic write linli/1/+/+/{below}\n");
    }
    for row in rows {
        let (centre, gateway): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        rules += &format!("\nuser {}\n", user(&centre, &gateway));
        for below in ["status", "meta/#", "data/#", "vital/#", "event/#", "cmd/+/result"] {
            rules += &format!("topic write linli/1/{centre}/{gateway}/{below}\n");
        }
        for below in ["ack", "order", "cmd/+"] {
            rules += &format!("topic read linli/1/{centre}/{gateway}/{below}\n");
        }
    }
    Ok(rules)
}

/// The user name of a gateway at the broker; the name in its certificate.
#[must_use]
pub fn user(centre: &str, gateway: &str) -> String {
    format!("{centre}.{gateway}")
}
