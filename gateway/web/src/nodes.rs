//! Maintenance of nodes.

use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::stream::unfold;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::mpsc;

use super::body::read;
use super::{Problem, Who};
use linli_nodes::{Action, Image, LONGEST_IMAGE, NodeEvent};
use linli_services::audit_log::entries_after;
use linli_services::client::ServiceClient;

/// Largest number of record entries in one answer.
const MOST: u32 = 1000;

/// Bound of the queue of update steps for a slow reader; the update waits for it.
const STEPS: usize = 16;

/// Access to the node service and its record.
#[derive(Clone)]
pub struct NodeClient {
    /// The node service.
    pub service: ServiceClient<Action, Value>,
    /// Documents that hold the record.
    pub store: linli_store::Documents,
}

/// What is updated.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// Devices, separated by commas.
    devices: String,
    /// Whether to go on with the next when one fails.
    #[serde(default)]
    keep_going: bool,
}

/// Where to begin.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct From {
    /// Number of the first entry.
    #[serde(default)]
    from: u64,
}

/// Routes of nodes.
pub fn router(client: NodeClient) -> Router {
    Router::new()
        .route("/api/v1/nodes", post(act))
        .route("/api/v1/nodes/flash", post(flash).layer(DefaultBodyLimit::max(LONGEST_IMAGE)))
        .route("/api/v1/nodes/record", get(record))
        .with_state(client)
}

async fn act(who: Who, State(client): State<NodeClient>, body: Bytes) -> Result<Json<Value>, Problem> {
    Ok(Json(client.service.ask(&who.0, Action::Do(read(&body)?)).await?))
}

/// Updates nodes with the image in the body. The answer is one JSON object per line for each step. When the
/// client disconnects, the transfer stops.
async fn flash(
    who: Who,
    State(client): State<NodeClient>,
    Query(which): Query<Which>,
    body: Bytes,
) -> Result<Response, Problem> {
    let image = Image::read(body.to_vec())
        .map_err(|why| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, format!("the image: {why}")))?;
    let devices = which.devices.split(',').filter(|id| !id.is_empty()).map(str::to_owned).collect();
    let (progress, steps) = mpsc::channel(STEPS);
    let action = Action::Flash { devices, image: Box::new(image), keep_going: which.keep_going, progress };
    client.service.ask(&who.0, action).await?;
    let lines = unfold(steps, async |mut steps: mpsc::Receiver<Value>| {
        let step = steps.recv().await?;
        Some((Ok::<_, std::convert::Infallible>(Bytes::from(format!("{step}\n"))), steps))
    });
    Ok(([(CONTENT_TYPE, "application/jsonl")], Body::from_stream(lines)).into_response())
}

/// Returns the entries of the record as they were written, one per line.
async fn record(
    _: Who,
    State(client): State<NodeClient>,
    Query(from): Query<From>,
) -> Result<Response, Problem> {
    let after = from.from.checked_sub(1);
    let lines = entries_after::<NodeEvent>(&client.store, after, MOST).await;
    let lines = lines.map_err(|error| Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()))?;
    let text: String = lines.into_iter().map(|line| line + "\n").collect();
    Ok(([(CONTENT_TYPE, "application/jsonl")], text).into_response())
}
