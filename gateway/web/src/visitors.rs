//! Log-ins of the demonstration: whoever tries linli becomes one of its people by a click. A real gateway has none,
//! and answers 404.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use linli_accounts::AccountError;
use serde::Serialize;

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

/// What opens them.
pub trait VisitorLogIn: Send + Sync {
    /// The people.
    fn people(&self) -> Vec<Visitor>;
    /// Logs in as one of them.
    fn log_in<'a>(
        &'a self,
        account: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<VisitorSession, AccountError>> + Send + 'a>>;
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
        .with_state(DemoLogIns { visitors, gate })
}

async fn people(
    State(DemoLogIns { visitors, .. }): State<DemoLogIns>,
) -> Result<Json<Vec<Visitor>>, Problem> {
    visitors.get().map(|visitors| Json(visitors.people())).ok_or_else(no_demo)
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
