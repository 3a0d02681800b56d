//! Enrolment of gateways: what administrators do, and what gateways ask for.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::response::Response;
use linli_domain::Id;
use serde::Deserialize;
use serde_json::json;

use super::accounts::read;
use super::gate::{From as Address, Who};
use super::{Problem, State, json as answer};
use crate::authority::Signed;
use crate::certificates::{self, Ask, Invited, Refused, Renew, Settings};
use crate::enrolment::{self, Entry, NotEnrolled};

/// For how long a code is valid that is given out at the screens.
const VALID: Duration = Duration::from_secs(24 * 3600);

/// Most characters of a name, and of a telephone number.
const LONGEST: usize = 64;

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let (status, code) = match &refused {
            Refused::NoAuthority => (StatusCode::CONFLICT, "no_authority"),
            Refused::Wrong(_) => (StatusCode::UNAUTHORIZED, "code"),
            Refused::Another(_) => (StatusCode::FORBIDDEN, "claims_another"),
            Refused::Used(_) => (StatusCode::GONE, "used"),
            Refused::Ended(_) => (StatusCode::GONE, "ended"),
            Refused::NotEnrolled(_) => (StatusCode::NOT_FOUND, "not_enrolled"),
            Refused::Void(_) => (StatusCode::FORBIDDEN, "void"),
            Refused::Request(_) => (StatusCode::UNPROCESSABLE_ENTITY, "request"),
            Refused::Wait(_) => (StatusCode::TOO_MANY_REQUESTS, "wait"),
            Refused::NotNow(_) | Refused::Database(_) => (StatusCode::SERVICE_UNAVAILABLE, "not_now"),
        };
        if let Refused::Database(error) = refused {
            return error.into();
        }
        let problem = Self::new(status, refused.zh(), refused.to_string()).code(code);
        match &refused {
            Refused::Wait(left) => problem.wait(left.as_secs().max(1)),
            _ => problem,
        }
    }
}

impl From<NotEnrolled> for Problem {
    fn from(error: NotEnrolled) -> Self {
        match error {
            NotEnrolled::Database(error) => error.into(),
            NotEnrolled::SameUser(other, user) => Self::new(
                StatusCode::CONFLICT,
                format!("{other} 已占用消息服务器用户名 {user}，请换一个编号"),
                format!("{other} has the same user {user} at the broker; take another id"),
            )
            .code("same_user"),
        }
    }
}

fn settings(state: &State) -> Result<&Settings, Refused> {
    state.certificates.as_ref().ok_or(Refused::NoAuthority)
}

/// What gateways trust, for whoever has its fingerprint to compare.
pub async fn authority(Shared(state): Shared<State>) -> Result<Response, Problem> {
    let settings = settings(&state)?;
    Ok(answer(json!({"trust": settings.trust, "fingerprint": settings.fingerprint}).to_string()))
}

/// Gives a gateway its certificate for its code.
pub async fn issue(
    Shared(state): Shared<State>,
    Address(from): Address,
    body: Bytes,
) -> Result<Response, Problem> {
    let ask: Ask = read(&body, "需要 centre、gateway、code、request")?;
    let settings = settings(&state)?;
    let signed = certificates::issue(&state.pool, settings, &ask, &from).await;
    if let Err(error) = &signed {
        tracing::warn!(centre = %ask.centre, gateway = %ask.gateway, from, %error, "a certificate was refused");
    }
    Ok(given(settings, &signed?))
}

/// Gives a gateway its next certificate.
pub async fn renew(
    Shared(state): Shared<State>,
    Address(from): Address,
    body: Bytes,
) -> Result<Response, Problem> {
    let asked: Renew = read(&body, "需要 certificate、request、proof")?;
    let settings = settings(&state)?;
    Ok(given(settings, &certificates::renew(&state.pool, settings, &asked, &from).await?))
}

fn given(settings: &Settings, signed: &Signed) -> Response {
    let Signed { user, chain, until, .. } = signed;
    let Settings { trust, brokers, version, .. } = settings;
    let told = json!({"user": user, "certificate": chain, "trust": trust, "brokers": brokers, "version": version, "until": until});
    answer(told.to_string())
}

/// Every gateway.
pub async fn list(Shared(state): Shared<State>) -> Result<Response, Problem> {
    let gateways = enrolment::list(&state.pool).await?;
    let signs = state.certificates.is_some();
    Ok(answer(format!("{{\"signs\":{signs},\"gateways\":{gateways}}}")))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AddBody {
    centre: String,
    gateway: String,
    name: Option<String>,
    phone: Option<String>,
    /// Latitude and longitude in degrees.
    place: Option<(f64, f64)>,
}

fn id(key: &str, text: &str) -> Result<Id, Problem> {
    Id::new(text).map_err(|error| {
        let zh = format!("{key}：编号须由小写字母、数字、-、_、. 组成");
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, zh, format!("{key}: {text:?} {error}")).code("name")
    })
}

/// Enrols a gateway; gives out its code where certificates are signed.
pub async fn add(Shared(state): Shared<State>, Who(person): Who, body: Bytes) -> Result<Response, Problem> {
    let AddBody { centre, gateway, name, phone, place } = read(&body, "需要 centre、gateway")?;
    let unprocessable =
        |zh: &str, en: &str, code| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, zh, en).code(code);
    if [&name, &phone].into_iter().flatten().any(|text| text.chars().count() > LONGEST || text.contains('\0'))
    {
        return Err(unprocessable(
            "名称和电话最多 64 字",
            "name and phone have at most 64 characters",
            "name",
        ));
    }
    if place.is_some_and(|(lat, lon)| !(-90.0..=90.0).contains(&lat) || !(-180.0..=180.0).contains(&lon)) {
        let en = "a place is a latitude of -90 to 90 and a longitude of -180 to 180";
        return Err(unprocessable("位置为纬度 -90 至 90、经度 -180 至 180", en, "place"));
    }
    let some = |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let (centre, gateway) = (id("centre", &centre)?, id("gateway", &gateway)?);
    let entry = Entry { centre, gateway, name: some(name), phone: some(phone), place };
    let by = person.account.as_str();
    enrolment::add(&state.pool, &entry, by).await?;
    if state.certificates.is_none() {
        return Ok(answer(
            json!({"centre": entry.centre, "gateway": entry.gateway, "code": null}).to_string(),
        ));
    }
    invited(&state, (&entry.centre, &entry.gateway), by).await
}

/// Gives out a code; an earlier one is void.
pub async fn code(
    Shared(state): Shared<State>,
    Who(person): Who,
    Path((centre, gateway)): Path<(String, String)>,
) -> Result<Response, Problem> {
    settings(&state)?;
    let (centre, gateway) = (id("centre", &centre)?, id("gateway", &gateway)?);
    invited(&state, (&centre, &gateway), person.account.as_str()).await
}

async fn invited(state: &State, of: (&Id, &Id), by: &str) -> Result<Response, Problem> {
    let settings = settings(state)?;
    let Invited { code, until } = certificates::invite(&state.pool, of, VALID, by).await?;
    let command = settings.command(&code);
    Ok(answer(
        json!({"centre": of.0, "gateway": of.1, "code": code, "until": until, "command": command,
            "fingerprint": settings.fingerprint})
        .to_string(),
    ))
}

/// Hears a gateway no more.
pub async fn revoke(
    Shared(state): Shared<State>,
    Who(person): Who,
    Path((centre, gateway)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let (centre, gateway) = (id("centre", &centre)?, id("gateway", &gateway)?);
    match enrolment::revoke(&state.pool, &centre, &gateway, person.account.as_str()).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Refused::NotEnrolled(format!("{centre}/{gateway}")).into()),
    }
}
