//! Mass orders over HTTP: who asks is named by a token.

use axum::body::Bytes;
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use sqlx::Row;

use super::{Problem, State, json};
use crate::orders::{self, OrderRefused, Release};

impl From<OrderRefused> for Problem {
    fn from(refused: OrderRefused) -> Self {
        let status = match &refused {
            OrderRefused::Database(_) => StatusCode::SERVICE_UNAVAILABLE,
            OrderRefused::Unknown(_) => StatusCode::NOT_FOUND,
            OrderRefused::SamePerson(_) => StatusCode::FORBIDDEN,
            OrderRefused::Malformed(_) | OrderRefused::Text(_) => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::CONFLICT,
        };
        let zh = match &refused {
            OrderRefused::Malformed(_) | OrderRefused::Text(_) => "这不是签名的指令".to_owned(),
            OrderRefused::Expired => "指令已过期".to_owned(),
            OrderRefused::Nobody(_) => "指令中的中心都没有登记".to_owned(),
            OrderRefused::Known(id) => format!("指令 {id} 已经准备过"),
            OrderRefused::Unknown(id) => format!("没有指令 {id}，或者已停发"),
            OrderRefused::SamePerson(person) => format!("{person} 准备了这条指令，须由另一人放行"),
            OrderRefused::Typed { count, of, .. } => format!("输入不符：共 {count} 台网关，类别 {of}"),
            OrderRefused::Stopped => "指令已停发".to_owned(),
            OrderRefused::Complete => "各批都已放行".to_owned(),
            OrderRefused::Database(_) => "数据库没有应答，请稍后再试".to_owned(),
        };
        Self::new(status, zh, refused.to_string())
    }
}

/// The person whose token a request carries. Every token is compared, in a time that does not depend on where it differs.
fn person<'s>(state: &'s State, headers: &HeaderMap) -> Result<&'s str, Problem> {
    let given = headers.get("authorization").and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default().as_bytes();
    let mut found = None;
    for (name, token) in state.people.iter() {
        let token = token.as_bytes();
        let differs = token.len() != given.len()
            || token.iter().zip(given).fold(0, |differs, (a, b)| differs | (a ^ b)) != 0;
        if !differs && !token.is_empty() {
            found = Some(name.as_str());
        }
    }
    found.ok_or_else(|| {
        let en = "send the token of a person of district.toml: Authorization: Bearer …";
        Problem::new(StatusCode::UNAUTHORIZED, "需要 district.toml 中人员的令牌", en)
    })
}

/// Every order, the newest first, with the number of gateways in each state.
pub async fn list(Shared(state): Shared<State>) -> Result<Response, Problem> {
    let row = sqlx::query(
        "SELECT coalesce(json_agg(t), '[]')::text FROM (SELECT o.id, o.number, o.kind, o.class, o.made_by, o.released_by, \
         o.stopped_by, (extract(epoch FROM o.made_at) * 1000)::int8 AS made_at, \
         (extract(epoch FROM o.expires) * 1000)::int8 AS expires, s.* FROM mass_order o, LATERAL ( \
           SELECT count(*) AS gateways, count(*) FILTER (WHERE sent > 0) AS sent, \
           count(*) FILTER (WHERE result = 'accepted') AS accepted, \
           count(*) FILTER (WHERE result NOT IN ('accepted', 'repeated')) AS not_accepted, \
           count(*) FILTER (WHERE sent > 0 AND result IS NULL) AS silent FROM order_target t WHERE t.id = o.id) s \
         ORDER BY o.made_at DESC LIMIT 200) t",
    )
    .fetch_one(&state.pool)
    .await?;
    Ok(json(row.try_get(0)?))
}

/// One order with each gateway: sent, answer, and the stages of its rooms; the telephone number of the silent ones.
pub async fn one(Shared(state): Shared<State>, Path(id): Path<String>) -> Result<Response, Problem> {
    let row = sqlx::query(
        "SELECT row_to_json(o)::text FROM (SELECT o.id, o.number, o.kind, o.class, o.made_by, o.released_by, o.stopped_by, \
         (extract(epoch FROM o.expires) * 1000)::int8 AS expires, \
         (SELECT json_agg(t) FROM (SELECT g.centre, g.gateway, g.name, t.ramp, t.sent, t.result, t.reason, \
           (extract(epoch FROM t.sent_at) * 1000)::int8 AS sent_at, \
           (extract(epoch FROM t.answered_at) * 1000)::int8 AS answered_at, \
           CASE WHEN t.sent > 0 AND t.result IS NULL THEN g.phone END AS phone, \
           CASE WHEN t.result IS NOT NULL THEN 'answered' WHEN t.sent > 0 AND g.online IS NOT TRUE THEN 'offline' \
             WHEN t.sent > 0 THEN 'silent' WHEN t.due IS NOT NULL THEN 'due' ELSE 'waits' END AS state, \
           (SELECT json_object_agg(r.room, r.stage) FROM room r WHERE r.gateway = g.id AND r.\"order\" = o.id) AS rooms \
           FROM order_target t JOIN gateway g ON g.id = t.gateway WHERE t.id = o.id ORDER BY g.centre, g.gateway) t) \
         AS gateways FROM mass_order o WHERE o.id = $1) o",
    )
    .bind(&id)
    .fetch_optional(&state.pool)
    .await?
    .ok_or_else(Problem::not_found)?;
    Ok(json(row.try_get(0)?))
}

/// Prepares an order: the body is its bytes, their text form, or their base64.
pub async fn prepare(
    Shared(state): Shared<State>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let person = person(&state, &headers)?;
    let decoded = std::str::from_utf8(&body).ok().and_then(|text| STANDARD.decode(text.trim()).ok());
    let payload = decoded.as_deref().unwrap_or(&body);
    let (id, count) =
        orders::prepare(&state.pool, payload, person, Timestamp::now().as_millisecond()).await?;
    tracing::info!(id, count, person, "mass order prepared");
    Ok(json(serde_json::json!({"id": id, "gateways": count}).to_string()))
}

/// Releases the next stage.
pub async fn release(
    Shared(state): Shared<State>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let person = person(&state, &headers)?;
    let typed: Release = serde_json::from_slice(&body).map_err(|error| {
        let zh = "请输入网关总数 count 和类别 class";
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, zh, format!("type the count and the class: {error}"))
    })?;
    let stage = orders::release(&state.pool, &id, &typed, person).await?;
    tracing::info!(id, stage, person, "mass order released");
    Ok(json(serde_json::json!({"stage": stage, "of": orders::RAMP}).to_string()))
}

/// Sends no more of it.
pub async fn stop(
    Shared(state): Shared<State>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let person = person(&state, &headers)?;
    orders::stop(&state.pool, &id, person).await?;
    tracing::info!(id, person, "mass order stopped");
    Ok(json("{}".to_owned()))
}
