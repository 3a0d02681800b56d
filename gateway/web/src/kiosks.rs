//! Kiosks: what residents get of each. Names nobody, so all may see it.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::Problem;
use linli_services::ServiceError;
use linli_services::kiosks::Asked;

/// A client to the kiosks' service.
#[derive(Clone)]
pub struct KioskClient {
    /// The service.
    pub requests: mpsc::Sender<Asked>,
}

type Door = State<KioskClient>;
type Told = Result<Json<Value>, Problem>;

/// The routes.
pub fn router(client: KioskClient) -> Router {
    Router::new()
        .route("/api/v1/kiosks", get(list))
        .route("/api/v1/kiosks/days", get(days))
        .route("/api/v1/kiosks/{kiosk}/matters", get(matters))
        .with_state(client)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    #[serde(default)]
    days: u16,
}

async fn list(State(client): Door) -> Told {
    client.ask(Asked::List).await
}

async fn days(State(client): Door, Query(which): Query<Which>) -> Told {
    client.ask(|reply| Asked::Days(which.days, reply)).await
}

async fn matters(State(client): Door, Path(kiosk): Path<String>) -> Told {
    client.ask(|reply| Asked::Matters(kiosk, reply)).await
}

// === impl KioskClient ===

impl KioskClient {
    async fn ask(&self, asked: impl FnOnce(oneshot::Sender<Result<Value, ServiceError>>) -> Asked) -> Told {
        let stopping = || Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the gateway is stopping");
        let (reply, answer) = oneshot::channel();
        self.requests.send(asked(reply)).await.map_err(|_| stopping())?;
        Ok(Json(answer.await.map_err(|_| stopping())??))
    }
}
