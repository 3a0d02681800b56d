//! The record of who did what: shown, filtered, verified, exported.

use axum::extract::{Query, State as Shared};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::gate::Who;
use super::{Problem, State, json as answer};
use crate::accounts::record::{self, Filter, RecordError};

/// Which part of the record.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    before: Option<i64>,
    limit: Option<i64>,
    event: Option<String>,
    who: Option<String>,
    from: Option<i64>,
    to: Option<i64>,
}

impl From<RecordError> for Problem {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Database(error) => error.into(),
            other => {
                let zh = "记录被改动或不能读取";
                Self::new(StatusCode::CONFLICT, zh, other.to_string()).code("broken")
            }
        }
    }
}

type Asked = Result<Query<Part>, axum::extract::rejection::QueryRejection>;

fn asked(part: Asked) -> Result<(Part, Filter), Problem> {
    let Query(mut part) = part.map_err(|error| {
        let zh = "可用 before、limit、event、who、from、to";
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, zh, error.body_text()).code("query")
    })?;
    let some = |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let filter =
        Filter { event: some(part.event.take()), who: some(part.who.take()), from: part.from, to: part.to };
    Ok((part, filter))
}

/// The record, the newest line first.
pub async fn show(Shared(state): Shared<State>, part: Asked) -> Result<Response, Problem> {
    let (part, filter) = asked(part)?;
    let head = record::head(&state.pool).await?;
    let limit = part.limit.unwrap_or(100).clamp(1, 1000);
    let lines = record::before(&state.pool, part.before.unwrap_or(i64::MAX), limit, &filter).await?;
    let entries: Vec<Value> = lines.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
    Ok(answer(json!({"count": head.count, "root": head.root, "entries": entries}).to_string()))
}

/// Follows the chain through all lines.
pub async fn verify(Shared(state): Shared<State>) -> Result<Response, Problem> {
    let verified = record::verify(&state.pool).await;
    let told = match verified {
        Ok(verified) => json!({"intact": true, "count": verified.lines, "root": verified.head.root}),
        Err(RecordError::Database(error)) => return Err(error.into()),
        Err(error) => json!({"intact": false, "why": error.to_string()}),
    };
    Ok(answer(told.to_string()))
}

/// The lines as they are kept, the oldest first: with them anyone can follow the chain. That it was exported is a line too.
pub async fn export(
    Shared(state): Shared<State>,
    Who(person): Who,
    part: Asked,
) -> Result<Response, Problem> {
    let (_, filter) = asked(part)?;
    let mut lines = record::before(&state.pool, i64::MAX, record::MOST, &filter).await?;
    lines.reverse();
    record::exported(&state.pool, lines.len(), person.account.as_str()).await?;
    let mut text = lines.join("\n");
    text.push('\n');
    let name = "attachment; filename=\"linli-district-record.jsonl\"";
    let kinds = [
        (header::CONTENT_TYPE, "application/x-ndjson"),
        (header::CONTENT_DISPOSITION, name),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((kinds, text).into_response())
}
