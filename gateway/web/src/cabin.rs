//! Visits, measurements and exports: for health workers. Every answer is in the audit first.

use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use linli_domain::Timestamp;
use linli_domain::visit::{Context, Ending, Version};
use linli_domain::vital::Reading;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Problem, Who};
use linli_reports as export;
use linli_services::ServiceError;
use linli_services::cabin::{Done, Identity, Opening, Reception, Request, Shown, Wanted};

/// Most audit entries at a time.
const MOST_AUDIT: u32 = 1000;

/// A client to the cabin, and where it stands.
#[derive(Clone)]
pub struct CabinClient {
    /// The cabin.
    pub reception: Reception,
    /// `[centre] id`.
    pub centre: String,
    /// `[centre] timezone`.
    pub timezone: String,
}

type Door = State<CabinClient>;
type Told<T> = Result<Json<T>, Problem>;

/// The routes.
pub fn router(client: CabinClient) -> Router {
    Router::new()
        .route("/api/v1/visits", get(visits).post(open))
        .route("/api/v1/visits/{id}", get(visit))
        .route("/api/v1/visits/{id}/end", post(end))
        .route("/api/v1/visits/{id}/erase", post(erase_visit))
        .route("/api/v1/residents/find", post(find))
        .route("/api/v1/residents/{pseudonym}/erase", post(erase_resident))
        .route("/api/v1/measurements/unassigned", get(unassigned))
        .route("/api/v1/measurements/{id}", get(versions))
        .route("/api/v1/measurements/{id}/assign", post(assign))
        .route("/api/v1/measurements/{id}/correct", post(correct))
        .route("/api/v1/measurements/{id}/withdraw", post(withdraw))
        .route("/api/v1/audit", get(audit))
        .route("/api/v1/export/fhir", get(fhir))
        .route("/api/v1/export/csv", get(csv))
        .with_state(client)
}

/// Unix milliseconds UTC.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    #[serde(default)]
    open: bool,
    #[serde(default)]
    reveal: bool,
    from: Option<i64>,
    to: Option<i64>,
    visit: Option<String>,
    limit: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Why {
    why: String,
}

type Asked = Result<Query<Which>, QueryRejection>;

async fn visits(who: Who, State(client): Door, which: Asked) -> Told<Vec<Shown>> {
    let which = understood(which)?;
    let (from, to) = (Timestamp(which.from.unwrap_or_default()), Timestamp(which.to.unwrap_or(i64::MAX)));
    Ok(Json(client.reception.visits(&who.0, which.open, from, to).await?))
}

async fn open(who: Who, State(client): Door, body: Bytes) -> Result<Response, Problem> {
    let opening: Opening = parsed(&body)?;
    let opened = client.reception.ask(&who.0, Request::Open(opening)).await?;
    Ok((StatusCode::CREATED, told(&opened)).into_response())
}

async fn visit(who: Who, State(client): Door, Path(id): Path<String>, which: Asked) -> Told<Shown> {
    Ok(Json(client.reception.visit(&who.0, &id, understood(which)?.reveal).await?))
}

async fn end(who: Who, State(client): Door, Path(visit): Path<String>, body: Bytes) -> Told<Value> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct How {
        ending: Ending,
    }
    let How { ending } = parsed(&body)?;
    if !matches!(ending, Ending::Completed | Ending::Abandoned) {
        return Err(ServiceError::Wrong("ending is \"completed\" or \"abandoned\"".to_owned()).into());
    }
    Ok(told(&client.reception.ask(&who.0, Request::End { visit, ending }).await?))
}

async fn erase_visit(who: Who, State(client): Door, Path(visit): Path<String>, body: Bytes) -> Told<Value> {
    let Why { why } = parsed(&body)?;
    Ok(told(&client.reception.ask(&who.0, Request::EraseVisit { visit, why }).await?))
}

async fn find(who: Who, State(client): Door, body: Bytes) -> Told<Value> {
    let identity: Identity = parsed(&body)?;
    Ok(Json(json!({"pseudonym": client.reception.pseudonym(&who.0, identity).await?})))
}

async fn erase_resident(
    who: Who,
    State(client): Door,
    Path(pseudonym): Path<String>,
    body: Bytes,
) -> Told<Value> {
    let Why { why } = parsed(&body)?;
    Ok(told(&client.reception.ask(&who.0, Request::EraseResident { pseudonym, why }).await?))
}

async fn unassigned(who: Who, State(client): Door) -> Told<Vec<Version>> {
    Ok(Json(client.reception.unassigned(&who.0).await?))
}

async fn versions(who: Who, State(client): Door, Path(id): Path<String>) -> Told<Vec<Version>> {
    Ok(Json(client.reception.versions(&who.0, &id).await?))
}

async fn assign(who: Who, State(client): Door, Path(measurement): Path<String>, body: Bytes) -> Told<Value> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Whose {
        visit: Option<String>,
        why: String,
    }
    let Whose { visit, why } = parsed(&body)?;
    Ok(told(&client.reception.ask(&who.0, Request::Assign { measurement, visit, why }).await?))
}

async fn correct(who: Who, State(client): Door, Path(measurement): Path<String>, body: Bytes) -> Told<Value> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Correction {
        readings: Option<Vec<Reading>>,
        context: Option<Context>,
        why: String,
    }
    let Correction { readings, context, why } = parsed(&body)?;
    Ok(told(&client.reception.ask(&who.0, Request::Correct { measurement, readings, context, why }).await?))
}

async fn withdraw(
    who: Who,
    State(client): Door,
    Path(measurement): Path<String>,
    body: Bytes,
) -> Told<Value> {
    let Why { why } = parsed(&body)?;
    Ok(told(&client.reception.ask(&who.0, Request::Withdraw { measurement, why }).await?))
}

async fn audit(who: Who, State(client): Door, which: Asked) -> Told<Vec<linli_store::Audit>> {
    let limit = understood(which)?.limit.unwrap_or(100).min(MOST_AUDIT);
    Ok(Json(client.reception.audit(&who.0, limit).await?))
}

async fn fhir(who: Who, State(client): Door, which: Asked) -> Result<Response, Problem> {
    let measured = client.reception.measured(&who.0, "export.fhir", &wanted(which)?).await?;
    let (limits, now) = (client.reception.settings.borrow().limits, client.reception.clock.now().at);
    let bundle = export::bundle(&measured, &client.centre, &limits, now);
    Ok(([(CONTENT_TYPE, "application/fhir+json")], bundle.to_string()).into_response())
}

async fn csv(who: Who, State(client): Door, which: Asked) -> Result<Response, Problem> {
    let measured = client.reception.measured(&who.0, "export.csv", &wanted(which)?).await?;
    let limits = client.reception.settings.borrow().limits;
    let table = export::csv(&measured, &client.timezone, &limits);
    Ok(([(CONTENT_TYPE, "text/csv; charset=utf-8")], table).into_response())
}

fn wanted(which: Asked) -> Result<Wanted, Problem> {
    let Which { visit, from, to, .. } = understood(which)?;
    Ok(Wanted { visit, from: from.map(Timestamp), to: to.map(Timestamp) })
}

fn understood(which: Asked) -> Result<Which, Problem> {
    let bad = |rejection: QueryRejection| Problem::new(StatusCode::BAD_REQUEST, rejection.body_text());
    which.map(|Query(which)| which).map_err(bad)
}

fn parsed<T: DeserializeOwned>(body: &Bytes) -> Result<T, Problem> {
    serde_json::from_slice(body)
        .map_err(|error| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()))
}

fn told(done: &Done) -> Json<Value> {
    Json(match done {
        Done::Visit(visit) => json!(visit),
        Done::Version(version) => json!(version),
        Done::Erased { visits, measurements } => {
            json!({"erased": {"visits": visits, "measurements": measurements}})
        }
    })
}

// === impl Problem ===
