//! `/api/v1/centre`: the centre as screens draw it: sites, rooms with their outlines, cabinets and their limits.
//! No personal data, so no log-in.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use linli_config::Checked;
use linli_domain::canteen::Kept;
use linli_services::alarms::Health as AlarmHealth;
use linli_services::mode::Health;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::Problem;

/// The part that changes only with the configuration.
pub type Plan = Arc<Drawn>;

/// The centre as it is drawn.
#[derive(Debug, Default)]
pub struct Drawn {
    /// What the route answers, without what changes by the minute.
    body: Value,
    /// Drawings below the outlines, by what names their contents.
    backgrounds: BTreeMap<String, Arc<str>>,
}

/// What the route reads.
#[derive(Clone)]
pub struct Centre {
    /// The plan of the present configuration.
    pub plan: watch::Receiver<Plan>,
    /// Stages of the rooms.
    pub mode: Arc<Health>,
    /// Numbers of alarms.
    pub alarms: Arc<AlarmHealth>,
    /// Numbers of visits.
    pub cabin: Arc<linli_cabin::Health>,
}

/// Builds the plan of a configuration.
#[must_use]
pub fn plan(current: &Checked) -> Plan {
    let centre = &current.centre;
    let sites: Vec<Value> =
        centre.sites.iter().map(|site| json!({"site": site.id, "name": site.name})).collect();
    let rooms: Vec<Value> = current
        .rooms
        .iter()
        .map(|room| {
            json!({
                "room": room.id, "name": room.name, "site": room.site, "floor": room.floor,
                "peace_role": room.peace_role, "emergency_roles": room.emergency_roles, "outline": room.outline,
            })
        })
        .collect();
    let areas: Vec<Value> = centre
        .areas
        .iter()
        .map(|area| {
            json!({"name": area.name, "site": area.site, "floor": area.floor, "outline": area.outline})
        })
        .collect();
    let backgrounds: Vec<Value> = centre
        .backgrounds
        .iter()
        .map(|one| {
            json!({"background": one.id, "site": one.site, "floor": one.floor, "corner": one.corner, "size": one.size})
        })
        .collect();
    let cabinets: Vec<Value> = current
        .canteen
        .iter()
        .filter_map(|cabinet| {
            let kept = cabinet.kept?;
            let limits = kept.limits();
            let upper = limits.iter().filter(|limit| limit.is_upper).map(|limit| limit.limit).reduce(f64::min);
            let lower = limits.iter().filter(|limit| !limit.is_upper).map(|limit| limit.limit).reduce(f64::max);
            Some(json!({
                "device": cabinet.device, "name": cabinet.name, "keeps": word(kept), "low": lower, "high": upper,
            }))
        })
        .collect();
    let plans: Vec<Value> = current
        .plans
        .iter()
        .map(|checked| {
            let plan = &checked.resolved.plan;
            json!({"plan": plan.key(), "room": plan.room, "role": plan.role, "direction": plan.direction})
        })
        .collect();
    let drawings = centre.backgrounds.iter().map(|one| (one.id.clone(), Arc::clone(&one.svg)));
    let body = json!({
        "centre": centre.id, "name": centre.name, "timezone": centre.timezone,
        "sites": sites, "rooms": rooms, "areas": areas, "backgrounds": backgrounds, "cabinets": cabinets,
        "plans": plans,
    });
    Arc::new(Drawn { body, backgrounds: drawings.collect() })
}

/// The word of `keeps` in devices.toml.
const fn word(kept: Kept) -> &'static str {
    match kept {
        Kept::Cold => "cold",
        Kept::Frozen => "frozen",
        Kept::Hot => "hot",
        Kept::Samples => "samples",
        Kept::DishMachine => "dish_machine",
        Kept::Steam => "steam",
        Kept::Infrared => "infrared",
    }
}

/// The route.
pub fn router(centre: Centre) -> Router {
    Router::new()
        .route("/api/v1/centre", get(show))
        .route("/api/v1/centre/backgrounds/{background}", get(background))
        .with_state(centre)
}

async fn show(State(centre): State<Centre>) -> Json<Value> {
    let mut body = centre.plan.borrow().body.clone();
    let metrics = centre.mode.metrics();
    let stages: Vec<Value> = metrics
        .rooms
        .iter()
        .map(|room| {
            json!({
                "room": room.room, "stage": room.stage.as_str(), "in_stage_s": room.in_stage.as_secs(),
                "is_exercise": room.is_exercise, "is_in_service": room.is_in_service,
            })
        })
        .collect();
    body["stages"] = stages.into();
    body["alarms"] = json!(centre.alarms.standing.each_ref().map(|count| count.load(Ordering::Relaxed)));
    body["open_visits"] = json!(centre.cabin.open_visits.load(Ordering::Relaxed));
    Json(body)
}

/// A drawing below the outlines.
async fn background(State(centre): State<Centre>, Path(name): Path<String>) -> Result<Response, Problem> {
    let found = centre.plan.borrow().backgrounds.get(&name).map(Arc::clone);
    let gone =
        || Problem::new(StatusCode::NOT_FOUND, "no such drawing; GET /api/v1/centre names those there are");
    let svg = found.ok_or_else(gone)?;
    Ok(([(CONTENT_TYPE, "image/svg+xml")], svg.to_string()).into_response())
}
