//! Alarms: reading needs no log-in, operations need a worker.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use linli_domain::alarm::{Action as Operation, Shelf};
use schemars::JsonSchema;
use serde::Deserialize;

use super::body;
use super::openapi::schema::{ONE_LINE, Span};
use super::page;
use super::{Problem, Who};
use linli_domain::caller::Caller;
use linli_services::alarms::{Action, AlarmView};
use linli_services::client::ServiceClient;

/// Longest page of the journal, and how long it is without `limit`.
const MOST: u32 = 5000;
const USUAL: u32 = 100;

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
        .route("/api/v1/alarms/{alarm}/{operation}", post(act))
        .with_state(client)
}

/// How long an alarm is shelved unless it is said.
const USUAL_SHELF: Duration = Duration::from_secs(3600);

/// Words of the path that name an operation.
pub const OPERATIONS: [&str; 6] = ["acknowledge", "reset", "shelve", "unshelve", "take-out", "put-back"];

/// Which alarms.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// Also those that are normal.
    #[serde(default)]
    all: bool,
}

/// Which page of the journal.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JournalQuery {
    /// Steps of a page, at most 5000; without it 100.
    limit: Option<u32>,
    /// Where the page begins: from the header Link of the one before.
    #[schemars(regex(pattern = page::NEXT))]
    next: Option<String>,
}

/// The body of an operation.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AlarmOperation")]
pub struct How {
    /// Why: one line.
    #[schemars(length(max = 200), regex(pattern = ONE_LINE))]
    why: Option<String>,
    /// How long an alarm is shelved.
    #[serde(default, rename = "for", deserialize_with = "body::span")]
    #[schemars(with = "Option<Span>")]
    span: Option<Duration>,
    /// Shelving ends early when the condition ends.
    #[serde(default)]
    once: bool,
}

async fn list(
    State(client): State<AlarmClient>,
    Query(ListQuery { all }): Query<ListQuery>,
) -> Result<Json<Vec<AlarmView>>, Problem> {
    Ok(Json(client.service.ask(&Caller::anybody(), Action::List { all }).await?))
}

async fn journal(
    State(client): State<AlarmClient>,
    uri: Uri,
    Query(JournalQuery { limit, next }): Query<JournalQuery>,
) -> Result<Response, Problem> {
    let steps = client.store.journal_page(&page::paging((limit, next.as_deref()), USUAL, MOST)?).await;
    let steps = steps.map_err(|error| Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()))?;
    let read: Vec<serde_json::Value> =
        steps.items.iter().filter_map(|step| serde_json::from_str(step).ok()).collect();
    Ok(page::answer(&uri, &steps.with(read)))
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
    let how: How = body::read_or_default(&body)?;
    let action = match operation.as_str() {
        "acknowledge" => Operation::Acknowledge,
        "reset" => Operation::Reset,
        "unshelve" => Operation::Unshelve,
        "take-out" => Operation::TakeOut,
        "put-back" => Operation::PutBack,
        "shelve" => {
            let span = how.span.unwrap_or(USUAL_SHELF);
            Operation::Shelve(Shelf { span, is_one_shot: how.once })
        }
        other => {
            let known = OPERATIONS.join(", ");
            return Err(Problem::new(StatusCode::NOT_FOUND, format!("{other:?} is none of {known}")));
        }
    };
    Ok(Json(client.service.ask(&who.0, Action::Do { alarm, action, why: how.why }).await?))
}
