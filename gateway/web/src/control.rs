//! Commands to devices, and reload.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use linli_domain::command::Inbound;
use tokio::sync::{mpsc, oneshot};

use super::Problem;
use linli_services::{command_answer::Answer, command_queue::Submission, outputs::Source};

/// A request to reload the configuration. The answer is a summary of the changes, or all problems.
pub type ReloadRequest = oneshot::Sender<Result<String, String>>;

/// Where the socket's requests go.
#[derive(Clone)]
pub struct Control {
    /// Queue of the command service.
    pub service: mpsc::Sender<Submission>,
    /// The gateway's main loop.
    pub reload: mpsc::Sender<ReloadRequest>,
}

/// The routes that act.
pub fn router(control: Control) -> Router {
    Router::new()
        .route("/api/v1/devices/{device}/command", post(command))
        .route("/api/v1/reload", post(reload))
        .with_state(control)
}

/// The body is the payload of `cmd/{device}`. The command is handed to the service before waiting,
/// so a caller that leaves does not cancel it.
async fn command(
    State(control): State<Control>,
    Path(device): Path<String>,
    payload: Bytes,
) -> Result<Json<Answer>, Problem> {
    let inbound = Inbound {
        device,
        payload: payload.to_vec(),
        retained: false,
        response_topic: None,
        correlation: None,
    };
    let full = |_| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too many commands are waiting; try again");
    let (submission, answer) = Submission::asked(inbound, Source::Socket);
    control.service.try_send(submission).map_err(full)?;
    let gone = |_| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the gateway is stopping");
    Ok(Json(answer.await.map_err(gone)?))
}

async fn reload(State(control): State<Control>) -> Result<String, Problem> {
    let stopping = || Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the gateway is stopping");
    let (reply, answer) = oneshot::channel();
    control.reload.send(reply).await.map_err(|_| stopping())?;
    match answer.await.map_err(|_| stopping())? {
        Ok(changed) => Ok(changed),
        Err(report) => Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, report)),
    }
}
