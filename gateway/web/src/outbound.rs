//! What leaves the health cabin: result slips, print jobs, the queue for the FHIR server, the values of a resident.

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use linli_domain::visit::{Naming, Paper};
use linli_outbound::{SlipMaker, SlipOrder, fhir, print};
use linli_services::ServiceError;
use linli_services::client::ServiceClient;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::body::read;
use super::openapi::schema::{NamingWord, PaperWord};
use super::{Problem, Who};

/// Access to what leaves the cabin.
#[derive(Clone)]
pub struct OutboundClient {
    /// Makes slips.
    pub slips: SlipMaker,
    /// The print service.
    pub print: ServiceClient<print::Action, Value>,
    /// The FHIR service.
    pub fhir: ServiceClient<fhir::Action, Value>,
    /// Documents of measurements.
    pub documents: linli_store::Documents,
}

/// How a slip is printed.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlipQuery {
    /// The paper; without it that of the printer.
    #[schemars(with = "Option<PaperWord>")]
    paper: Option<Paper>,
    /// How the resident is named; without it not at all.
    #[serde(default)]
    #[schemars(with = "Option<NamingWord>")]
    name: Naming,
}

/// How a referral note is set.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReferralQuery {
    /// The paper; without it A5.
    #[schemars(with = "Option<PaperWord>")]
    paper: Option<Paper>,
}

type Client = State<OutboundClient>;

/// Routes of what leaves the cabin.
pub fn router(client: OutboundClient) -> Router {
    Router::new()
        .route("/api/v1/visits/{id}/slip", get(slip))
        .route("/api/v1/visits/{id}/referral", get(referral))
        .route("/api/v1/measurements/{id}/attachments/{number}", get(attachment))
        .route("/api/v1/visits/{id}/print", post(print_slip))
        .route("/api/v1/print", get(jobs))
        .route("/api/v1/print/{job}/cancel", post(cancel))
        .route("/api/v1/residents/{pseudonym}/csv", get(values))
        .route("/api/v1/fhir", get(queue))
        .route("/api/v1/fhir/{visit}/retry", post(retry))
        .with_state(client)
}

async fn slip(
    who: Who,
    State(client): Client,
    Path(visit): Path<String>,
    Query(SlipQuery { paper, name }): Query<SlipQuery>,
) -> Result<Response, Problem> {
    let paper = paper.unwrap_or_else(|| client.slips.paper());
    let name_of_file = format!("inline; filename=\"slip-{}.pdf\"", plain(&visit));
    let order = SlipOrder { visit, paper, naming: name };
    let pdf = client.slips.pdf(&who.0.account, &order).await?;
    Ok(([(CONTENT_TYPE, "application/pdf".to_owned()), (CONTENT_DISPOSITION, name_of_file)], pdf)
        .into_response())
}

async fn referral(
    who: Who,
    State(client): Client,
    Path(visit): Path<String>,
    Query(ReferralQuery { paper }): Query<ReferralQuery>,
) -> Result<Response, Problem> {
    let paper = paper.unwrap_or(Paper::A5);
    let name_of_file = format!("inline; filename=\"referral-{}.pdf\"", plain(&visit));
    let pdf = client.slips.referral(&who.0.account, &visit, paper).await?;
    Ok(([(CONTENT_TYPE, "application/pdf".to_owned()), (CONTENT_DISPOSITION, name_of_file)], pdf)
        .into_response())
}

/// A document that came with a measurement.
async fn attachment(
    who: Who,
    State(client): Client,
    Path((measurement, number)): Path<(String, usize)>,
) -> Result<Response, Problem> {
    let (info, data) =
        client.slips.reader.attachment(&client.documents, &who.0.account, (&measurement, number)).await?;
    // Only kinds that were looked at when it came; a page of a browser runs none of them.
    Ok(([(CONTENT_TYPE, info.media_type), (CONTENT_DISPOSITION, "attachment".to_owned())], data)
        .into_response())
}

async fn print_slip(
    who: Who,
    State(client): Client,
    Path(visit): Path<String>,
    body: Bytes,
) -> Result<Response, Problem> {
    let SlipQuery { paper, name } = if body.is_empty() { SlipQuery::default() } else { read(&body)? };
    let job = client.print.ask(&who.0, print::Action::Print { visit, paper, naming: name }).await?;
    Ok((StatusCode::CREATED, Json(job)).into_response())
}

async fn jobs(who: Who, State(client): Client) -> Result<Json<Value>, Problem> {
    Ok(Json(client.print.ask(&who.0, print::Action::Jobs).await?))
}

async fn cancel(who: Who, State(client): Client, Path(job): Path<String>) -> Result<Json<Value>, Problem> {
    let job = job.parse().map_err(|_| ServiceError::Unknown(format!("there is no print job {job:?}")))?;
    Ok(Json(client.print.ask(&who.0, print::Action::Cancel(job)).await?))
}

/// Everything measured of a resident, as a table.
async fn values(who: Who, State(client): Client, Path(pseudonym): Path<String>) -> Result<Response, Problem> {
    let table = client.slips.values_of(&who.0.account, &pseudonym).await?;
    Ok(([(CONTENT_TYPE, "text/csv; charset=utf-8")], table).into_response())
}

async fn queue(who: Who, State(client): Client) -> Result<Json<Value>, Problem> {
    Ok(Json(client.fhir.ask(&who.0, fhir::Action::Status).await?))
}

async fn retry(who: Who, State(client): Client, Path(visit): Path<String>) -> Result<Json<Value>, Problem> {
    Ok(Json(client.fhir.ask(&who.0, fhir::Action::Retry(visit)).await?))
}

/// An id as part of a file's name.
fn plain(id: &str) -> String {
    id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(64).collect()
}
