//! Alarms: reading needs no log-in, operations need a worker.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use linli_domain::alarm::{Action as Operation, Shelf};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::body;
use super::openapi::schema::{ONE_LINE, Span};
use super::page;
use super::{Problem, Who};
use crate::status::GatewayStatus;
use linli_config::settings::siren::Siren;
use linli_config::settings::webhook::Webhook;
use linli_domain::caller::Caller;
use linli_domain::{Id, Timestamp};
use linli_services::alarms::{Action, AlarmView, Notice, NoticeBody, Notices};
use linli_services::client::ServiceClient;

/// Longest page of the journal, and how long it is without `limit`.
const MOST: u32 = 5000;
const USUAL: u32 = 100;

/// Reaches the alarm service and its journal.
#[derive(Clone)]
pub struct AlarmClient {
    /// The alarm service.
    pub service: ServiceClient<Action, Vec<AlarmView>>,
    /// The journal of alarms.
    pub store: linli_store::Alarms,
    /// What became of notifications.
    pub notices: Notices,
    /// Receivers outside.
    pub hooks: watch::Receiver<Arc<Vec<Webhook>>>,
    /// Sirens of the site.
    pub sirens: watch::Receiver<Arc<Vec<Siren>>>,
    /// The uplink, which tells the district.
    pub status: Arc<GatewayStatus>,
}

/// Routes of alarms.
pub fn router(client: AlarmClient) -> Router {
    Router::new()
        .route("/api/v1/alarms", get(list))
        .route("/api/v1/alarms/journal", get(journal))
        .route("/api/v1/alarms/test", post(test))
        .route("/api/v1/alarms/{alarm}/notices", get(notices))
        .route("/api/v1/alarms/{alarm}/{operation}", post(act))
        .with_state(client)
}

/// How long an alarm is shelved unless it is said.
const USUAL_SHELF: Duration = Duration::from_secs(3600);

/// Words of the path that name an operation.
pub const OPERATIONS: [&str; 6] = ["acknowledge", "reset", "shelve", "unshelve", "take-out", "put-back"];

/// Which alarms.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// Also those that are normal.
    #[serde(default)]
    all: bool,
}

/// Which page of the journal.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JournalQuery {
    /// Steps of a page, at most 5000; without it 100.
    limit: Option<u32>,
    /// Where the page begins: from the header Link of the one before.
    #[schemars(regex(pattern = page::NEXT))]
    next: Option<String>,
}

/// The body of an operation.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AlarmOperation")]
pub struct How {
    /// Why: one line.
    #[schemars(length(max = 200), regex(pattern = ONE_LINE))]
    why: Option<String>,
    /// How long an alarm is shelved.
    #[serde(default, rename = "for", deserialize_with = "body::span")]
    #[schemars(with = "Option<Span>")]
    span: Option<Duration>,
    /// Shelving ends early when the condition ends.
    #[serde(default)]
    once: bool,
}

async fn list(
    State(client): State<AlarmClient>,
    Query(ListQuery { all }): Query<ListQuery>,
) -> Result<Json<Vec<AlarmView>>, Problem> {
    Ok(Json(client.service.ask(&Caller::anybody(), Action::List { all }).await?))
}

async fn journal(
    State(client): State<AlarmClient>,
    uri: Uri,
    Query(JournalQuery { limit, next }): Query<JournalQuery>,
) -> Result<Response, Problem> {
    let steps = client.store.journal_page(&page::paging((limit, next.as_deref()), USUAL, MOST)?).await;
    let steps = steps.map_err(|error| Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()))?;
    let read: Vec<serde_json::Value> =
        steps.items.iter().filter_map(|step| serde_json::from_str(step).ok()).collect();
    Ok(page::answer(&uri, &steps.with(read)))
}

/// Most notifications in the queue that are looked at.
const MOST_QUEUED: u32 = 1000;

/// Who was told of an alarm, by which path, whether it arrived, and who is told next and when.
async fn notices(
    State(client): State<AlarmClient>,
    Path(alarm): Path<String>,
) -> Result<Json<Value>, Problem> {
    let all = client.service.ask(&Caller::anybody(), Action::List { all: true }).await?;
    let Some(view) = all.into_iter().find(|view| view.alarm.as_str() == alarm) else {
        let alarm: String = alarm.chars().take(64).collect();
        return Err(Problem::new(StatusCode::NOT_FOUND, format!("there is no alarm {alarm:?}")));
    };
    let not_now =
        |error: linli_store::ReadError| Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string());
    let mut kept = client.notices.newest().await.map_err(not_now)?;
    kept.retain(|notice| notice.alarm == alarm);
    let queued = client.store.queued(MOST_QUEUED).await.map_err(not_now)?;
    let waiting: Vec<(Id, NoticeBody, Timestamp)> = queued
        .into_iter()
        .filter_map(|one| Some((one.hook, serde_json::from_str::<NoticeBody>(&one.body).ok()?, one.after)))
        .filter(|(hook, told, _)| {
            told.alarm == alarm && !kept.iter().any(|one| one.receiver == *hook && one.raised == told.at)
        })
        .collect();
    let hooks = client.hooks.borrow().clone();
    let mine: Vec<&Webhook> = hooks.iter().filter(|hook| hook.priorities.contains(&view.priority)).collect();
    let next = escalations(&view, &mine, &kept, &waiting);
    let sirens = client.sirens.borrow().clone();
    let sirens = sirens.iter().filter(|siren| siren.priorities.contains(&view.priority));
    Ok(Json(json!({
        "notices": shown(&kept, &waiting),
        "district": {
            "configured": *client.status.has_uplink.borrow(),
            "connected": client.status.uplink.borrow().connected,
            "waiting": client.status.uplink.borrow().behind,
        },
        "receivers": mine.iter().map(|hook| json!({
            "receiver": hook.id, "escalate_after_s": hook.escalate_after.map(|after| after.as_secs()),
            "has_quiet_hours": hook.quiet.is_some(),
        })).collect::<Vec<_>>(),
        "sirens": sirens.map(|siren| json!({"device": siren.device, "point": siren.point})).collect::<Vec<_>>(),
        "next": next,
    })))
}

/// What waits, then what was tried, newest first.
fn shown(kept: &[Notice], waiting: &[(Id, NoticeBody, Timestamp)]) -> Vec<Value> {
    let waiting = waiting.iter().map(|(receiver, told, after)| {
        json!({
            "receiver": receiver, "escalation": told.escalation, "raised": told.at, "result": "waiting",
            "attempts": 0, "at": null, "why": null, "not_before": after,
        })
    });
    let tried = kept.iter().map(|one| {
        json!({
            "receiver": one.receiver, "escalation": one.escalation, "raised": one.raised, "result": one.result,
            "attempts": one.attempts, "at": one.at, "why": one.why, "not_before": null,
        })
    });
    waiting.chain(tried).collect()
}

/// Who is told again, and when, unless somebody acknowledges before.
fn escalations(
    view: &AlarmView,
    hooks: &[&Webhook],
    kept: &[Notice],
    waiting: &[(Id, NoticeBody, Timestamp)],
) -> Vec<Value> {
    let Some(since) = view.since.filter(|_| view.state == linli_domain::alarm::State::Unacknowledged) else {
        return Vec::new();
    };
    let is_done = |hook: &Id| {
        kept.iter().any(|one| one.escalation && one.receiver == *hook && one.raised >= since)
            || waiting.iter().any(|(of, told, _)| told.escalation && of == hook && told.at >= since)
    };
    let after = |hook: &&Webhook| Some((hook.id.clone(), hook.escalate_after?));
    let pending = hooks.iter().filter_map(after).filter(|(hook, _)| !is_done(hook));
    let at = |after: Duration| since.0.saturating_add(i64::try_from(after.as_millis()).unwrap_or(i64::MAX));
    let mut next: Vec<(i64, Id)> = pending.map(|(hook, after)| (at(after), hook)).collect();
    next.sort_unstable();
    next.into_iter().map(|(at, receiver)| json!({"receiver": receiver, "at": at})).collect()
}

async fn test(who: Who, State(client): State<AlarmClient>) -> Result<StatusCode, Problem> {
    client.service.ask(&who.0, Action::Test).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn act(
    who: Who,
    State(client): State<AlarmClient>,
    Path((alarm, operation)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<Vec<AlarmView>>, Problem> {
    let how: How = body::read_or_default(&body)?;
    let action = match operation.as_str() {
        "acknowledge" => Operation::Acknowledge,
        "reset" => Operation::Reset,
        "unshelve" => Operation::Unshelve,
        "take-out" => Operation::TakeOut,
        "put-back" => Operation::PutBack,
        "shelve" => {
            let span = how.span.unwrap_or(USUAL_SHELF);
            Operation::Shelve(Shelf { span, is_one_shot: how.once })
        }
        other => {
            let known = OPERATIONS.join(", ");
            return Err(Problem::new(StatusCode::NOT_FOUND, format!("{other:?} is none of {known}")));
        }
    };
    Ok(Json(client.service.ask(&who.0, Action::Do { alarm, action, why: how.why }).await?))
}
