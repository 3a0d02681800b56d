//! Orders that two people write together at the screens, alert messages that propose one, and the report afterwards.

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use linli_mode::Class;
use linli_mode::record::ModeEvent;
use linli_reports::switch::{Form, Switch, orders, render};
use linli_services::audit_log::entries_after;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::body;
use super::mode::ModeClient;
use super::{Problem, Who};

/// Entries of the record that are read at a time.
const AT_ONCE: u32 = 1000;

/// Routes of drafts and reports.
pub fn router(client: ModeClient) -> Router {
    Router::new()
        .route("/api/v1/mode/drafts", get(all).post(draft))
        .route("/api/v1/mode/drafts/{draft}", delete(withdraw))
        .route("/api/v1/mode/drafts/{draft}/sign", post(sign))
        .route("/api/v1/mode/report", get(report))
        .with_state(client)
}

async fn all(who: Who, State(client): State<ModeClient>) -> Json<Value> {
    Json(json!({"drafts": client.drafts.all(&who.0), "proposals": client.proposals.all()}))
}

async fn draft(who: Who, State(client): State<ModeClient>, body: Bytes) -> Result<Response, Problem> {
    let made = client.drafts.draft(&body::read(&body)?, &who.0).await?;
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

async fn sign(
    who: Who,
    State(client): State<ModeClient>,
    Path(draft): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    Ok(Json(client.drafts.sign(&draft, &body::read(&body)?, &who.0).await?))
}

async fn withdraw(
    _: Who,
    State(client): State<ModeClient>,
    Path(draft): Path<String>,
) -> Result<StatusCode, Problem> {
    client.drafts.withdraw(&draft)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which report.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ReportQuery")]
pub struct Which {
    /// Id of the order; the latest of its class unless given.
    order: Option<String>,
    /// Drills unless given.
    class: Option<ReportClass>,
    /// PDF unless given.
    form: Option<ReportForm>,
}

/// Of drills or of actual orders.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum ReportClass {
    /// Drills.
    Exercise,
    /// Actual orders.
    Actual,
}

/// How it is written.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum ReportForm {
    /// A document.
    Pdf,
    /// Markdown.
    Md,
}

/// The report of a switch or a drill, from the record alone.
async fn report(
    _: Who,
    State(client): State<ModeClient>,
    Query(which): Query<Which>,
) -> Result<Response, Problem> {
    let not_now = |why: String| Problem::new(StatusCode::SERVICE_UNAVAILABLE, why);
    let record = record(&client).await?;
    let zone = client.zone.clone();
    let made = tokio::task::spawn_blocking(move || written(&record, &which, &zone)).await;
    let (name, kind, bytes) = made.map_err(|error| not_now(error.to_string()))??;
    let disposition = format!("attachment; filename=\"{name}\"");
    Ok(([(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, disposition)], bytes).into_response())
}

/// The whole record of the mode switch.
async fn record(client: &ModeClient) -> Result<String, Problem> {
    let (mut text, mut after) = (String::new(), None);
    loop {
        let lines = entries_after::<ModeEvent>(&client.store, after, AT_ONCE).await;
        let lines =
            lines.map_err(|error| Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()))?;
        let Some(last) = lines.last().and_then(|line| serde_json::from_str::<Value>(line).ok()) else {
            return Ok(text);
        };
        for line in &lines {
            text.push_str(line);
            text.push('\n');
        }
        match last["n"].as_u64() {
            Some(number) => after = Some(number),
            None => return Ok(text),
        }
    }
}

/// Name, media type and bytes of the report.
fn written(
    record: &str,
    which: &Which,
    zone: &linli_domain::timezone::Zone,
) -> Result<(String, &'static str, Vec<u8>), Problem> {
    let unknown = |why: String| Problem::new(StatusCode::NOT_FOUND, why);
    let wrong = |error: &dyn std::fmt::Display| Problem::new(StatusCode::CONFLICT, error.to_string());
    let all = orders(record).map_err(|error| wrong(&error))?;
    let class = which.class.map(|class| match class {
        ReportClass::Exercise => Class::Exercise,
        ReportClass::Actual => Class::Actual,
    });
    let is_meant = |(id, of): &&(String, Class)| match &which.order {
        Some(order) => id == order && class.is_none_or(|class| class == *of),
        None => *of == class.unwrap_or(Class::Exercise),
    };
    let found = all.iter().rev().find(is_meant);
    let (order, _) = found
        .ok_or_else(|| unknown("记录里没有这样的指令 the record has no such accepted order".to_owned()))?;
    let schedule = |text: &str| linli_config::planned(text).ok();
    let switch = Switch::read(record, order, &schedule).map_err(|error| wrong(&error))?;
    let (form, ending, kind) = match which.form.unwrap_or(ReportForm::Pdf) {
        ReportForm::Pdf => (Form::Pdf, "pdf", "application/pdf"),
        ReportForm::Md => (Form::Md, "md", "text/markdown; charset=utf-8"),
    };
    Ok((format!("linli-report-{order}.{ending}"), kind, render(&switch, form, zone)))
}
