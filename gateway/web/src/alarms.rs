//! Alarms: reading needs no log-in, operations need a worker.

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use linli_domain::alarm::{Action as Operation, Shelf};
use serde::Deserialize;

use super::{Problem, Who};
use linli_domain::caller::Caller;
use linli_services::alarms::{Action, AlarmView};
use linli_services::client::ServiceClient;

/// Longest journal given at a time.
const MOST: u32 = 5000;

/// Reaches the alarm service and its journal.
#[derive(Clone)]
pub struct AlarmClient {
    /// The alarm service.
    pub service: ServiceClient<Action, Vec<AlarmView>>,
    /// The journal of alarms.
    pub store: linli_store::Alarms,
}

/// Routes of alarms.
pub fn router(client: AlarmClient) -> Router {
    Router::new()
        .route("/api/v1/alarms", get(list))
        .route("/api/v1/alarms/journal", get(journal))
        .route("/api/v1/alarms/test", post(test))
        .route("/api/v1/alarms/{alarm}/{deed}", post(act))
        .with_state(client)
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    #[serde(default)]
    all: bool,
    limit: Option<u32>,
}

/// The body of an operation.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct How {
    why: Option<String>,
    #[serde(rename = "for")]
    span: Option<String>,
    #[serde(default)]
    once: bool,
}

async fn list(
    State(client): State<AlarmClient>,
    Query(which): Query<Which>,
) -> Result<Json<Vec<AlarmView>>, Problem> {
    Ok(Json(client.service.ask(&Caller::anybody(), Action::List { all: which.all }).await?))
}

async fn journal(
    State(client): State<AlarmClient>,
    Query(which): Query<Which>,
) -> Result<Json<Vec<serde_json::Value>>, Problem> {
    let steps = client.store.journal(which.limit.unwrap_or(100).min(MOST)).await;
    let steps = steps.map_err(|error| Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()))?;
    Ok(Json(steps.iter().filter_map(|step| serde_json::from_str(step).ok()).collect()))
}

async fn test(who: Who, State(client): State<AlarmClient>) -> Result<StatusCode, Problem> {
    client.service.ask(&who.0, Action::Test).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn act(
    who: Who,
    State(client): State<AlarmClient>,
    Path((alarm, operation)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<Vec<AlarmView>>, Problem> {
    let wrong = |detail: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail);
    let how: How = match body.is_empty() {
        true => How::default(),
        false => serde_json::from_slice(&body).map_err(|error| wrong(error.to_string()))?,
    };
    let action = match operation.as_str() {
        "acknowledge" => Operation::Acknowledge,
        "reset" => Operation::Reset,
        "unshelve" => Operation::Unshelve,
        "take-out" => Operation::TakeOut,
        "put-back" => Operation::PutBack,
        "shelve" => {
            let span = how.span.as_deref().unwrap_or("1h");
            let span = linli_drivers::duration::parse(span).map_err(|why| wrong(format!("for: {why}")))?;
            Operation::Shelve(Shelf { span, is_one_shot: how.once })
        }
        other => {
            let known = "acknowledge, reset, shelve, unshelve, take-out, put-back";
            return Err(Problem::new(StatusCode::NOT_FOUND, format!("{other:?} is none of {known}")));
        }
    };
    Ok(Json(client.service.ask(&who.0, Action::Do { alarm, action, why: how.why }).await?))
}
