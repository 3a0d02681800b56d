//! Readiness, metrics, status, devices, trends. They only read.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use linli_domain::{Id, Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::Instant;

use super::Problem;
use crate::status::GatewayStatus;

/// Longest time span of a trend, in milliseconds: 31 days.
const LONGEST_TREND_MS: i64 = 31 * 24 * 3600 * 1000;

type Shared = State<Arc<GatewayStatus>>;

/// Routes that change nothing.
pub fn router(status_source: Arc<GatewayStatus>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/api/v1/status", get(status))
        .route("/api/v1/devices", get(devices))
        .route("/api/v1/devices/{device}", get(device))
        .route("/api/v1/devices/{device}/points/{point}/trend", get(trend))
        .with_state(status_source)
}

/// What `GET /` answers programs.
pub(super) const ADDRESSES: &str = "linli\n\
     GET /healthz                                       alive\n\
     GET /readyz                                        all lines attempted, store writable\n\
     GET /metrics                                       Prometheus text\n\
     POST /api/v1/session                               logs in: {\"account\", \"password\", \"code\"}; GET who am I, DELETE logs out\n\
     GET /api/openapi.json                              every path, as an OpenAPI document\n\
     POST /api/v1/session/enrol                         sets an account up: {\"account\", \"code\", \"secret\"}\n\
     \n\
     With a log-in, or a token (Authorization: Bearer TOKEN), for the roles that may:\n\
     GET /api/v1/status                                 everything in one JSON\n\
     GET /api/v1/centre                                 sites, rooms with their outlines, stages of the rooms\n\
     GET /api/v1/devices                                devices with their latest values\n\
     GET /api/v1/devices/{device}                       one device\n\
     GET /api/v1/devices/{device}/points/{point}/trend  ?from=&to= (Unix ms): one-minute roll-ups\n\
     GET /api/v1/events                                 what happens, as it happens (Server-Sent Events); ?topics=values,alarm: kinds and values\n\
     GET /api/v1/alarms                                 what is wrong; ?all=true also what is not\n\
     GET /api/v1/alarms/journal                         ?limit=: every step, newest first\n\
     POST /api/v1/alarms/{alarm}/{operation}            acknowledge, reset, shelve {\"for\",\"why\"}, unshelve, take-out {\"why\"}, put-back\n\
     GET /api/v1/visits                                 ?open=true, or ?from=&to=; POST opens one\n\
     GET /api/v1/visits/{visit}                         with its measurements; ?reveal=true names the resident\n\
     POST /api/v1/visits/{visit}/end                    {\"ending\": \"completed\" or \"abandoned\"}\n\
     POST /api/v1/visits/{visit}/erase                  {\"why\"}\n\
     POST /api/v1/residents/find                        an identity: its pseudonym\n\
     POST /api/v1/residents/{pseudonym}/erase           {\"why\"}\n\
     GET /api/v1/measurements/unassigned                what waits for its visit\n\
     GET /api/v1/measurements/{measurement}             all its versions\n\
     POST /api/v1/measurements/{measurement}/assign     {\"visit\", \"why\"}\n\
     POST /api/v1/measurements/{measurement}/correct    {\"readings\", \"context\", \"why\"}\n\
     POST /api/v1/measurements/{measurement}/withdraw   {\"why\"}\n\
     GET /api/v1/export/fhir, /api/v1/export/csv        ?visit=, or ?from=&to=\n\
     GET /api/v1/mode                                   the mode of every room\n\
     POST /api/v1/mode/rooms/{room}/{operation}         stop, confirm {\"step\"}, resume {\"why\"} ...\n\
     GET /api/v1/audit, /api/v1/users/record            who did what\n\
     GET /api/v1/users                                  accounts, screens; POST adds one\n";

async fn readyz(State(status_source): Shared) -> Response {
    let readiness = status_source.readiness();
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let word = if readiness.ready { "ready" } else { "not ready" };
    (status, format!("{word}\n{}\n", readiness.findings.join("\n"))).into_response()
}

async fn metrics(State(status_source): Shared) -> Response {
    match crate::metrics::render(&status_source) {
        Ok(page) => ([("content-type", "text/plain; version=0.0.4")], page).into_response(),
        Err(error) => Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn status(State(status_source): Shared) -> Json<serde_json::Value> {
    Json(status_source.status())
}

async fn devices(State(status_source): Shared) -> Json<Vec<linli_services::live::DeviceView>> {
    Json(status_source.live.view(Instant::now()))
}

async fn device(
    State(status_source): Shared,
    Path(device): Path<String>,
) -> Result<Json<linli_services::live::DeviceView>, Problem> {
    let found = status_source.live.device(&device, Instant::now());
    found.map(Json).ok_or_else(|| unknown_device(&device))
}

/// Query of a trend.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Between {
    /// Unix milliseconds UTC.
    from: i64,
    /// Unix milliseconds UTC, at most 31 days later.
    to: i64,
}

async fn trend(
    State(status_source): Shared,
    Path((device, point)): Path<(String, String)>,
    Query(Between { from, to }): Query<Between>,
) -> Result<Json<serde_json::Value>, Problem> {
    let bad = |detail: String| Problem::new(StatusCode::BAD_REQUEST, detail);
    if from > to || to.saturating_sub(from) > LONGEST_TREND_MS {
        return Err(bad("from must not be after to, and at most 31 days before it".to_owned()));
    }
    let view = status_source.live.device(&device, Instant::now()).ok_or_else(|| unknown_device(&device))?;
    let Some(point_view) = view.points.iter().find(|p| p.point.as_str() == point) else {
        return Err(Problem::new(StatusCode::NOT_FOUND, format!("{device} has no point {point:?}")));
    };
    let device: &Id = &view.device;
    let rows = status_source.history.read(device, &point_view.point, Timestamp(from), Timestamp(to)).await;
    let rows = rows.map_err(|e| Problem::new(StatusCode::SERVICE_UNAVAILABLE, e.to_string()))?;
    let rows: Vec<_> = rows
        .iter()
        .map(|(minute, r)| {
            serde_json::json!({"t": minute.0, "min": r.min, "max": r.max, "mean": r.mean(), "last": r.last, "count": r.count})
        })
        .collect();
    Ok(Json(serde_json::json!({"device": device, "point": point, "unit": point_view.unit, "minutes": rows})))
}

/// The problem of a device that is not there.
pub fn unknown_device(device: &str) -> Problem {
    let device: String = device.chars().take(64).collect();
    Problem::new(StatusCode::NOT_FOUND, format!("no device {device:?}; GET /api/v1/devices lists them"))
}
