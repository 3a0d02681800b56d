//! The mode switch: workers may look and stop; whoever may open the control socket also acts.

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use linli_drivers::duration;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::{Problem, Who};
use crate::mode::{Asked, Deed, RequestedAction};

/// Lines of the record given at a time.
const MOST: u32 = 1000;

/// The way to the desk.
#[derive(Clone)]
pub struct ModeDoor {
    /// The desk.
    pub requests: mpsc::Sender<Asked>,
    /// The record.
    pub store: linli_store::Book,
}

/// What may be seen, and the stop, which only makes safe.
pub fn router(door: ModeDoor) -> Router {
    Router::new()
        .route("/api/v1/mode", get(status))
        .route("/api/v1/mode/plans/{plan}", get(preview))
        .route("/api/v1/mode/snapshot/{plans}", get(snapshot))
        .route("/api/v1/mode/record", get(record))
        .route("/api/v1/mode/rooms/{room}/stop", post(stop))
        .with_state(door)
}

/// What acts.
pub fn control(door: ModeDoor) -> Router {
    Router::new()
        .route("/api/v1/mode/order", post(order))
        .route("/api/v1/mode/findings", post(finding))
        .route("/api/v1/mode/rooms/{room}/{deed}", post(act))
        .with_state(door)
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    #[serde(default)]
    from: u64,
    code: Option<String>,
}

/// The body of a deed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct How {
    person: Option<String>,
    step: Option<String>,
    why: Option<String>,
    #[serde(rename = "for")]
    span: Option<String>,
}

async fn status(who: Who, State(door): State<ModeDoor>) -> Result<Json<Value>, Problem> {
    ask(&door, who, RequestedAction::Status).await
}

async fn preview(
    who: Who,
    State(door): State<ModeDoor>,
    Path(plan): Path<String>,
) -> Result<Json<Value>, Problem> {
    ask(&door, who, RequestedAction::Preview(plan)).await
}

async fn snapshot(
    who: Who,
    State(door): State<ModeDoor>,
    Path(plans): Path<String>,
) -> Result<Json<Value>, Problem> {
    ask(&door, who, RequestedAction::Snapshot(plans)).await
}

async fn finding(who: Who, State(door): State<ModeDoor>, body: Bytes) -> Result<Json<Value>, Problem> {
    let finding = serde_json::from_slice(&body)
        .map_err(|error| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()))?;
    ask(&door, who, RequestedAction::Finding(finding)).await
}

/// Lines as they were written, each followed by a line feed.
async fn record(
    _: Who,
    State(door): State<ModeDoor>,
    Query(which): Query<Which>,
) -> Result<Response, Problem> {
    let after = which.from.checked_sub(1);
    let lines = door.store.after(crate::mode::LINE, &crate::mode::line_id(after), MOST).await;
    let lines = lines.map_err(|error| Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()))?;
    let text: String = lines.into_iter().map(|page| page.body + "\n").collect();
    Ok(([(CONTENT_TYPE, "application/jsonl")], text).into_response())
}

async fn order(
    who: Who,
    State(door): State<ModeDoor>,
    Query(which): Query<Which>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    ask(&door, who, RequestedAction::Order(body.to_vec(), which.code)).await
}

async fn stop(
    who: Who,
    State(door): State<ModeDoor>,
    Path(room): Path<String>,
) -> Result<Json<Value>, Problem> {
    ask(&door, who, RequestedAction::Do { room, person: None, deed: Deed::Stop }).await
}

async fn act(
    who: Who,
    State(door): State<ModeDoor>,
    Path((room, deed)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let wrong = |detail: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail);
    let how: How = match body.is_empty() {
        true => How::default(),
        false => serde_json::from_slice(&body).map_err(|error| wrong(error.to_string()))?,
    };
    let needed = |value: Option<String>, name: &str| value.ok_or_else(|| wrong(format!("{name} is missing")));
    let deed = match deed.as_str() {
        "confirm" => Deed::Confirm(needed(how.step, "step")?),
        "simulate" => Deed::Simulate(needed(how.step, "step")?),
        "cannot" => Deed::Cannot(needed(how.step, "step")?, needed(how.why, "why")?),
        "waive" => {
            let span =
                duration::parse(&needed(how.span, "for")?).map_err(|why| wrong(format!("for: {why}")))?;
            Deed::Waive(needed(how.step, "step")?, needed(how.why, "why")?, span)
        }
        "retry" => Deed::Retry(needed(how.step, "step")?),
        "commit" => Deed::Commit,
        "resume" => Deed::Resume(needed(how.why, "why")?),
        "reject" => Deed::Reject(needed(how.why, "why")?),
        "alternate" => Deed::Alternate(needed(how.why, "why")?),
        other => {
            let known = "confirm, simulate, cannot, waive, retry, commit, resume, reject, alternate, stop";
            return Err(Problem::new(StatusCode::NOT_FOUND, format!("{other:?} is none of {known}")));
        }
    };
    ask(&door, who, RequestedAction::Do { room, person: how.person, deed }).await
}

async fn ask(door: &ModeDoor, who: Who, action: RequestedAction) -> Result<Json<Value>, Problem> {
    let stopping = || Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the gateway is stopping");
    let (reply, answer) = oneshot::channel();
    door.requests.send(Asked { who: who.0, action, reply }).await.map_err(|_| stopping())?;
    Ok(Json(answer.await.map_err(|_| stopping())??))
}
