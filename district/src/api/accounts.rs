//! Logging in and out, setting up an account, and managing accounts.

use axum::body::Bytes;
use axum::extract::{Path, State as Shared};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use linli_domain::Id;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::gate::{From as Address, Who};
use super::{Problem, State, json as answer};
use crate::accounts::{self, AccountError, CODE_VALID_MS, Issued, LogIn, Permission, Person, Role};

/// Name of the district in authenticators.
const ISSUER: &str = "district";

/// Seconds a browser keeps the cookie: as long as a session lasts at most.
const COOKIE_S: u64 = 12 * 3600;

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        let (status, code) = match &error {
            AccountError::Wrong => (StatusCode::UNAUTHORIZED, "wrong"),
            AccountError::Code => (StatusCode::UNAUTHORIZED, "code"),
            AccountError::Wait(_) => (StatusCode::TOO_MANY_REQUESTS, "wait"),
            AccountError::Weak(_) => (StatusCode::UNPROCESSABLE_ENTITY, "weak"),
            AccountError::NoRole => (StatusCode::UNPROCESSABLE_ENTITY, "role"),
            AccountError::Known(_) => (StatusCode::CONFLICT, "known"),
            AccountError::LastAdministrator(_) => (StatusCode::CONFLICT, "last_administrator"),
            AccountError::Unknown(_) => (StatusCode::NOT_FOUND, "account"),
            AccountError::Busy | AccountError::NotNow(_) => (StatusCode::SERVICE_UNAVAILABLE, "not_now"),
            AccountError::Database(_) => (StatusCode::SERVICE_UNAVAILABLE, "database"),
        };
        if let AccountError::Database(error) = error {
            return error.into();
        }
        let mut problem = Self::new(status, error.zh(), error.to_string()).code(code);
        if let AccountError::Wait(left) = &error {
            problem = problem.wait(left.as_secs().max(1));
        }
        problem
    }
}

/// Reads a body.
pub fn read<T: DeserializeOwned>(body: &[u8], zh: &str) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| {
        // What was sent may be a secret: its place is told, not its text.
        let en = format!("the body is not as it should be, line {} column {}", error.line(), error.column());
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, zh, en).code("body")
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogInBody {
    account: String,
    password: String,
    code: String,
}

/// Logs in.
pub async fn log_in(
    Shared(state): Shared<State>,
    Address(from): Address,
    body: Bytes,
) -> Result<Response, Problem> {
    let LogInBody { account, password, code } = read(&body, "需要 account、password、code")?;
    let log_in = LogIn { account, password, code: code.split_whitespace().collect() };
    let opened = state.log_ins.log_in(&state.pool, log_in, &from).await?;
    let mut answer = session(&opened.person);
    set_cookie(&mut answer, &state, &opened.token, COOKIE_S);
    Ok(answer)
}

/// Who is logged in.
pub async fn who(Who(person): Who) -> Response {
    session(&person)
}

fn session(person: &Person) -> Response {
    let may = Permission::of(&person.roles);
    answer(
        json!({"account": person.account, "name": person.name, "roles": person.roles, "permissions": may, "may": may,
            "since": person.session_times.0, "until": person.session_times.1})
        .to_string(),
    )
}

/// Logs out.
pub async fn log_out(Shared(state): Shared<State>, Who(person): Who) -> Result<Response, Problem> {
    accounts::log_out(&state.pool, &person).await?;
    let mut answer = StatusCode::NO_CONTENT.into_response();
    set_cookie(&mut answer, &state, "", 0);
    Ok(answer)
}

fn set_cookie(answer: &mut Response, state: &State, value: &str, seconds: u64) {
    let (name, secure) = (state.cookie(), if state.is_tls { "; Secure" } else { "" });
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
    if let Ok(value) = HeaderValue::from_str(&text) {
        answer.headers_mut().append(SET_COOKIE, value);
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EnrolBody {
    account: String,
    code: String,
    password: String,
}

/// Sets up an account with its code.
pub async fn enrol(
    Shared(state): Shared<State>,
    Address(from): Address,
    body: Bytes,
) -> Result<Response, Problem> {
    let EnrolBody { account, code, password } = read(&body, "需要 account、code、password")?;
    let totp = accounts::enrol(&state.pool, &state.log_ins, (&account, &code), password, &from).await?;
    Ok(answer(json!({"totp": totp.secret(), "uri": totp.uri(ISSUER, &account)}).to_string()))
}

/// Every account.
pub async fn list(Shared(state): Shared<State>) -> Result<Response, Problem> {
    Ok(answer(Value::Array(accounts::list(&state.pool).await?).to_string()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AddBody {
    id: String,
    name: String,
    roles: Vec<String>,
}

fn id(text: &str) -> Result<Id, Problem> {
    Id::new(text).map_err(|error| {
        let zh = "账号须由小写字母、数字、-、_、. 组成";
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, zh, format!("the account {text:?} {error}"))
            .code("name")
    })
}

fn issued(issued: &Issued) -> Response {
    let until = jiff::Timestamp::now().as_millisecond() + CODE_VALID_MS;
    answer(json!({"id": issued.account, "code": issued.code, "until": until}).to_string())
}

/// Adds an account.
pub async fn add(Shared(state): Shared<State>, Who(person): Who, body: Bytes) -> Result<Response, Problem> {
    let AddBody { id: text, name, roles } = read(&body, "需要 id、name、roles")?;
    let roles: Result<Vec<Role>, _> = roles.iter().map(|role| role.parse()).collect();
    let roles = roles.map_err(|error| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "没有这个角色", error.to_string()).code("role")
    })?;
    if name.chars().count() > 64 || name.contains('\0') {
        let en = "a name has at most 64 characters";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "姓名最多 64 字", en).code("name"));
    }
    Ok(issued(&accounts::add(&state.pool, &id(&text)?, &name, &roles, person.account.as_str()).await?))
}

/// Forgets an account's secrets.
pub async fn reset(
    Shared(state): Shared<State>,
    Who(person): Who,
    Path(account): Path<String>,
) -> Result<Response, Problem> {
    Ok(issued(&accounts::reset(&state.pool, &id(&account)?, person.account.as_str()).await?))
}

/// Switches an account off.
pub async fn disable(state: Shared<State>, who: Who, account: Path<String>) -> Result<StatusCode, Problem> {
    set_disabled(state, who, account, true).await
}

/// Switches an account on.
pub async fn enable(state: Shared<State>, who: Who, account: Path<String>) -> Result<StatusCode, Problem> {
    set_disabled(state, who, account, false).await
}

async fn set_disabled(
    Shared(state): Shared<State>,
    Who(person): Who,
    Path(account): Path<String>,
    is_disabled: bool,
) -> Result<StatusCode, Problem> {
    accounts::set_disabled(&state.pool, &id(&account)?, is_disabled, person.account.as_str()).await?;
    Ok(StatusCode::NO_CONTENT)
}
