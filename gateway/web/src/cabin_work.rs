//! What a health worker does during a visit, and the register of residents. The audit entry precedes every answer.

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use linli_cabin::{Action, CabinView, Counts, Identity, ResidentView, SheetView};
use linli_domain::Timestamp;
use linli_domain::visit::{Context, CriticalDecision};
use linli_domain::vital::{Quantity, Reading};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::body::read;
use super::cabin::{Answer, CabinClient, Client, Why, outcome};
use super::{Problem, Who};

/// Routes of the work in a cabin.
pub(crate) fn router(client: CabinClient) -> Router {
    Router::new()
        .route("/api/v1/cabin", get(cabin))
        .route("/api/v1/visits/counts", get(counts))
        .route("/api/v1/visits/{id}/measurements", post(enter))
        .route("/api/v1/visits/{id}/pressure", post(pressure))
        .route("/api/v1/visits/{id}/critical", post(answer_critical))
        .route("/api/v1/residents", post(register))
        .route("/api/v1/residents/search", post(search))
        .route("/api/v1/residents/follow-up", get(follow_up))
        .route("/api/v1/residents/{pseudonym}", get(sheet).post(change))
        .route("/api/v1/residents/{pseudonym}/merge", post(merge))
        .route("/api/v1/residents/{pseudonym}/unmerge", post(unmerge))
        .with_state(client)
}

/// A time span.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpanQuery {
    /// Opened at or after this time, Unix milliseconds UTC.
    from: Option<i64>,
    /// Opened before this time, Unix milliseconds UTC.
    to: Option<i64>,
}

/// How much of a resident.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SheetQuery {
    /// Also who the resident is.
    #[serde(default)]
    reveal: bool,
}

async fn cabin(State(client): Client) -> Answer<CabinView> {
    Ok(Json(client.reader.cabin().await?))
}

async fn counts(State(client): Client, Query(span): Query<SpanQuery>) -> Answer<Counts> {
    let to = Timestamp(span.to.unwrap_or(i64::MAX));
    Ok(Json(client.reader.counts(Timestamp(span.from.unwrap_or_default()), to).await?))
}

async fn enter(
    who: Who,
    State(client): Client,
    Path(visit): Path<String>,
    body: Bytes,
) -> Result<Response, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Entered {
        readings: Vec<Reading>,
        context: Option<Context>,
        at: Option<Timestamp>,
        why: String,
    }
    let Entered { readings, context, at, why } = read(&body)?;
    let entered = client.service.ask(&who.0, Action::Enter { visit, readings, context, at, why }).await?;
    Ok((StatusCode::CREATED, outcome(&entered)).into_response())
}

async fn pressure(who: Who, State(client): Client, Path(visit): Path<String>, body: Bytes) -> Answer<Value> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Guided {
        begins: bool,
    }
    let Guided { begins } = read(&body)?;
    Ok(outcome(&client.service.ask(&who.0, Action::Guide { visit, begins }).await?))
}

async fn answer_critical(
    who: Who,
    State(client): Client,
    Path(visit): Path<String>,
    body: Bytes,
) -> Answer<Value> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Answered {
        measurement: String,
        quantity: Quantity,
        read_back: String,
        decision: CriticalDecision,
    }
    let Answered { measurement, quantity, read_back, decision } = read(&body)?;
    let action = Action::Answer { visit, measurement, quantity, read_back, decision };
    Ok(outcome(&client.service.ask(&who.0, action).await?))
}

async fn register(who: Who, State(client): Client, body: Bytes) -> Result<Response, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct New {
        identity: Identity,
        consent: String,
    }
    let New { identity, consent } = read(&body)?;
    let (identity, consent) = (Box::new(identity), Some(consent));
    let registered =
        client.service.ask(&who.0, Action::Register { pseudonym: None, identity, consent }).await?;
    Ok((StatusCode::CREATED, outcome(&registered)).into_response())
}

async fn change(
    who: Who,
    State(client): Client,
    Path(pseudonym): Path<String>,
    body: Bytes,
) -> Answer<Value> {
    let identity: Box<Identity> = Box::new(read(&body)?);
    let action = Action::Register { pseudonym: Some(pseudonym), identity, consent: None };
    Ok(outcome(&client.service.ask(&who.0, action).await?))
}

async fn search(who: Who, State(client): Client, body: Bytes) -> Answer<Vec<ResidentView>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sought {
        text: String,
    }
    let Sought { text } = read(&body)?;
    Ok(Json(client.reader.search(&who.0.account, &text).await?))
}

async fn follow_up(who: Who, State(client): Client) -> Answer<Vec<ResidentView>> {
    Ok(Json(client.reader.follow_up_list(&who.0.account).await?))
}

async fn sheet(
    who: Who,
    State(client): Client,
    Path(pseudonym): Path<String>,
    Query(SheetQuery { reveal }): Query<SheetQuery>,
) -> Answer<SheetView> {
    Ok(Json(client.reader.sheet(&who.0.account, &pseudonym, reveal).await?))
}

async fn merge(who: Who, State(client): Client, Path(from): Path<String>, body: Bytes) -> Answer<Value> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Into {
        into: String,
        why: String,
    }
    let Into { into, why } = read(&body)?;
    Ok(outcome(&client.service.ask(&who.0, Action::Merge { from, into, why }).await?))
}

async fn unmerge(who: Who, State(client): Client, Path(from): Path<String>, body: Bytes) -> Answer<Value> {
    let Why { why } = read(&body)?;
    Ok(outcome(&client.service.ask(&who.0, Action::Unmerge { from, why }).await?))
}
