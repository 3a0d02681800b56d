//! Readiness, metrics, status, devices, trends. They only read.

use std::sync::Arc;
use std::time::Duration;

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

/// Longest time span of a trend minute by minute, in milliseconds: 31 days.
const LONGEST_TREND_MS: i64 = 31 * 24 * 3600 * 1000;

/// Longest time span of a trend in steps: 92 days, a quarter of a year.
const LONGEST_STEPPED_MS: i64 = 92 * 24 * 3600 * 1000;

/// Most steps of one trend.
const MOST_STEPS: i64 = 4000;

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
     GET /api/v1/centre/backgrounds/{background}        a drawing below the outlines, as SVG\n\
     GET, POST /api/v1/centre/proposals                 outlines that were drawn: {\"name\", \"rooms\"}; linli proposal apply\n\
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
    let oldest = status_source.oldest_waiting_s().await;
    match crate::metrics::render(&status_source, oldest) {
        Ok(page) => ([("content-type", "text/plain; version=0.0.4")], page).into_response(),
        Err(error) => Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn status(State(status_source): Shared) -> Json<serde_json::Value> {
    let mut body = status_source.status();
    body["uplink"]["oldest_waiting_s"] = status_source.oldest_waiting_s().await.into();
    Json(body)
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
    /// Unix milliseconds UTC, at most 31 days later; with `step` 92 days.
    to: i64,
    /// Length of the spans into which minutes are joined, in minutes: at most 4000 spans.
    #[schemars(range(min = 1, max = 1440))]
    step: Option<u32>,
}

async fn trend(
    State(status_source): Shared,
    Path((device, point)): Path<(String, String)>,
    Query(Between { from, to, step }): Query<Between>,
) -> Result<Json<serde_json::Value>, Problem> {
    let bad = |detail: String| Problem::new(StatusCode::BAD_REQUEST, detail);
    let (longest, days) = if step.is_some() { (LONGEST_STEPPED_MS, 92) } else { (LONGEST_TREND_MS, 31) };
    if from > to || to.saturating_sub(from) > longest {
        return Err(bad(format!("from must not be after to, and at most {days} days before it")));
    }
    let step_ms = step.map(|minutes| i64::from(minutes) * 60_000);
    if step_ms.is_some_and(|step| !(60_000..=86_400_000).contains(&step) || (to - from) / step > MOST_STEPS) {
        return Err(bad(format!("step is 1 to 1440 minutes, and makes at most {MOST_STEPS} spans")));
    }
    let view = status_source.live.device(&device, Instant::now()).ok_or_else(|| unknown_device(&device))?;
    let Some(point_view) = view.points.iter().find(|p| p.point.as_str() == point) else {
        return Err(Problem::new(StatusCode::NOT_FOUND, format!("{device} has no point {point:?}")));
    };
    let device: &Id = &view.device;
    let (point_id, range) = (&point_view.point, (Timestamp(from), Timestamp(to)));
    let rows = match step_ms.and_then(|step| u64::try_from(step).ok()) {
        Some(step) => {
            status_source.history.read_spans(device, point_id, range, Duration::from_millis(step)).await
        }
        None => status_source.history.read(device, point_id, range.0, range.1).await,
    };
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
