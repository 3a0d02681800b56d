//! The gate before every route: who asks, and may they? One table decides ([`super::permission`]).
//!
//! Also what the page of another site must not make a browser do: a request across sites, a body that is a form.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts, Request, State as Shared};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, ORIGIN, TRANSFER_ENCODING};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::permission::{Needs, needs};
use super::{Problem, State};
use crate::accounts::{self, Person};

/// Header of requests that a page makes by itself: they keep no session from idling.
const UNATTENDED: &str = "linli-unattended";

/// The address of a request, for records and delays.
#[derive(Debug, Clone)]
pub struct From(pub String);

/// Whoever is logged in.
pub struct Who(pub Person);

// === impl Who ===

impl<S: Sync> FromRequestParts<S> for Who {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Person>().cloned().map(Self).ok_or_else(not_logged_in)
    }
}

// === impl From ===

impl<S: Sync> FromRequestParts<S> for From {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self(address(parts)))
    }
}

/// Address of the peer. All IPv6 addresses of one network (/64) are those of one peer.
fn address(parts: &Parts) -> String {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    match peer.map(|ConnectInfo(peer)| peer.ip().to_canonical()) {
        None => "unknown".to_owned(),
        Some(IpAddr::V6(address)) if !address.is_loopback() => {
            let network: IpAddr = IpAddr::V6((u128::from(address) >> 64 << 64).into());
            network.to_string()
        }
        Some(address) => address.to_string(),
    }
}

fn not_logged_in() -> Problem {
    let en = "this needs a log-in: POST /api/v1/session";
    Problem::new(StatusCode::UNAUTHORIZED, "请登录", en).code("log_in")
}

/// The middleware of all routes.
pub async fn enter(Shared(state): Shared<State>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let Some(needed) = needs(request.method().as_str(), path) else {
        // An address of a view, which exists in the browser only, or nothing.
        if !path.starts_with("/api") {
            return next.run(request).await;
        }
        let en = "there is no such route";
        return Problem::new(StatusCode::NOT_FOUND, "没有这个地址", en).code("route").into_response();
    };
    if let Err(problem) = is_of_this_site(&request).and_then(|()| is_no_form(request.headers())) {
        return problem.into_response();
    }
    if needed == Needs::Nothing {
        return next.run(request).await;
    }
    let is_attended = !request.headers().contains_key(UNATTENDED);
    let person = match cookie(request.headers(), state.cookie()) {
        Some(token) => accounts::person(&state.pool, &token, is_attended).await,
        None => Ok(None),
    };
    match person {
        Err(error) => Problem::from(error).into_response(),
        Ok(None) => not_logged_in().into_response(),
        Ok(Some(person)) if !needed.is_met(Some(&person.roles)) => forbidden(&person, needed).into_response(),
        Ok(Some(person)) => {
            request.extensions_mut().insert(person);
            next.run(request).await
        }
    }
}

fn forbidden(person: &Person, needed: Needs) -> Problem {
    let words: Vec<&str> = match needed {
        Needs::May(permission) => permission.roles().iter().map(|role| role.as_str()).collect(),
        Needs::Nothing => Vec::new(),
    };
    let (words, account) = (words.join(", "), &person.account);
    let zh = format!("{account} 无权；须有角色 {words}");
    let en = format!("{account} may not; one of these roles may: {words}");
    Problem::new(StatusCode::FORBIDDEN, zh, en).code("forbidden")
}

/// The value of a cookie.
fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|header| header.to_str().ok());
    let mut pairs =
        cookies.flat_map(|header| header.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}

/// Refuses what the page of another site makes a browser send.
fn is_of_this_site(request: &Request) -> Result<(), Problem> {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return Ok(());
    }
    let headers = request.headers();
    let text = |header: Option<&axum::http::HeaderValue>| {
        header.and_then(|value| value.to_str().ok().map(str::to_owned))
    };
    let host =
        text(headers.get(HOST)).or_else(|| request.uri().authority().map(|host| host.as_str().to_owned()));
    let is_same = match (text(headers.get("sec-fetch-site")), headers.get(ORIGIN)) {
        (Some(site), _) => site == "same-origin" || site == "none",
        (None, Some(origin)) => {
            let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
            origin.is_some_and(|(_, of)| host.is_some_and(|host| of.eq_ignore_ascii_case(&host)))
        }
        // No browser: it has no cookie of somebody else.
        (None, None) => true,
    };
    match is_same {
        true => Ok(()),
        false => {
            let en = "a request from the page of another site is refused";
            Err(Problem::new(StatusCode::FORBIDDEN, "跨站请求被拒绝", en).code("other_site"))
        }
    }
}

/// Refuses a body that the form of another site's page can make.
fn is_no_form(headers: &HeaderMap) -> Result<(), Problem> {
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()).unwrap_or("0");
    if length == "0" && !headers.contains_key(TRANSFER_ENCODING) {
        return Ok(());
    }
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    match kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        true => Ok(()),
        false => {
            let en = "a body needs \"Content-Type: application/json\"";
            Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "须为 JSON", en).code("json"))
        }
    }
}
