//! Which gateways are heard.

use sqlx::{PgPool, Row};

use linli_domain::Id;

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

/// Enrols a gateway, or changes what is known of it. One that was revoked is heard again.
pub async fn add(pool: &PgPool, entry: &Entry) -> Result<(), sqlx::Error> {
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
    .execute(pool)
    .await?;
    Ok(())
}

/// Puts a gateway's messages aside from now on. Returns whether it was heard.
pub async fn revoke(pool: &PgPool, centre: &Id, gateway: &Id) -> Result<bool, sqlx::Error> {
    let changed = sqlx::query(
        "UPDATE gateway SET revoked_at = now() WHERE centre = $1 AND gateway = $2 AND revoked_at IS NULL",
    )
    .bind(centre.as_str())
    .bind(gateway.as_str())
    .execute(pool)
    .await?;
    Ok(changed.rows_affected() > 0)
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

/// The user name of a gateway at the broker.
#[must_use]
pub fn user(centre: &str, gateway: &str) -> String {
    format!("{centre}.{gateway}")
}
