//! The canteen: samples, cooling, notes, the daily record. Needs a token.

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::body::read;
use super::openapi::schema::{Day, FormWord};
use super::{Problem, Who};
use linli_domain::timezone::Zone;
use linli_reports::haccp::{self, Form};
use linli_services::canteen::Action;
use linli_services::client::ServiceClient;

/// Reaches the canteen service.
#[derive(Clone)]
pub struct CanteenClient {
    /// The canteen service.
    pub service: ServiceClient<Action, Value>,
    /// Time zone of the centre.
    pub zone: Zone,
}

/// Routes of the canteen.
pub fn router(client: CanteenClient) -> Router {
    Router::new()
        .route("/api/v1/food", post(act))
        .route("/api/v1/food/record", get(record))
        .with_state(client)
}

async fn act(who: Who, State(client): State<CanteenClient>, body: Bytes) -> Result<Json<Value>, Problem> {
    Ok(Json(client.service.ask(&who.0, read(&body)?).await?))
}

/// Which day, and how it is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// Without it today.
    #[schemars(with = "Option<Day>")]
    day: Option<Date>,
    /// Without it HTML.
    #[serde(default)]
    #[schemars(with = "Option<FormWord>")]
    form: Form,
}

/// A day as people read it, with its latest signature.
async fn record(
    who: Who,
    State(client): State<CanteenClient>,
    Query(which): Query<Which>,
) -> Result<Response, Problem> {
    let record = client.service.ask(&who.0, Action::Record { day: which.day }).await?;
    let signed = client.service.ask(&who.0, Action::Signed {}).await?;
    let text = haccp::render(&haccp::sheet(&record, &signed, &client.zone), which.form);
    Ok(([(CONTENT_TYPE, which.form.content_type())], text).into_response())
}
