//! The mode switch: looking, orders, tasks of people, the stop. Who acts is the person of the caller's account,
//! never a name in the request.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::body;
use super::openapi::schema::Span;
use super::{Problem, Who};
use linli_domain::timezone::Zone;
use linli_drafts::{Drafts, Proposals};
use linli_services::audit_log::entries_after;
use linli_services::client::ServiceClient;
use linli_services::mode::{Finding, Operation, RequestedAction, USUAL_SERVICE};

/// Lines of the record given at a time.
const MOST: u32 = 1000;

/// Reaches the mode service and its record.
#[derive(Clone)]
pub struct ModeClient {
    /// The service.
    pub service: ServiceClient<RequestedAction, Value>,
    /// The record.
    pub store: linli_store::Documents,
    /// Orders that two people write together.
    pub drafts: Arc<Drafts>,
    /// Alert messages that propose an order.
    pub proposals: Proposals,
    /// Time zone of the centre, for reports.
    pub zone: Zone,
}

/// Routes of the mode switch.
pub fn router(client: ModeClient) -> Router {
    Router::new()
        .route("/api/v1/mode", get(status))
        .route("/api/v1/mode/plans/{plan}", get(preview))
        .route("/api/v1/mode/snapshot/{plans}", get(snapshot))
        .route("/api/v1/mode/record", get(record))
        .route("/api/v1/mode/order", post(order))
        .route("/api/v1/mode/findings", post(finding))
        .route("/api/v1/mode/rooms/{room}/stop", post(stop))
        .route("/api/v1/mode/rooms/{room}/{operation}", post(act))
        .with_state(client)
}

/// Words of the path that name a task or a decision.
pub const OPERATIONS: [&str; 9] =
    ["confirm", "simulate", "cannot", "waive", "retry", "commit", "resume", "reject", "alternate"];

/// Where to begin.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordQuery {
    /// Number of the first entry.
    #[serde(default)]
    from: u64,
}

/// The confirmation of an order.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderQuery {
    /// The code that the caller compared on the spot.
    code: Option<String>,
}

/// The body of an operation.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ModeOperation")]
pub struct How {
    /// Id of the step.
    step: Option<String>,
    /// Why.
    why: Option<String>,
    /// For how long.
    #[serde(default, rename = "for", deserialize_with = "body::span")]
    #[schemars(with = "Option<Span>")]
    span: Option<Duration>,
}

async fn status(who: Who, State(client): State<ModeClient>) -> Result<Json<Value>, Problem> {
    ask(&client, who, RequestedAction::Status).await
}

async fn preview(
    who: Who,
    State(client): State<ModeClient>,
    Path(plan): Path<String>,
) -> Result<Json<Value>, Problem> {
    ask(&client, who, RequestedAction::Preview(plan)).await
}

async fn snapshot(
    who: Who,
    State(client): State<ModeClient>,
    Path(plans): Path<String>,
) -> Result<Json<Value>, Problem> {
    ask(&client, who, RequestedAction::Snapshot(plans)).await
}

async fn finding(who: Who, State(client): State<ModeClient>, body: Bytes) -> Result<Json<Value>, Problem> {
    let mut finding: Finding = body::read(&body)?;
    finding.person = person(&who);
    ask(&client, who, RequestedAction::Finding(finding)).await
}

/// Lines as they were written, each followed by a line feed.
async fn record(
    _: Who,
    State(client): State<ModeClient>,
    Query(which): Query<RecordQuery>,
) -> Result<Response, Problem> {
    let after = which.from.checked_sub(1);
    let lines = entries_after::<linli_mode::record::ModeEvent>(&client.store, after, MOST).await;
    let lines = lines.map_err(|error| Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()))?;
    let text: String = lines.into_iter().map(|line| line + "\n").collect();
    Ok(([(CONTENT_TYPE, "application/jsonl")], text).into_response())
}

async fn order(
    who: Who,
    State(client): State<ModeClient>,
    Query(OrderQuery { code }): Query<OrderQuery>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    ask(&client, who, RequestedAction::Order { bytes: body.to_vec(), code }).await
}

async fn stop(
    who: Who,
    State(client): State<ModeClient>,
    Path(room): Path<String>,
) -> Result<Json<Value>, Problem> {
    let person = person(&who);
    ask(&client, who, RequestedAction::Do { room, person, operation: Operation::Stop }).await
}

async fn act(
    who: Who,
    State(client): State<ModeClient>,
    Path((room, operation)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let wrong = |detail: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail);
    let how: How = body::read_or_default(&body)?;
    let missing = |name: &str| wrong(format!("{name} is missing"));
    let needed = |value: Option<String>, name: &str| value.ok_or_else(|| missing(name));
    let operation = match operation.as_str() {
        "confirm" => Operation::Confirm(needed(how.step, "step")?),
        "simulate" => Operation::Simulate(needed(how.step, "step")?),
        "cannot" => Operation::Cannot(needed(how.step, "step")?, needed(how.why, "why")?),
        "waive" => {
            let span = how.span.ok_or_else(|| missing("for"))?;
            Operation::Waive(needed(how.step, "step")?, needed(how.why, "why")?, span)
        }
        "retry" => Operation::Retry(needed(how.step, "step")?),
        "commit" => Operation::Commit,
        "resume" => Operation::Resume(needed(how.why, "why")?),
        "reject" => Operation::Reject(needed(how.why, "why")?),
        "alternate" => Operation::Alternate(needed(how.why, "why")?),
        "service" => {
            let span = how.span.unwrap_or(USUAL_SERVICE);
            Operation::BeginService(needed(how.why, "why")?, span)
        }
        "end_service" => Operation::EndService,
        other => {
            let known = OPERATIONS.join(", ");
            let why = format!("{other:?} is none of {known}, service, end_service, stop");
            return Err(Problem::new(StatusCode::NOT_FOUND, why));
        }
    };
    let person = person(&who);
    ask(&client, who, RequestedAction::Do { room, person, operation }).await
}

/// The person to whom the caller's account belongs.
fn person(who: &Who) -> Option<String> {
    who.0.person.as_ref().map(ToString::to_string)
}

async fn ask(client: &ModeClient, who: Who, action: RequestedAction) -> Result<Json<Value>, Problem> {
    Ok(Json(client.service.ask(&who.0, action).await?))
}
