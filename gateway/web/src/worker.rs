//! Authentication: a worker with a token on the network, a user of this machine on the control socket.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use linli_domain::caller::Caller;
use linli_listen::UnixPeer;
use ring::digest::{SHA256, digest};
use tokio::sync::watch;

use super::Problem;
use linli_config::Worker;

/// Delay of the answer to a wrong token, which slows guessing.
const WRONG_TOKEN_DELAY: Duration = Duration::from_millis(500);

/// Workers of the current configuration.
pub type Workers = watch::Receiver<Arc<Vec<Worker>>>;

/// The caller, as the audit names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who(pub Caller);

// === impl Who ===

impl<S: Sync> FromRequestParts<S> for Who {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let missing = "this needs a health worker's token: send \"Authorization: Bearer TOKEN\" ([[worker]] in gateway.toml)";
        parts.extensions.get::<Self>().cloned().ok_or_else(|| Problem::new(StatusCode::UNAUTHORIZED, missing))
    }
}

/// Authenticates callers on the network: a token names a worker. A wrong token is refused; without one the
/// caller has no account, which some routes accept.
pub async fn by_token(State(workers): State<Workers>, mut request: Request, next: Next) -> Response {
    let Some(header) = request.headers().get(AUTHORIZATION) else { return next.run(request).await };
    let token = header.to_str().ok().and_then(|header| header.strip_prefix("Bearer "));
    // Hashes are compared, so the time of the comparison reveals nothing about the token.
    let hashed = token.map(|token| digest(&SHA256, token.trim().as_bytes()));
    let name = hashed.and_then(|hashed| {
        let workers = workers.borrow();
        workers.iter().find(|worker| worker.token == hashed.as_ref()).map(|worker| worker.name.to_string())
    });
    let Some(name) = name else {
        tokio::time::sleep(WRONG_TOKEN_DELAY).await;
        return Problem::new(StatusCode::UNAUTHORIZED, "this token belongs to no worker").into_response();
    };
    request.extensions_mut().insert(Who(Caller::with_token(name)));
    next.run(request).await
}

/// Authenticates callers on the control socket by their user id.
pub async fn by_user(ConnectInfo(peer): ConnectInfo<UnixPeer>, mut request: Request, next: Next) -> Response {
    let name = peer.uid.map_or_else(|| "local".to_owned(), |uid| format!("local:{uid}"));
    request.extensions_mut().insert(Who(Caller::local(name)));
    next.run(request).await
}
