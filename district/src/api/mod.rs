//! HTTP: the state of the district, mass orders, `/metrics` and `/readyz`. Only on loopback.
//!
//! No answer holds the body of a vital sign or a pseudonym: how many were measured is all that is told of residents.

mod host;
mod orders;
mod page;
mod queries;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use axum::Router;
use axum::extract::{Path, Query, State as Shared};
use axum::http::{StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use linli_listen::{Counts, Limits};
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;
use crate::source::SourceStatus;

/// What handlers share.
#[derive(Clone)]
pub struct State {
    pool: PgPool,
    metrics: Arc<Metrics>,
    source: Arc<SourceStatus>,
    people: Arc<Vec<(String, String)>>,
}

// === impl State ===

impl State {
    /// What handlers share.
    #[must_use]
    pub fn new(
        pool: PgPool,
        metrics: Arc<Metrics>,
        source: Arc<SourceStatus>,
        people: Vec<(String, String)>,
    ) -> Self {
        Self { pool, metrics, source, people: Arc::new(people) }
    }
}

/// Every route.
pub fn router(state: State) -> Router {
    Router::new()
        .route("/", get(page::index))
        .route("/page/{file}", get(page::file))
        .route("/metrics", get(metrics))
        .route("/readyz", get(ready))
        .route("/api/v1/centres", get(centres))
        .route("/api/v1/centres/{centre}", get(centre))
        .route("/api/v1/centres/{centre}/{gateway}/trend", get(trend))
        .route("/api/v1/alarms", get(alarms))
        .route("/api/v1/aside", get(aside))
        .route("/api/v1/orders", get(orders::list).post(orders::prepare))
        .route("/api/v1/orders/{id}", get(orders::one))
        .route("/api/v1/orders/{id}/release", post(orders::release))
        .route("/api/v1/orders/{id}/stop", post(orders::stop))
        .with_state(state)
}

/// Serves requests for these names, and those of loopback, until cancelled.
pub async fn serve(listener: TcpListener, state: State, hosts: Vec<String>, cancel: CancellationToken) {
    let counts = Arc::new(Counts::default());
    let guarded = router(state).layer(from_fn_with_state(Arc::new(hosts), host::guard));
    linli_listen::serve(listener, None, guarded, Limits::network(), counts, cancel).await;
}

/// An answer that is no success: RFC 9457, with both languages.
pub struct Problem {
    status: StatusCode,
    zh: String,
    en: String,
}

// === impl Problem ===

impl Problem {
    fn new(status: StatusCode, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { status, zh: zh.into(), en: en.into() }
    }

    fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "没有这个中心、测点或指令",
            "there is no such centre, point or order",
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { status, zh, en } = self;
        let body = serde_json::json!({"status": status.as_u16(), "detail": en, "zh": zh, "en": en});
        (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        tracing::warn!(%error, "a request failed");
        let en = "the database does not answer; try again";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "数据库没有应答，请稍后再试", en)
    }
}

fn json(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], text).into_response()
}

async fn metrics(Shared(state): Shared<State>) -> Response {
    let page = state.metrics.page(&state.source);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], page).into_response()
}

/// Ready while the broker is connected and the database answers.
async fn ready(Shared(state): Shared<State>) -> Response {
    let has_broker = state.source.connected.load(Relaxed) == 1;
    let has_database = sqlx::query("SELECT 1").execute(&state.pool).await.is_ok();
    let status = if has_broker && has_database { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let word = |is_there: bool| if is_there { "up" } else { "down" };
    (status, format!("broker {}\ndatabase {}\n", word(has_broker), word(has_database))).into_response()
}

async fn centres(Shared(state): Shared<State>) -> Result<Response, Problem> {
    Ok(json(queries::centres(&state.pool).await?))
}

async fn centre(Shared(state): Shared<State>, Path(centre): Path<String>) -> Result<Response, Problem> {
    queries::centre(&state.pool, &centre).await?.map(json).ok_or_else(Problem::not_found)
}

async fn alarms(Shared(state): Shared<State>) -> Result<Response, Problem> {
    Ok(json(queries::alarms(&state.pool).await?))
}

async fn aside(Shared(state): Shared<State>) -> Result<Response, Problem> {
    Ok(json(queries::aside(&state.pool).await?))
}

/// Which trend.
#[derive(Debug, serde::Deserialize)]
struct Asked {
    device: String,
    point: String,
    from: i64,
    to: i64,
}

async fn trend(
    Shared(state): Shared<State>,
    Path((centre, gateway)): Path<(String, String)>,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    let Query(asked) = asked.map_err(|error| {
        Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "需要 device、point、from、to（毫秒）",
            error.body_text(),
        )
    })?;
    let is_long = asked.to <= asked.from || asked.to - asked.from > 32 * 86_400_000 || asked.from < 0;
    if is_long {
        let en = "`to` must be after `from`, by 32 days at most";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "to 必须晚于 from，最多 32 天", en));
    }
    let of = (centre.as_str(), gateway.as_str(), asked.device.as_str(), asked.point.as_str());
    queries::trend(&state.pool, of, asked.from, asked.to).await?.map(json).ok_or_else(Problem::not_found)
}
