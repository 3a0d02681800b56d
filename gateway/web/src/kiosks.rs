//! Kiosks: the services that each offers, and what people write about them.

use axum::body::Bytes;
use axum::extract::{Path, Query as Parameters, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::openapi::schema::{Line, Moment};
use super::{Problem, Who, body};
use linli_domain::Timestamp;
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
        .route("/api/v1/kiosks/{kiosk}/notes", get(notes).post(write))
        .route("/api/v1/kiosks/{kiosk}/put-back", post(put_back))
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

async fn notes(State(client): Client, Path(kiosk): Path<String>) -> Answer {
    client.ask(Query::Notes(kiosk)).await
}

/// What is written about a kiosk.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "KioskNoteText")]
pub struct Written {
    /// One line.
    #[schemars(with = "Line")]
    text: String,
    /// It is out of service until then: a time ahead, 90 days at most.
    #[schemars(with = "Option<Moment>")]
    out_until: Option<i64>,
}

async fn write(who: Who, State(client): Client, Path(kiosk): Path<String>, body: Bytes) -> Answer {
    let Written { text, out_until } = body::read(&body)?;
    let note = Query::Note { kiosk, text, out_until: out_until.map(Timestamp) };
    Ok(Json(client.service.ask(&who.0, note).await?))
}

async fn put_back(who: Who, State(client): Client, Path(kiosk): Path<String>) -> Answer {
    Ok(Json(client.service.ask(&who.0, Query::PutBack(kiosk)).await?))
}

// === impl KioskClient ===

impl KioskClient {
    async fn ask(&self, query: Query) -> Answer {
        Ok(Json(self.service.ask(&Caller::anybody(), query).await?))
    }
}
