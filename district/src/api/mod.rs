//! HTTP: the state of the district, mass orders, accounts, `/metrics` and `/readyz`. Off loopback only over TLS.
//!
//! No answer holds the body of a vital sign or a pseudonym: how many were measured is all that is told of residents.

mod accounts;
mod enrolment;
mod gate;
mod host;
mod orders;
mod page;
pub mod permission;
mod queries;
mod record;
mod reports;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use axum::Router;
use axum::extract::{Path, Query, State as Shared};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use linli_listen::{Counts, Limits, Tls};
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::accounts::LogIns;
use crate::certificates::Settings;
use crate::metrics::Metrics;
use crate::source::SourceStatus;

/// What handlers share.
#[derive(Clone)]
pub struct State {
    pool: PgPool,
    metrics: Arc<Metrics>,
    source: Arc<SourceStatus>,
    log_ins: LogIns,
    is_tls: bool,
    outlines: Arc<str>,
    certificates: Option<Settings>,
}

// === impl State ===

impl State {
    /// What handlers share. `is_tls`: cookies are named and marked so.
    #[must_use]
    pub fn new(pool: PgPool, metrics: Arc<Metrics>, source: Arc<SourceStatus>, is_tls: bool) -> Self {
        let outlines = crate::outlines::NONE.into();
        Self { pool, metrics, source, log_ins: LogIns::default(), is_tls, outlines, certificates: None }
    }

    /// With outlines below the map, GeoJSON.
    #[must_use]
    pub fn with_outlines(self, outlines: Option<String>) -> Self {
        Self { outlines: outlines.map_or(self.outlines, Into::into), ..self }
    }

    /// With what signs the certificates of gateways.
    #[must_use]
    pub fn with_certificates(self, certificates: Option<Settings>) -> Self {
        Self { certificates, ..self }
    }

    /// Name of the cookie of a session.
    const fn cookie(&self) -> &'static str {
        if self.is_tls { "__Host-linli-district" } else { "linli-district" }
    }
}

/// Every route.
pub fn router(state: State) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/readyz", get(ready))
        .route("/api/v1/session", get(accounts::who).post(accounts::log_in).delete(accounts::log_out))
        .route("/api/v1/enrol", post(accounts::enrol))
        .route("/api/v1/accounts", get(accounts::list).post(accounts::add))
        .route("/api/v1/accounts/{id}/reset", post(accounts::reset))
        .route("/api/v1/accounts/{id}/disable", post(accounts::disable))
        .route("/api/v1/accounts/{id}/enable", post(accounts::enable))
        .route("/api/v1/record", get(record::show))
        .route("/api/v1/record/verify", post(record::verify))
        .route("/api/v1/record/export", get(record::export))
        .route("/api/v1/authority", get(enrolment::authority))
        .route("/api/v1/certificate", post(enrolment::issue))
        .route("/api/v1/certificate/renew", post(enrolment::renew))
        .route("/api/v1/enrolment", get(enrolment::list).post(enrolment::add))
        .route("/api/v1/enrolment/{centre}/{gateway}/code", post(enrolment::code))
        .route("/api/v1/enrolment/{centre}/{gateway}/revoke", post(enrolment::revoke))
        .route("/api/v1/centres", get(centres))
        .route("/api/v1/centres/{centre}", get(centre))
        .route("/api/v1/centres/{centre}/report", get(reports::month))
        .route("/api/v1/centres/{centre}/{gateway}/trend", get(trend))
        .route("/api/v1/outlines", get(outlines))
        .route("/api/v1/alarms", get(alarms))
        .route("/api/v1/aside", get(aside))
        .route("/api/v1/orders", get(orders::list).post(orders::prepare))
        .route("/api/v1/orders/{id}", get(orders::one))
        .route("/api/v1/orders/{id}/report", get(orders::report))
        .route("/api/v1/orders/{id}/preview", post(orders::preview))
        .route("/api/v1/orders/{id}/approve", post(orders::approve))
        .route("/api/v1/orders/{id}/release", post(orders::release))
        .route("/api/v1/orders/{id}/stop", post(orders::stop))
        .route("/api/v1/orders/{id}/called", post(orders::called))
        .route_layer(from_fn_with_state(state.clone(), gate::enter))
        .with_state(state)
        .merge(page::router())
}

/// What gateways ask for, and nothing else.
pub fn gateways(state: State) -> Router {
    Router::new()
        .route("/api/v1/authority", get(enrolment::authority))
        .route("/api/v1/certificate", post(enrolment::issue))
        .route("/api/v1/certificate/renew", post(enrolment::renew))
        .route_layer(from_fn_with_state(state.clone(), gate::enter))
        .with_state(state)
}

/// Serves requests for these names, and those of loopback, until cancelled.
pub async fn serve(
    listener: TcpListener,
    tls: Option<&Tls>,
    routes: Router,
    hosts: Vec<String>,
    cancel: CancellationToken,
) {
    let counts = Arc::new(Counts::default());
    let guarded = routes.layer(from_fn_with_state(Arc::new(hosts), host::guard));
    linli_listen::serve(listener, tls, guarded, Limits::network(), counts, cancel).await;
}

/// An answer that is no success: RFC 9457, with both languages.
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    zh: String,
    en: String,
    wait_s: Option<u64>,
}

// === impl Problem ===

impl Problem {
    fn new(status: StatusCode, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { status, code: "refused", zh: zh.into(), en: en.into(), wait_s: None }
    }

    /// With the word that programs rely on.
    const fn code(mut self, code: &'static str) -> Self {
        self.code = code;
        self
    }

    /// With the seconds after which it may be tried again.
    const fn wait(mut self, seconds: u64) -> Self {
        self.wait_s = Some(seconds);
        self
    }

    fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "没有这个中心、测点或指令",
            "there is no such centre, point or order",
        )
        .code("unknown")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { status, code, zh, en, wait_s } = self;
        let mut body =
            serde_json::json!({"status": status.as_u16(), "code": code, "detail": en, "zh": zh, "en": en});
        if let Some(seconds) = wait_s {
            body["wait_s"] = seconds.into();
        }
        let kind = [(header::CONTENT_TYPE, "application/problem+json"), (header::CACHE_CONTROL, "no-store")];
        let mut answer = (status, kind, body.to_string()).into_response();
        if let Some(wait) = wait_s.and_then(|wait| HeaderValue::from_str(&wait.to_string()).ok()) {
            answer.headers_mut().insert(header::RETRY_AFTER, wait);
        }
        answer
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        tracing::warn!(%error, "a request failed");
        let en = "the database does not answer; try again";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "数据库没有应答，请稍后再试", en).code("database")
    }
}

fn json(text: String) -> Response {
    let nosniff = (header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    let kind = (header::CONTENT_TYPE, "application/json");
    ([kind, (header::CACHE_CONTROL, "no-store"), nosniff], text).into_response()
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

async fn outlines(Shared(state): Shared<State>) -> Response {
    json(state.outlines.to_string())
}

async fn alarms(Shared(state): Shared<State>) -> Result<Response, Problem> {
    Ok(json(queries::alarms(&state.pool).await?))
}

async fn aside(Shared(state): Shared<State>) -> Result<Response, Problem> {
    Ok(json(queries::aside(&state.pool).await?))
}

/// Longest span of single values, and of sums.
const LONGEST: (i64, i64) = (32 * 86_400_000, 100 * 86_400_000);

/// Which trend.
#[derive(Debug, serde::Deserialize)]
struct Asked {
    device: String,
    point: String,
    from: i64,
    to: i64,
    /// Sums of so many milliseconds instead of single values.
    step: Option<i64>,
}

async fn trend(
    Shared(state): Shared<State>,
    Path((centre, gateway)): Path<(String, String)>,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    let wrong = |zh: &str, en: &str| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, zh, en);
    let Query(asked) =
        asked.map_err(|error| wrong("需要 device、point、from、to（毫秒）", &error.body_text()))?;
    if asked.step.is_some_and(|step| !(1000..=86_400_000).contains(&step)) {
        return Err(wrong("step 为 1000 至 86400000 毫秒", "`step` is 1000 to 86400000 ms"));
    }
    let longest = if asked.step.is_some() { LONGEST.1 } else { LONGEST.0 };
    if asked.to <= asked.from || asked.to - asked.from > longest || asked.from < 0 {
        let en = "`to` must be after `from`, by 32 days at most, by 100 with `step`";
        return Err(wrong("to 必须晚于 from，最多 32 天；有 step 时最多 100 天", en));
    }
    let of = (centre.as_str(), gateway.as_str(), asked.device.as_str(), asked.point.as_str());
    let span = (asked.from, asked.to, asked.step);
    queries::trend(&state.pool, of, span).await?.map(json).ok_or_else(Problem::not_found)
}
