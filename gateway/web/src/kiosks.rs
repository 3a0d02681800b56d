//! Kiosks: the services that each offers. No personal data, so no log-in.

use axum::extract::{Path, Query as Parameters, State};
use axum::routing::get;
use axum::{Json, Router};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::Problem;
use linli_domain::caller::Caller;
use linli_kiosks::Query;
use linli_services::client::ServiceClient;

/// Reaches the kiosk service.
#[derive(Clone)]
pub struct KioskClient {
    /// The kiosk service.
    pub service: ServiceClient<Query, Value>,
}

type Client = State<KioskClient>;
type Answer = Result<Json<Value>, Problem>;

/// Routes of kiosks.
pub fn router(client: KioskClient) -> Router {
    Router::new()
        .route("/api/v1/kiosks", get(list))
        .route("/api/v1/kiosks/days", get(days))
        .route("/api/v1/kiosks/{kiosk}/matters", get(matters))
        .with_state(client)
}

/// Which days.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// So many before today.
    #[serde(default)]
    days: u16,
}

async fn list(State(client): Client) -> Answer {
    client.ask(Query::List).await
}

async fn days(State(client): Client, Parameters(which): Parameters<Which>) -> Answer {
    client.ask(Query::Days(which.days)).await
}

async fn matters(State(client): Client, Path(kiosk): Path<String>) -> Answer {
    client.ask(Query::Matters(kiosk)).await
}

// === impl KioskClient ===

impl KioskClient {
    async fn ask(&self, query: Query) -> Answer {
        Ok(Json(self.service.ask(&Caller::anybody(), query).await?))
    }
}
