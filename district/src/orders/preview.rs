//! What would stop each centre of an order, from what it reported; and the hash of it, to which approvals are bound.
//!
//! A preview is taken at one moment and kept: with a thousand centres something changes every second, and two persons
//! have to see the same.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use linli_login::code;
use sqlx::{PgConnection, PgPool, Row};

use super::{OrderRefused, hold, note};

/// What stands against each gateway, in words that screens translate.
const HINDRANCES: &str = "array_remove(ARRAY[ \
    CASE WHEN g.revoked_at IS NOT NULL THEN 'revoked' END, \
    CASE WHEN g.online IS NOT TRUE THEN 'offline' END, \
    CASE WHEN NOT EXISTS (SELECT FROM epoch e WHERE e.gateway = g.id AND e.heard_at > now() - interval '5 min') \
         THEN 'no_report' END, \
    CASE WHEN (SELECT count(*) FROM epoch e WHERE e.gateway = g.id AND e.heard_at > now() - interval '2 min' \
               AND NOT isempty(e.seqs)) > 1 THEN 'doubled' END, \
    CASE WHEN EXISTS (SELECT FROM room r WHERE r.gateway = g.id AND r.stage <> 'peace' \
                      AND r.\"order\" IS DISTINCT FROM t.id) THEN 'other_order' END, \
    CASE WHEN EXISTS (SELECT FROM alarm a WHERE a.gateway = g.id AND a.priority = 'high' \
                      AND a.state NOT IN ('normal', 'shelved', 'suppressed', 'out_of_service')) THEN 'high_alarm' END, \
    CASE WHEN length((SELECT bytes FROM mass_order o WHERE o.id = t.id)) > coalesce(g.order_bytes, 65536) \
         THEN 'too_large' END, \
    CASE WHEN NOT EXISTS (SELECT FROM room r WHERE r.gateway = g.id) THEN 'no_rooms' END], NULL)";

/// Looks anew; approvals so far are void.
pub async fn look(pool: &PgPool, id: &str, by: &str) -> Result<(), OrderRefused> {
    let mut tx = pool.begin().await?;
    let held = hold(&mut tx, id).await?;
    if held.is_approved {
        return Err(OrderRefused::Complete);
    }
    let seen = take(&mut tx, id).await?;
    note(&mut tx, id, "seen", Some(&seen), None, by).await?;
    tx.commit().await?;
    Ok(())
}

/// Takes the preview and keeps it. Returns its hash.
pub async fn take(database: &mut PgConnection, id: &str) -> Result<String, OrderRefused> {
    sqlx::query(sqlx::AssertSqlSafe(format!(
        "UPDATE order_target t SET hindrances = {HINDRANCES} FROM gateway g WHERE t.id = $1 AND g.id = t.gateway"
    )))
    .bind(id)
    .execute(&mut *database)
    .await?;
    let order = sqlx::query("SELECT bytes, class FROM mass_order WHERE id = $1").bind(id);
    let order = order.fetch_one(&mut *database).await?;
    let (bytes, class): (Vec<u8>, String) = (order.try_get(0)?, order.try_get(1)?);
    let rows = sqlx::query(
        "SELECT g.centre, g.gateway, t.ramp, t.hindrances FROM order_target t JOIN gateway g ON g.id = t.gateway \
         WHERE t.id = $1 ORDER BY g.centre, g.gateway",
    )
    .bind(id)
    .fetch_all(&mut *database)
    .await?;
    let mut targets = Vec::with_capacity(rows.len());
    for row in rows {
        let target: (String, String, i32, Vec<String>) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
        targets.push(target);
    }
    let seen = hash(&bytes, &class, &targets);
    sqlx::query(
        "UPDATE mass_order SET seen = $2, seen_at = now(), first_by = NULL, first_session = NULL, first_at = NULL, \
         first_seen = NULL WHERE id = $1",
    )
    .bind(id)
    .bind(&seen)
    .execute(database)
    .await?;
    Ok(seen)
}

/// SHA-256 of the order, its class, its gateways with their stage of the ramp, and what stands against each.
fn hash(bytes: &[u8], class: &str, targets: &[(String, String, i32, Vec<String>)]) -> String {
    let mut text = format!("linli mass order 1\n{}\n{class}\n", STANDARD.encode(bytes));
    for (centre, gateway, ramp, hindrances) in targets {
        // Ids have no blank and no slash, hindrances no comma: no two previews have one text.
        let _ = writeln!(text, "{centre}/{gateway} {ramp} {}", hindrances.join(","));
    }
    code::hash(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_was_seen_differently_has_another_hash() {
        let target = |centre: &str, ramp: i32, hindrances: &[&str]| {
            (centre.to_owned(), "gw".to_owned(), ramp, hindrances.iter().map(|h| (*h).to_owned()).collect())
        };
        let first = hash(b"order", "Actual", &[target("a", 1, &[]), target("b", 2, &["offline"])]);
        assert_eq!(first.len(), 64);
        for other in [
            hash(b"ordes", "Actual", &[target("a", 1, &[]), target("b", 2, &["offline"])]),
            hash(b"order", "Exercise", &[target("a", 1, &[]), target("b", 2, &["offline"])]),
            hash(b"order", "Actual", &[target("a", 1, &[]), target("b", 2, &[])]),
            hash(b"order", "Actual", &[target("a", 1, &["offline"]), target("b", 2, &[])]),
            hash(b"order", "Actual", &[target("a", 1, &[])]),
            hash(b"order", "Actual", &[target("a", 2, &[]), target("b", 2, &["offline"])]),
        ] {
            assert_ne!(first, other);
        }
    }
}
