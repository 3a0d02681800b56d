//! Commands to devices, and reload.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use linli_domain::caller::Acting;
use linli_domain::command::{Inbound, Request};
use schemars::JsonSchema;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::body;
use super::openapi::schema::{Moment, Scalar};
use super::show::unknown_device;
use super::technician::CheckRequest;
use super::{Problem, Who};
use linli_services::live::Live;
use linli_services::{command_answer::Answer, command_queue::Submission, outputs::Source};

/// A request to reload the configuration.
pub struct ReloadRequest {
    /// Who asks.
    pub acting: Acting,
    /// Takes a summary of the changes, or all problems.
    pub reply: oneshot::Sender<Result<String, String>>,
}

/// Where the socket's requests go.
#[derive(Clone)]
pub struct Control {
    /// Queue of the command service.
    pub service: mpsc::Sender<Submission>,
    /// The gateway's main loop.
    pub reload: mpsc::Sender<ReloadRequest>,
    /// The same, to check without applying.
    pub check: mpsc::Sender<CheckRequest>,
}

/// A command as its body names it.
#[derive(JsonSchema)]
#[schemars(rename = "Command", deny_unknown_fields)]
#[expect(dead_code, reason = "it describes a body, which the command service reads")]
pub struct CommandBody {
    /// Chosen by the sender; a repeated id is the same command.
    #[schemars(regex(pattern = "^[!-~]{1,64}$"))]
    id: String,
    /// The point to write.
    point: String,
    /// The value to write.
    value: Scalar,
    /// After this time the command must not act; at most a day ahead.
    expires: Moment,
}

/// The routes that act.
pub fn router(control: Control, live: Arc<Live>) -> Router {
    Router::new()
        .route("/api/v1/devices/{device}/command", post(command))
        .route("/api/v1/reload", post(reload))
        .with_state((control, live))
}

/// The body is the payload of `cmd/{device}`. The command is handed to the service before waiting,
/// so a caller that leaves does not cancel it.
async fn command(
    State((control, live)): State<(Control, Arc<Live>)>,
    Path(device): Path<String>,
    payload: Bytes,
) -> Result<Json<Answer>, Problem> {
    if live.device(&device, Instant::now()).is_none() {
        return Err(unknown_device(&device));
    }
    // What cannot be read is refused here; what the device or the mode switch refuses is an answer of the service.
    Request::read(&payload).map_err(|why| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, why.to_string()))?;
    // serde also takes a list for a command.
    let _: Request = body::read(&payload)?;
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

async fn reload(who: Who, State((control, _)): State<(Control, Arc<Live>)>) -> Result<String, Problem> {
    let stopping = || Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the gateway is stopping");
    let (reply, answer) = oneshot::channel();
    let acting = who.0.acting(who.0.person.as_ref());
    control.reload.send(ReloadRequest { acting, reply }).await.map_err(|_| stopping())?;
    match answer.await.map_err(|_| stopping())? {
        Ok(changed) => Ok(changed),
        Err(report) => Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, report)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::body::Body;
    use axum::http::Request as Asked;
    use linli_domain::{DeviceClass, Id, Layout};
    use linli_services::live::ConfiguredDevice;
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn what_is_no_command_reaches_no_service() {
        let (service, mut commands) = mpsc::channel(1);
        let (reload, _) = mpsc::channel(1);
        let (check, _) = mpsc::channel(1);
        let live = Arc::new(Live::default());
        let id = Id::new("relay-1").unwrap();
        let layout = Layout {
            device: id.clone(),
            name: String::new(),
            room: None,
            class: DeviceClass::Actuator,
            profile: "x/y".to_owned(),
            points: Vec::new(),
        };
        let stale_after = Duration::from_secs(9);
        live.configure(vec![ConfiguredDevice { layout: Arc::new(layout), line: id, stale_after }]);
        let router = router(Control { service, reload, check }, live);
        let good = r#"{"id":"c1","point":"on","value":true,"expires":1}"#;
        let long = format!(r#"{{"id":"{}","point":"on","value":true,"expires":1}}"#, "c".repeat(65));
        for (device, body, expected) in [
            ("nobody", good, StatusCode::NOT_FOUND),
            ("null,null", good, StatusCode::NOT_FOUND),
            ("relay-1", "{}", StatusCode::UNPROCESSABLE_ENTITY),
            ("relay-1", r#"["c1","on",true,1]"#, StatusCode::UNPROCESSABLE_ENTITY),
            ("relay-1", "no JSON", StatusCode::UNPROCESSABLE_ENTITY),
            ("relay-1", &long, StatusCode::UNPROCESSABLE_ENTITY),
        ] {
            let request = Asked::post(format!("/api/v1/devices/{device}/command"));
            let request = request.body(Body::from(body.to_owned())).unwrap();
            let answer = router.clone().oneshot(request).await.unwrap();
            assert_eq!(answer.status(), expected, "{device} {body}");
        }
        assert!(commands.try_recv().is_err(), "a command was handed on");
    }
}
