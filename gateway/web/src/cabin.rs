//! Visits, measurements and exports, for health workers. The audit entry precedes every answer.

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use linli_domain::Timestamp;
use linli_domain::visit::{Context, Ending, Version, Visit};
use linli_domain::vital::Reading;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::read;
use super::page;
use super::{Problem, Who};
use linli_cabin::{Action, AuditedReader, Identity, MeasurementFilter, NewVisit, Outcome, VisitView};
use linli_reports as export;
use linli_services::ServiceError;
use linli_services::client::ServiceClient;
use linli_store::Listing;

/// Most rows of a page of a list, and how many without `limit` where a list may be long.
const MOST_ROWS: u32 = 1000;
const USUAL_ROWS: u32 = 100;

/// Most measurements of a page of an export.
const MOST_EXPORTED: u32 = 5000;

/// Access to the cabin service and to its stored data.
#[derive(Clone)]
pub struct CabinClient {
    /// The cabin service.
    pub service: ServiceClient<Action, Outcome>,
    /// Reads stored data, with an audit entry for each answer.
    pub reader: AuditedReader,
    /// Id of the centre.
    pub centre: String,
    /// IANA time zone of the centre.
    pub timezone: String,
}

pub(crate) type Client = State<CabinClient>;
pub(crate) type Answer<T> = Result<Json<T>, Problem>;

/// Routes of the health cabin.
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

/// Which visits.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VisitsQuery {
    /// Those that are open, whenever they were opened.
    #[serde(default)]
    open: bool,
    /// Opened at or after this time, Unix milliseconds UTC.
    from: Option<i64>,
    /// Opened before this time, Unix milliseconds UTC.
    to: Option<i64>,
    /// Visits of a page, at most 1000, which is also without it.
    limit: Option<u32>,
    /// Where the page begins: from the header Link of the one before.
    #[schemars(regex(pattern = page::NEXT))]
    next: Option<String>,
}

/// Which page of a list.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    /// Entries of a page, at most 1000; without it 100.
    limit: Option<u32>,
    /// Where the page begins: from the header Link of the one before.
    #[schemars(regex(pattern = page::NEXT))]
    next: Option<String>,
}

/// How much of a visit.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VisitQuery {
    /// Also who the resident is.
    #[serde(default)]
    reveal: bool,
}

/// What is exported: a visit, or what was received in a time span.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportQuery {
    /// Id of the visit.
    visit: Option<String>,
    /// Received at or after this time, Unix milliseconds UTC.
    from: Option<i64>,
    /// Received before this time, Unix milliseconds UTC.
    to: Option<i64>,
    /// Measurements of a page, at most 5000, which is also without it. Those of one visit are one page.
    limit: Option<u32>,
    /// Where the page begins: from the header Link of the one before.
    #[schemars(regex(pattern = page::NEXT))]
    next: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Why {
    pub(crate) why: String,
}

async fn visits(
    who: Who,
    State(client): Client,
    uri: Uri,
    Query(which): Query<VisitsQuery>,
) -> Result<Response, Problem> {
    let paging = page::paging((which.limit, which.next.as_deref()), MOST_ROWS, MOST_ROWS)?;
    let span = (Timestamp(which.from.unwrap_or_default()), Timestamp(which.to.unwrap_or(i64::MAX)));
    let visits = client.reader.visits(&who.0.account, which.open, span, &paging).await?;
    Ok(page::answer(&uri, &visits))
}

async fn open(who: Who, State(client): Client, body: Bytes) -> Result<Response, Problem> {
    let new: NewVisit = read(&body)?;
    let opened = client.service.ask(&who.0, Action::Open(new)).await?;
    Ok((StatusCode::CREATED, outcome(&opened)).into_response())
}

async fn visit(
    who: Who,
    State(client): Client,
    Path(id): Path<String>,
    Query(VisitQuery { reveal }): Query<VisitQuery>,
) -> Answer<VisitView> {
    Ok(Json(client.reader.visit(&who.0.account, &id, reveal).await?))
}

async fn end(who: Who, State(client): Client, Path(visit): Path<String>, body: Bytes) -> Answer<Value> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct How {
        ending: Ending,
    }
    let How { ending } = read(&body)?;
    if !matches!(ending, Ending::Completed | Ending::Abandoned) {
        return Err(ServiceError::Wrong("ending is \"completed\" or \"abandoned\"".to_owned()).into());
    }
    Ok(outcome(&client.service.ask(&who.0, Action::End { visit, ending }).await?))
}

async fn erase_visit(
    who: Who,
    State(client): Client,
    Path(visit): Path<String>,
    body: Bytes,
) -> Answer<Value> {
    let Why { why } = read(&body)?;
    Ok(outcome(&client.service.ask(&who.0, Action::EraseVisit { visit, why }).await?))
}

async fn find(who: Who, State(client): Client, body: Bytes) -> Answer<Value> {
    let identity: Identity = read(&body)?;
    Ok(Json(json!({"pseudonym": client.reader.pseudonym(&who.0.account, identity).await?})))
}

async fn erase_resident(
    who: Who,
    State(client): Client,
    Path(pseudonym): Path<String>,
    body: Bytes,
) -> Answer<Value> {
    let Why { why } = read(&body)?;
    Ok(outcome(&client.service.ask(&who.0, Action::EraseResident { pseudonym, why }).await?))
}

async fn unassigned(
    who: Who,
    State(client): Client,
    uri: Uri,
    Query(which): Query<PageQuery>,
) -> Result<Response, Problem> {
    let paging = page::paging((which.limit, which.next.as_deref()), USUAL_ROWS, MOST_ROWS)?;
    Ok(page::answer(&uri, &client.reader.unassigned(&who.0.account, &paging).await?))
}

async fn versions(who: Who, State(client): Client, Path(id): Path<String>) -> Answer<Vec<Version>> {
    Ok(Json(client.reader.versions(&who.0.account, &id).await?))
}

async fn assign(
    who: Who,
    State(client): Client,
    Path(measurement): Path<String>,
    body: Bytes,
) -> Answer<Value> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Whose {
        visit: Option<String>,
        why: String,
    }
    let Whose { visit, why } = read(&body)?;
    Ok(outcome(&client.service.ask(&who.0, Action::Assign { measurement, visit, why }).await?))
}

async fn correct(
    who: Who,
    State(client): Client,
    Path(measurement): Path<String>,
    body: Bytes,
) -> Answer<Value> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Correction {
        readings: Option<Vec<Reading>>,
        context: Option<Context>,
        why: String,
    }
    let Correction { readings, context, why } = read(&body)?;
    Ok(outcome(&client.service.ask(&who.0, Action::Correct { measurement, readings, context, why }).await?))
}

async fn withdraw(
    who: Who,
    State(client): Client,
    Path(measurement): Path<String>,
    body: Bytes,
) -> Answer<Value> {
    let Why { why } = read(&body)?;
    Ok(outcome(&client.service.ask(&who.0, Action::Withdraw { measurement, why }).await?))
}

async fn audit(
    who: Who,
    State(client): Client,
    uri: Uri,
    Query(which): Query<PageQuery>,
) -> Result<Response, Problem> {
    let paging = page::paging((which.limit, which.next.as_deref()), USUAL_ROWS, MOST_ROWS)?;
    Ok(page::answer(&uri, &client.reader.audit(&who.0.account, &paging).await?))
}

async fn fhir(
    who: Who,
    State(client): Client,
    uri: Uri,
    Query(which): Query<ExportQuery>,
) -> Result<Response, Problem> {
    let measured = client.measured(&who, "export.fhir", which).await?;
    let (limits, now) = (client.reader.settings.borrow().limits, client.reader.clock.now().at);
    let bundle = export::bundle(&measured.items, &client.centre, &limits, now);
    let answer = ([(CONTENT_TYPE, "application/fhir+json")], bundle.to_string()).into_response();
    Ok(page::with_next(&uri, measured.next.as_ref(), answer))
}

async fn csv(
    who: Who,
    State(client): Client,
    uri: Uri,
    Query(which): Query<ExportQuery>,
) -> Result<Response, Problem> {
    let measured = client.measured(&who, "export.csv", which).await?;
    let limits = client.reader.settings.borrow().limits;
    let table = export::csv(&measured.items, &client.timezone, &limits);
    let answer = ([(CONTENT_TYPE, "text/csv; charset=utf-8")], table).into_response();
    Ok(page::with_next(&uri, measured.next.as_ref(), answer))
}

// === impl CabinClient ===

impl CabinClient {
    /// A page of what is exported.
    async fn measured(
        &self,
        who: &Who,
        what: &str,
        which: ExportQuery,
    ) -> Result<Listing<(Option<Visit>, Version)>, Problem> {
        let ExportQuery { visit, from, to, limit, next } = which;
        let paging = page::paging((limit, next.as_deref()), MOST_EXPORTED, MOST_EXPORTED)?;
        let filter = MeasurementFilter { visit, from: from.map(Timestamp), to: to.map(Timestamp) };
        Ok(self.reader.measured(&who.0.account, what, &filter, &paging).await?)
    }
}

pub(crate) fn outcome(done: &Outcome) -> Json<Value> {
    Json(match done {
        Outcome::Visit(visit) => json!(visit),
        Outcome::Version(version) => json!(version),
        Outcome::Resident { pseudonym, visits } => json!({"pseudonym": pseudonym, "visits": visits}),
        Outcome::Imported(report) => json!(report),
        Outcome::Erased { visits, measurements } => {
            json!({"erased": {"visits": visits, "measurements": measurements}})
        }
    })
}
