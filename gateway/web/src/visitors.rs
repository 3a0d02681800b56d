//! Log-ins of the demonstration: whoever tries linli becomes one of its people by a click, and makes things go wrong. A
//! real gateway has none, and answers 404.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use linli_accounts::AccountError;
use linli_services::ServiceError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Problem;
use crate::gate::Gate;
use crate::session;

/// A person that a visitor can be.
#[derive(Debug, Clone, Serialize)]
pub struct Visitor {
    /// The account.
    pub account: &'static str,
    /// Name in Chinese.
    pub name: &'static str,
    /// Name in English.
    pub english: &'static str,
    /// The first of its roles.
    pub role: &'static str,
}

/// A log-in that was opened: tokens for the cookies of the session and, where the person needs one, of the screen.
#[derive(Debug, Clone)]
pub struct VisitorSession {
    /// Token of the session.
    pub token: String,
    /// Token of an enrolled screen.
    pub screen: Option<String>,
}

/// Something that can go wrong in the demonstration.
#[derive(Debug, Clone, Serialize)]
pub struct DemoFault {
    /// Its name.
    pub fault: &'static str,
    /// What it does, in Chinese.
    pub zh: &'static str,
    /// What it does, in English.
    pub en: &'static str,
    /// Whether it is so now.
    pub on: bool,
}

/// What a person of the demonstration has in the pocket: nobody could try an act of two persons otherwise.
#[derive(Debug, Clone, Serialize)]
pub struct VisitorSecrets {
    /// Password or PIN.
    pub password: String,
    /// Key for drills; `None` for whoever signs no orders.
    pub drill_key: Option<String>,
    /// Key for actual orders.
    pub key: Option<String>,
}

/// A log-in under way.
pub type OpeningSession<'a> = Pin<Box<dyn Future<Output = Result<VisitorSession, AccountError>> + Send + 'a>>;

/// A drill that is being ordered.
pub type BeginningDrill<'a> = Pin<Box<dyn Future<Output = Result<(), ServiceError>> + Send + 'a>>;

/// What opens them, makes things go wrong, and orders a drill.
pub trait VisitorLogIn: Send + Sync {
    /// What can go wrong.
    fn faults(&self) -> Vec<DemoFault>;
    /// Switches a fault by its name. The error names those there are.
    fn switch(&self, fault: &str, on: bool) -> Result<(), String>;
    /// Orders a drill, as the people who may.
    fn begin_drill(&self) -> BeginningDrill<'_>;
    /// The people.
    fn people(&self) -> Vec<Visitor>;
    /// What one of them has; `None` for nobody.
    fn secrets(&self, account: &str) -> Option<VisitorSecrets>;
    /// Logs in as one of them.
    fn log_in<'a>(&'a self, account: &'a str) -> OpeningSession<'a>;
}

/// Set by the demonstration once its people have accounts.
pub type Visitors = Arc<OnceLock<Box<dyn VisitorLogIn>>>;

#[derive(Clone)]
struct DemoLogIns {
    visitors: Visitors,
    gate: Gate,
}

/// Routes of the demonstration.
pub fn router(visitors: Visitors, gate: Gate) -> Router {
    Router::new()
        .route("/api/v1/demo", get(people))
        .route("/api/v1/demo/{account}", post(log_in))
        .route("/api/v1/demo/drill", post(begin_drill))
        .route("/api/v1/demo/secrets/{account}", get(secrets))
        .route("/api/v1/demo/faults", get(faults))
        .route("/api/v1/demo/faults/{fault}", post(switch))
        .with_state(DemoLogIns { visitors, gate })
}

async fn people(
    State(DemoLogIns { visitors, .. }): State<DemoLogIns>,
) -> Result<Json<Vec<Visitor>>, Problem> {
    visitors.get().map(|visitors| Json(visitors.people())).ok_or_else(no_demo)
}

async fn faults(
    State(DemoLogIns { visitors, .. }): State<DemoLogIns>,
) -> Result<Json<Vec<DemoFault>>, Problem> {
    visitors.get().map(|visitors| Json(visitors.faults())).ok_or_else(no_demo)
}

async fn secrets(
    State(DemoLogIns { visitors, .. }): State<DemoLogIns>,
    Path(account): Path<String>,
) -> Result<Json<VisitorSecrets>, Problem> {
    let found = visitors.get().ok_or_else(no_demo)?.secrets(&account);
    found.map(Json).ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "nobody of the demonstration"))
}

/// The body that switches a fault of the demonstration.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Switch {
    /// Whether it is to go wrong.
    on: bool,
}

async fn switch(
    State(DemoLogIns { visitors, .. }): State<DemoLogIns>,
    Path(fault): Path<String>,
    bytes: Bytes,
) -> Result<StatusCode, Problem> {
    let visitors = visitors.get().ok_or_else(no_demo)?;
    let Switch { on } = crate::body::read(&bytes)?;
    visitors.switch(&fault, on).map_err(|why| Problem::new(StatusCode::NOT_FOUND, why))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn begin_drill(State(DemoLogIns { visitors, .. }): State<DemoLogIns>) -> Result<StatusCode, Problem> {
    visitors.get().ok_or_else(no_demo)?.begin_drill().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn log_in(
    State(DemoLogIns { visitors, gate }): State<DemoLogIns>,
    Path(account): Path<String>,
) -> Response {
    let Some(visitors) = visitors.get() else { return no_demo().into_response() };
    match visitors.log_in(&account).await {
        Ok(VisitorSession { token, screen }) => {
            let mut answer = StatusCode::NO_CONTENT.into_response();
            session::set_cookie(&mut answer, &gate, gate.cookie(false), &token, session::VISIT_AGE);
            // Without a screen of its own, whoever comes next is no longer at the screen of the one before.
            let age = if screen.is_some() { session::VISIT_AGE } else { 0 };
            let screen = screen.unwrap_or_default();
            session::set_cookie(&mut answer, &gate, gate.cookie(true), &screen, age);
            answer
        }
        Err(why) => session::refused(&why),
    }
}

fn no_demo() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "this is not the demonstration; GET / lists the paths")
}
