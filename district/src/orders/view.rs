//! Orders as the interface shows them. PostgreSQL writes the JSON.

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool, Row};

use super::timeline::timeline;
use crate::accounts::record;

/// Most stages of rooms in a report.
const MOST_STAGES: i64 = 20_000;

/// The word for where an order stands.
const STATE: &str = "CASE WHEN o.stopped_at IS NOT NULL THEN 'stopped' WHEN o.expires <= now() THEN 'expired' \
    WHEN o.second_by IS NULL AND o.first_by IS NULL THEN 'prepared' WHEN o.second_by IS NULL THEN 'approved_once' \
    WHEN o.stage >= (SELECT max(ramp) FROM order_target t WHERE t.id = o.id) THEN 'complete' ELSE 'released' END";

/// The word for where an order stands at a gateway.
const TARGET_STATE: &str = "CASE WHEN t.result IS NOT NULL THEN 'answered' \
    WHEN t.sent > 0 AND g.online IS NOT TRUE THEN 'offline' WHEN t.sent > 0 THEN 'silent' \
    WHEN t.due IS NOT NULL THEN 'due' ELSE 'waits' END";

fn ms(time: &str) -> String {
    format!("(extract(epoch FROM {time}) * 1000)::int8")
}

/// Every order, the newest first, with the number of gateways in each state.
pub async fn list(pool: &PgPool) -> Result<String, sqlx::Error> {
    let sql = format!(
        "SELECT coalesce(json_agg(t), '[]')::text FROM (SELECT o.id, o.number, o.kind, o.class, {STATE} AS state, o.stage, \
         o.made_by, o.first_by, o.second_by, o.stopped_by, {made} AS made_at, {expires} AS expires, s.* \
         FROM mass_order o, LATERAL (SELECT count(*) AS gateways, count(*) FILTER (WHERE sent > 0) AS sent, \
           count(*) FILTER (WHERE result IN ('accepted', 'repeated')) AS accepted, \
           count(*) FILTER (WHERE result NOT IN ('accepted', 'repeated')) AS not_accepted, \
           count(*) FILTER (WHERE sent > 0 AND result IS NULL) AS silent FROM order_target t WHERE t.id = o.id) s \
         ORDER BY o.made_at DESC LIMIT 200) t",
        made = ms("o.made_at"),
        expires = ms("o.expires")
    );
    sqlx::query(AssertSqlSafe(sql)).fetch_one(pool).await?.try_get(0)
}

/// One order with each gateway: preview, sent, answer, the stages of its rooms; the telephone number of the silent ones.
pub async fn one(pool: &PgPool, id: &str) -> Result<Option<Value>, sqlx::Error> {
    let sql = format!(
        "SELECT json_build_object('id', o.id, 'number', o.number, 'kind', o.kind, 'class', o.class, 'state', {STATE}, \
         'stage', o.stage, 'stages', (SELECT max(ramp) FROM order_target t WHERE t.id = o.id), \
         'zone', current_setting('TimeZone'), 'seen', o.seen, 'seen_at', {seen_at}, 'made_by', o.made_by, 'made_at', {made_at}, 'expires', {expires}, \
         'first', CASE WHEN o.first_by IS NOT NULL THEN json_build_object('account', o.first_by, 'at', {first_at}) END, \
         'second', CASE WHEN o.second_by IS NOT NULL THEN json_build_object('account', o.second_by, 'at', {second_at}) END, \
         'stopped_by', o.stopped_by, 'stopped_at', {stopped_at}, \
         'gateways', (SELECT json_agg(json_build_object('centre', g.centre, 'gateway', g.gateway, 'name', g.name, \
           'ramp', t.ramp, 'preview', json_build_object('ready', t.hindrances = '{{}}', 'hindrances', t.hindrances), \
           'state', {TARGET_STATE}, 'result', t.result, 'reason', t.reason, 'sent', t.sent, 'sent_at', {sent_at}, \
           'answered_at', {answered_at}, 'first_sent_at', {first_sent_at}, 'called_at', {called_at}, 'called_by', t.called_by, \
           'phone', CASE WHEN t.sent > 0 AND t.result IS NULL THEN g.phone END, \
           'rooms', (SELECT json_object_agg(r.room, r.stage) FROM room r WHERE r.gateway = g.id AND r.\"order\" = o.id), \
           'room_names', (SELECT json_object_agg(r.room, g.rooms ->> r.room) FROM room r \
             WHERE r.gateway = g.id AND r.\"order\" = o.id)) \
           ORDER BY g.centre, g.gateway) FROM order_target t JOIN gateway g ON g.id = t.gateway WHERE t.id = o.id) \
         )::text FROM mass_order o WHERE o.id = $1",
        seen_at = ms("o.seen_at"),
        made_at = ms("o.made_at"),
        expires = ms("o.expires"),
        first_at = ms("o.first_at"),
        second_at = ms("o.second_at"),
        stopped_at = ms("o.stopped_at"),
        sent_at = ms("t.sent_at"),
        answered_at = ms("t.answered_at"),
        called_at = ms("t.called_at"),
        first_sent_at = ms("t.first_sent_at"),
    );
    let Some(row) = sqlx::query(AssertSqlSafe(sql)).bind(id).fetch_optional(pool).await? else {
        return Ok(None);
    };
    let of_data = |error: serde_json::Error| sqlx::Error::Decode(Box::new(error));
    let mut order: Value = serde_json::from_str(&row.try_get::<String, _>(0)?).map_err(of_data)?;
    let sums = sums(&order);
    order["ready"] = sums["ready"].clone();
    order["sums"] = sums;
    Ok(Some(order))
}

/// How many gateways are in each state.
fn sums(order: &Value) -> Value {
    let gateways = order["gateways"].as_array().map_or(&[][..], Vec::as_slice);
    let count = |holds: &dyn Fn(&Value) -> bool| gateways.iter().filter(|gateway| holds(gateway)).count();
    let state = |word: &str| count(&|gateway| gateway["state"] == word);
    json!({
        "gateways": gateways.len(), "ready": count(&|gateway| gateway["preview"]["ready"] == true),
        "waits": state("waits"), "due": state("due"), "silent": state("silent"), "offline": state("offline"),
        "answered": state("answered"), // One that says that it has it already follows it: its first answer was lost.
        "accepted": count(&|gateway| gateway["result"] == "accepted" || gateway["result"] == "repeated"),
        "not_accepted": count(&|gateway| {
            gateway["result"].as_str().is_some_and(|result| !["accepted", "repeated"].contains(&result))
        }),
    })
}

/// One order with all that happened to it: who did what, every answer, every stage of a room.
pub async fn report(pool: &PgPool, id: &str) -> Result<Option<Value>, sqlx::Error> {
    let Some(mut order) = one(pool, id).await? else { return Ok(None) };
    let mut events: Vec<Value> = Vec::new();
    for line in record::about(pool, id).await? {
        let line: Value = serde_json::from_str(&line).unwrap_or_default();
        events
            .push(json!({"at": line["at"], "what": line["what"], "account": line["by"], "nth": line["nth"],
                "of": line["of"]}));
    }
    for gateway in order["gateways"].as_array().into_iter().flatten() {
        if gateway["answered_at"].is_i64() {
            events
                .push(json!({"at": gateway["answered_at"], "what": "answered", "centre": gateway["centre"],
                "gateway": gateway["gateway"], "result": gateway["result"], "reason": gateway["reason"]}));
        }
    }
    let sql = format!(
        "SELECT g.centre, g.gateway, coalesce(g.rooms ->> (e.body ->> 'room'), e.body ->> 'room'), \
         e.body ->> 'stage', {at} FROM event e \
         JOIN order_target t ON t.gateway = e.gateway AND t.id = $1 JOIN mass_order o ON o.id = t.id \
         JOIN gateway g ON g.id = e.gateway WHERE e.at >= o.made_at - interval '1 day' AND e.kind = 'event/mode' \
         AND e.body ->> 'order' = $1 AND e.body ->> 'kind' = 'room' ORDER BY e.at LIMIT $2",
        at = ms("e.at")
    );
    for row in sqlx::query(AssertSqlSafe(sql)).bind(id).bind(MOST_STAGES).fetch_all(pool).await? {
        let (centre, gateway, room, stage, at): (String, String, Option<String>, Option<String>, i64) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?, row.try_get(4)?);
        events.push(json!({"at": at, "what": "stage", "centre": centre, "gateway": gateway, "room": room, "stage": stage}));
    }
    for gateway in order["gateways"].as_array().into_iter().flatten() {
        if gateway["first_sent_at"].is_i64() {
            events.push(json!({"at": gateway["first_sent_at"], "what": "sent", "centre": gateway["centre"],
                "gateway": gateway["gateway"]}));
        }
    }
    events.sort_by_key(|event| event["at"].as_i64());
    let now = crate::accounts::clock(&mut *pool.acquire().await?).await?;
    order["timeline"] = timeline(&order, &events, now);
    order["events"] = Value::Array(events);
    Ok(Some(order))
}
