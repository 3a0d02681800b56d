//! Outreach files (巡诊): a box in the field writes one, the centre reads it, a page at a time.

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use linli_cabin::{
    Action, Doubt, ExportPlace, Header, ImportPreview, ImportReport, Item, Outcome, OutreachFile,
};
use linli_services::ServiceError;
use linli_store::Documents;
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::{read, read_secret};
use super::cabin::{Answer, CabinClient, Why, outcome};
use super::{Problem, Who};

/// Longest body: lines of a file; the longest one holds a document.
const LONGEST: usize = 2 << 20;

/// Access to the cabin and to the documents of its measurements.
#[derive(Clone)]
pub(crate) struct OutreachClient {
    pub(crate) cabin: CabinClient,
    pub(crate) documents: Documents,
}

/// Routes of outreach files.
pub(crate) fn router(client: OutreachClient) -> Router {
    Router::new()
        .route("/api/v1/outreach/export", post(export))
        .route("/api/v1/outreach/preview", post(preview).layer(DefaultBodyLimit::max(LONGEST)))
        .route("/api/v1/outreach/import", post(import).layer(DefaultBodyLimit::max(LONGEST)))
        .route("/api/v1/outreach/doubts", get(doubts))
        .route("/api/v1/outreach/doubts/{pseudonym}/apart", post(apart))
        .with_state(client)
}

async fn export(who: Who, State(client): State<OutreachClient>, body: Bytes) -> Answer<Value> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Page {
        secret: String,
        header: Option<String>,
        number: Option<u64>,
        next: Option<String>,
        clock_ahead_ms: Option<i64>,
    }
    let Page { secret, header, number, next, clock_ahead_ms } = read_secret(&body)?;
    let reader = &client.cabin.reader;
    let (centre, made) = (client.cabin.centre.clone(), reader.clock.now().at);
    let (number, is_first) = match (&header, number) {
        (None, None) => (2, true),
        (Some(_), Some(number)) if number >= 2 => (number, false),
        _ => {
            let why = "header, number and next belong together: those of the page before".to_owned();
            return Err(ServiceError::Wrong(why).into());
        }
    };
    let place: ExportPlace = next.as_deref().unwrap_or("visits").parse()?;
    let file = blocking(move || match header {
        Some(header) => OutreachFile::with(&secret, &header),
        None => OutreachFile::begin(&secret, &centre, made, clock_ahead_ms),
    })
    .await?;
    if is_first != (place == ExportPlace::Visits(None)) {
        return Err(ServiceError::Wrong("next must be that of the page before".to_owned()).into());
    }
    let page = reader.outreach_page(&who.0.account, &file, (place, number), &client.documents).await?;
    Ok(Json(json!({
        "header": file.header_line(),
        "number": number + page.lines.len() as u64,
        "lines": page.lines,
        "next": page.next.map(|next| next.to_string()),
        "visits": page.visits,
        "open": page.open,
    })))
}

async fn preview(who: Who, State(client): State<OutreachClient>, body: Bytes) -> Answer<ImportPreview> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Lines {
        secret: String,
        header: String,
        number: u64,
        lines: Vec<String>,
    }
    let Lines { secret, header, number, lines } = read_secret(&body)?;
    let (header, items) = opened(secret, header, (number, lines)).await?;
    let reader = &client.cabin.reader;
    Ok(Json(reader.outreach_preview(&who.0.account, &header, items, &client.documents).await?))
}

async fn import(who: Who, State(client): State<OutreachClient>, body: Bytes) -> Answer<ImportReport> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Lines {
        secret: String,
        header: String,
        number: u64,
        lines: Vec<String>,
        #[serde(default)]
        check: bool,
    }
    let Lines { secret, header, number, lines, check } = read_secret(&body)?;
    let (header, items) = opened(secret, header, (number, lines)).await?;
    if check {
        let visits = items.iter().filter(|item| matches!(item, Item::Visit(_))).count() as u64;
        let complete = items.iter().any(|item| matches!(item, Item::End { .. }));
        return Ok(Json(ImportReport { visits, complete, ..ImportReport::default() }));
    }
    match client.cabin.service.ask(&who.0, Action::Import { header, items }).await? {
        Outcome::Imported(report) => Ok(Json(*report)),
        other => Err(ServiceError::NotNow(format!("unexpected: {other:?}")).into()),
    }
}

async fn doubts(who: Who, State(client): State<OutreachClient>) -> Answer<Vec<Doubt>> {
    Ok(Json(client.cabin.reader.doubts(&client.documents, &who.0.account).await?))
}

async fn apart(
    who: Who,
    State(client): State<OutreachClient>,
    Path(pseudonym): Path<String>,
    body: Bytes,
) -> Answer<Value> {
    let Why { why } = read(&body)?;
    let action = Action::KeepApart { pseudonym, why };
    Ok(outcome(&client.cabin.service.ask(&who.0, action).await?))
}

/// Opens lines of a file.
async fn opened(
    secret: String,
    header: String,
    (number, lines): (u64, Vec<String>),
) -> Result<(Header, Vec<Item>), Problem> {
    blocking(move || {
        let file = OutreachFile::with(&secret, &header)?;
        let items = (number..).zip(&lines).map(|(number, line)| file.open(number, line));
        let items: Vec<Item> = items.collect::<Result<_, _>>()?;
        Ok((file.header, items))
    })
    .await
}

/// Runs what takes a while: the key of a file is made slowly on purpose.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, linli_cabin::FileError> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.map_err(|error| ServiceError::NotNow(error.to_string()))?;
    Ok(done.map_err(ServiceError::from)?)
}
