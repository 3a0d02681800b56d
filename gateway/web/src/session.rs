//! Logging in and out, setting up an account, enrolling a screen.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use linli_accounts::rules::account::Enrolled;
use linli_accounts::rules::permission::Permission;
use linli_accounts::{AccountError, Claim, Opened};
use qrcode::{Color, QrCode};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Problem;
use super::body::read_secret;
use crate::gate::{Gate, Origin, Principal};

/// How long a browser keeps the token of a screen.
const SCREEN_AGE: u64 = 400 * 86_400;

/// How long a browser keeps a log-in of the demonstration.
pub const VISIT_AGE: u64 = 12 * 3600;

/// A gate and the centre's id, which authenticators show.
#[derive(Clone)]
pub struct Sessions {
    /// The gate.
    pub gate: Gate,
    /// Id of the centre.
    pub centre: String,
}

/// Routes of log-ins.
pub fn router(sessions: Sessions) -> Router {
    Router::new()
        .route("/api/v1/session", get(who).post(log_in).delete(log_out))
        .route("/api/v1/session/enrol", post(enrol))
        .route("/api/v1/session/break-glass", post(break_glass))
        .route("/api/v1/session/screen", post(enrol_screen))
        .route("/api/v1/session/renew", post(renew))
        .route("/api/v1/session/lock", post(lock))
        .with_state(sessions)
}

/// The body of a log-in: account, password and one-time code; or badge and PIN at an enrolled screen.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogIn {
    account: Option<String>,
    password: Option<String>,
    code: Option<String>,
    badge: Option<String>,
    pin: Option<String>,
}

/// The body that sets up an account: its enrolment code, and the password or PIN that its person chooses.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Enrol {
    account: String,
    /// The enrolment code.
    code: String,
    /// A password of 12 to 128 characters, or a PIN of 6 to 12 digits.
    #[schemars(length(min = 6, max = 128))]
    secret: String,
}

/// The body with a code that counts once.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// The code.
    code: String,
}

/// The body with the password or PIN of whoever is logged in.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Secret {
    /// The password or PIN.
    secret: String,
}

async fn who(principal: Principal) -> Json<Value> {
    Json(json!({
        "account": principal.caller.account, "person": principal.caller.person, "roles": principal.roles,
        "login": principal.caller.login, "screen": principal.screen, "locked": principal.is_locked,
        "may": Permission::ALL.into_iter().filter(|permission| principal.may(*permission)).collect::<Vec<_>>(),
    }))
}

async fn log_in(
    State(Sessions { gate, .. }): State<Sessions>,
    Origin(from): Origin,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (claim, secret, code) = match claim(&gate, &headers, &body) {
        Ok(claim) => claim,
        Err(problem) => return problem.into_response(),
    };
    match gate.accounts.log_in(claim, secret, code, &from).await {
        Ok(Some(opened)) => logged_in(&gate, &opened),
        Ok(None) => refused(&AccountError::Wrong),
        Err(why) => refused(&why),
    }
}

type LogInParts = (Claim, String, Option<String>);

fn claim(gate: &Gate, headers: &HeaderMap, body: &Bytes) -> Result<LogInParts, Problem> {
    let wrong = |why: &str| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, why);
    match read_secret::<LogIn>(body)? {
        LogIn { account: Some(account), password: Some(password), code, badge: None, pin: None } => {
            Ok((Claim::Account(account), password, code))
        }
        LogIn { badge: Some(badge), pin: Some(pin), account: None, password: None, code: None } => {
            let token = super::gate::cookie_of(headers, gate.cookie(true));
            let screen = token.and_then(|token| gate.accounts.access.screen(&token)).ok_or_else(|| {
                let why = "工牌只能在已登记的屏幕上使用 a badge and PIN log in at an enrolled screen only: `linli users enrol-screen`";
                Problem::new(StatusCode::FORBIDDEN, why)
            })?;
            Ok((Claim::Badge(badge, screen.id), pin, None))
        }
        _ => Err(wrong(
            "it needs {\"account\", \"password\", \"code\"}, or {\"badge\", \"pin\"} at an enrolled screen",
        )),
    }
}

async fn log_out(
    State(Sessions { gate, .. }): State<Sessions>,
    Origin(from): Origin,
    principal: Principal,
) -> Response {
    if let Some(session) = &principal.session
        && let Err(why) = gate.accounts.end(&session.session.hash, &from).await
    {
        return refused(&why);
    }
    let mut answer = StatusCode::NO_CONTENT.into_response();
    set_cookie(&mut answer, &gate, gate.cookie(false), "", 0);
    answer
}

async fn enrol(State(sessions): State<Sessions>, Origin(from): Origin, body: Bytes) -> Response {
    let Enrol { account, code, secret } = match read_secret(&body) {
        Ok(body) => body,
        Err(problem) => return problem.into_response(),
    };
    match sessions.gate.accounts.enrol(&account, &code, secret, &from).await {
        Ok(Enrolled::Totp(totp)) => Json(json!({
            "account": account, "totp": totp.secret(), "uri": totp.uri(&sessions.centre, &account),
            "qr": squares(&totp.uri(&sessions.centre, &account)),
        }))
        .into_response(),
        Ok(Enrolled::Badge(badge)) => {
            Json(json!({"account": account, "badge": badge, "qr": squares(&badge)})).into_response()
        }
        Err(why) => refused(&why),
    }
}

/// The rows of a QR code, a digit for each square, 1 is dark; empty where a text is too long for one.
pub(super) fn squares(text: &str) -> Vec<String> {
    let Ok(code) = QrCode::new(text) else { return Vec::new() };
    let squares = code.to_colors();
    let digit = |color: &Color| if *color == Color::Dark { '1' } else { '0' };
    squares.chunks(code.width()).map(|row| row.iter().map(digit).collect()).collect()
}

async fn enrol_screen(
    State(Sessions { gate, .. }): State<Sessions>,
    Origin(from): Origin,
    body: Bytes,
) -> Response {
    let Code { code } = match read_secret(&body) {
        Ok(body) => body,
        Err(problem) => return problem.into_response(),
    };
    match gate.accounts.enrol_screen(&code, &from).await {
        Ok((token, screen)) => {
            let mut answer = Json(json!({"screen": screen})).into_response();
            set_cookie(&mut answer, &gate, gate.cookie(true), &token, SCREEN_AGE);
            answer
        }
        Err(why) => refused(&why),
    }
}

async fn break_glass(
    State(Sessions { gate, .. }): State<Sessions>,
    Origin(from): Origin,
    body: Bytes,
) -> Response {
    let Code { code } = match read_secret(&body) {
        Ok(body) => body,
        Err(problem) => return problem.into_response(),
    };
    match gate.accounts.break_glass(&code, &from).await {
        Ok(opened) => logged_in(&gate, &opened),
        Err(why) => refused(&why),
    }
}

/// The password or PIN again: unlocks a screen, and counts for the next act that needs two persons.
async fn renew(
    State(Sessions { gate, .. }): State<Sessions>,
    Origin(from): Origin,
    principal: Principal,
    body: Bytes,
) -> Response {
    let Some(session) = &principal.session else {
        let why = "this account has no session: a program with a token, or a user of this machine";
        return Problem::new(StatusCode::CONFLICT, why).into_response();
    };
    let Secret { secret } = match read_secret(&body) {
        Ok(body) => body,
        Err(problem) => return problem.into_response(),
    };
    let claim = Claim::Session(session.session.hash.clone());
    match gate.accounts.log_in(claim, secret, None, &from).await {
        Ok(_) => StatusCode::NO_CONTENT.into_response(),
        Err(why) => refused(&why),
    }
}

async fn lock(principal: Principal) -> Result<StatusCode, Problem> {
    match principal.session.filter(|session| session.session.screen.is_some()) {
        Some(session) => {
            session.lock();
            Ok(StatusCode::NO_CONTENT)
        }
        None => Err(Problem::new(
            StatusCode::CONFLICT,
            "only a session at an enrolled screen is locked; DELETE /api/v1/session ends one",
        )),
    }
}

fn logged_in(gate: &Gate, opened: &Opened) -> Response {
    let seconds = opened.longest.as_secs();
    let mut answer = Json(json!({
        "account": opened.account, "roles": opened.roles, "login": opened.login, "longest_s": seconds,
    }))
    .into_response();
    set_cookie(&mut answer, gate, gate.cookie(false), &opened.token, seconds);
    answer
}

/// Adds a cookie to an answer; 0 seconds remove it.
pub fn set_cookie(answer: &mut Response, gate: &Gate, name: &str, value: &str, seconds: u64) {
    let secure = if gate.listener.is_tls() { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
    if let Ok(value) = HeaderValue::from_str(&text) {
        answer.headers_mut().append(SET_COOKIE, value);
    }
}

/// The answer to what the account service refused.
pub fn refused(why: &AccountError) -> Response {
    let status = match why {
        AccountError::Wrong | AccountError::Code => StatusCode::UNAUTHORIZED,
        AccountError::Wait(_) => StatusCode::TOO_MANY_REQUESTS,
        AccountError::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        AccountError::Unknown(_) => StatusCode::NOT_FOUND,
        AccountError::Conflict(_) => StatusCode::CONFLICT,
        AccountError::NotNow(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    let mut answer = Problem::new(status, why.to_string()).into_response();
    if let AccountError::Wait(left) = why {
        let seconds = left.as_secs().max(1).to_string();
        if let Ok(seconds) = HeaderValue::from_str(&seconds) {
            answer.headers_mut().insert(RETRY_AFTER, seconds);
        }
    }
    answer
}
