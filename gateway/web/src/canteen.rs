//! The canteen: samples, cooling, notes, the daily record. Needs a token.

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::body::read;
use super::openapi::schema::{Day, FormWord, SpanWord};
use super::{Problem, Who};
use linli_domain::timezone::Zone;
use linli_reports::haccp::{self, Form, Span};
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
    /// The week or month of that day instead of the day alone, as far as it has come.
    #[serde(default)]
    #[schemars(with = "Option<SpanWord>")]
    span: Span,
    /// Without it HTML.
    #[serde(default)]
    #[schemars(with = "Option<FormWord>")]
    form: Form,
}

/// A day, week or month as people read it, each day with its latest signature.
async fn record(
    who: Who,
    State(client): State<CanteenClient>,
    Query(which): Query<Which>,
) -> Result<Response, Problem> {
    let mut record = client.service.ask(&who.0, Action::Record { day: which.day }).await?;
    let signed = client.service.ask(&who.0, Action::Signed {}).await?;
    let sheet = if which.span == Span::Day {
        haccp::sheet(&record, &signed, &client.zone)
    } else {
        let today = client.service.ask(&who.0, Action::Record { day: None }).await?;
        let day = |record: &Value| record["day"].as_str().and_then(|day| day.parse::<Date>().ok());
        let (Some(of), Some(today)) = (day(&record), day(&today)) else {
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the record names no day"));
        };
        let mut records = Vec::new();
        for day in which.span.days(of, today) {
            let wanted = Action::Record { day: Some(day) };
            records.push(if day == of { record.take() } else { client.service.ask(&who.0, wanted).await? });
        }
        haccp::span_sheet(&records, &signed, &client.zone)
    };
    let text = haccp::render(&sheet, which.form);
    Ok(([(CONTENT_TYPE, which.form.content_type())], text).into_response())
}
