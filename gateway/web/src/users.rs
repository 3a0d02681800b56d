//! Managing accounts, enrolled screens and break-glass codes.

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use linli_accounts::rules::role::Role;
use linli_accounts::{Accounts, Answer, Manage, SecurityEvent};
use linli_domain::Id;
use linli_services::audit_log::entries_after;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::read;
use super::openapi::schema;
use super::page;
use super::session::refused;
use super::{Problem, Who};
use crate::gate::Origin;

/// Lines of the record given at a time.
const MOST: u32 = 1000;

/// Reaches the accounts, the people of the configuration, and the record.
#[derive(Clone)]
pub struct Users {
    /// The account service.
    pub accounts: Accounts,
    /// Ids of the people and rooms of facility.toml.
    pub known: super::KnownPlaces,
    /// The record.
    pub store: linli_store::Documents,
}

/// Routes of accounts.
pub fn router(users: Users) -> Router {
    Router::new()
        .route("/api/v1/users", get(list).post(add))
        .route("/api/v1/users/record", get(record))
        .route("/api/v1/users/{account}/reset", post(reset))
        .route("/api/v1/users/{account}/disable", post(disable))
        .route("/api/v1/users/{account}/enable", post(enable))
        .route("/api/v1/screens", post(screen))
        .route("/api/v1/screens/{screen}", delete(remove_screen))
        .route("/api/v1/break-glass", post(seal))
        .with_state(users)
}

/// A new account.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewAccount")]
pub struct Add {
    #[schemars(with = "schema::Id")]
    account: String,
    #[schemars(with = "Vec<schema::RoleOfPeople>", length(min = 1))]
    roles: Vec<String>,
    /// The `[[person]]` of facility.toml that it belongs to; without it the one of the same id.
    #[schemars(with = "Option<schema::Id>")]
    person: Option<String>,
}

/// A screen to be enrolled.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewScreen {
    #[schemars(with = "schema::Id")]
    screen: String,
    #[schemars(with = "schema::Id")]
    room: String,
    /// Views that it shows.
    #[serde(default)]
    #[schemars(length(max = 16), inner(regex(pattern = "^[a-z_]{1,32}$")))]
    views: Vec<String>,
}

/// How many sealed codes.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    #[schemars(range(min = 1, max = 16))]
    count: usize,
}

/// Which accounts.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UsersQuery {
    /// Accounts of a page, at most 1000, which is also without it.
    limit: Option<u32>,
    /// Where the page begins: from the header Link of the one before.
    #[schemars(with = "Option<schema::Id>")]
    next: Option<String>,
}

/// Where to begin.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// Number of the first entry.
    #[serde(default)]
    from: u64,
}

async fn list(
    State(users): State<Users>,
    Origin(from): Origin,
    uri: Uri,
    Query(which): Query<UsersQuery>,
) -> Result<Response, Problem> {
    let after = which.next.as_deref().map(Id::new).transpose().map_err(|_| page::wrong())?;
    let mut list = match users.accounts.list(&from).await {
        Ok(list) => list,
        Err(why) => return Ok(refused(&why)),
    };
    let limit = which.limit.unwrap_or(MOST).clamp(1, MOST) as usize;
    let next = list["accounts"].as_array_mut().and_then(|all| page_of(all, after.as_ref(), limit));
    Ok(page::with_next(&uri, next.as_ref(), Json(list).into_response()))
}

/// Leaves the accounts of one page, which are in the order of their ids; returns the last if there are more.
fn page_of(accounts: &mut Vec<Value>, after: Option<&Id>, limit: usize) -> Option<String> {
    let id = |account: &Value| account["account"].as_str().unwrap_or_default().to_owned();
    accounts.retain(|account| after.is_none_or(|after| id(account).as_str() > after.as_str()));
    let is_more = accounts.len() > limit;
    accounts.truncate(limit);
    accounts.last().map(id).filter(|_| is_more)
}

async fn add(State(users): State<Users>, Origin(from): Origin, who: Who, body: Bytes) -> Response {
    match users.added(&body) {
        Ok(what) => users.manage(what, &who, &from).await,
        Err(problem) => problem.into_response(),
    }
}

async fn reset(
    State(users): State<Users>,
    Origin(from): Origin,
    who: Who,
    Path(account): Path<String>,
) -> Response {
    users.manage_one(&account, Manage::Reset, &who, &from).await
}

async fn disable(
    State(users): State<Users>,
    Origin(from): Origin,
    who: Who,
    Path(account): Path<String>,
) -> Response {
    users.manage_one(&account, Manage::Disable, &who, &from).await
}

async fn enable(
    State(users): State<Users>,
    Origin(from): Origin,
    who: Who,
    Path(account): Path<String>,
) -> Response {
    users.manage_one(&account, Manage::Enable, &who, &from).await
}

async fn screen(State(users): State<Users>, Origin(from): Origin, who: Who, body: Bytes) -> Response {
    match users.screen(&body) {
        Ok(what) => users.manage(what, &who, &from).await,
        Err(problem) => problem.into_response(),
    }
}

async fn remove_screen(
    State(users): State<Users>,
    Origin(from): Origin,
    who: Who,
    Path(screen): Path<String>,
) -> Response {
    users.manage_one(&screen, Manage::RemoveScreen, &who, &from).await
}

async fn seal(State(users): State<Users>, Origin(from): Origin, who: Who, body: Bytes) -> Response {
    match read(&body) {
        Ok(Seal { count }) => users.manage(Manage::Seal(count), &who, &from).await,
        Err(problem) => problem.into_response(),
    }
}

/// Lines as they were written, each followed by a line feed.
async fn record(_: Who, State(users): State<Users>, Query(which): Query<Which>) -> Result<Response, Problem> {
    let after = which.from.checked_sub(1);
    let lines = entries_after::<SecurityEvent>(&users.store, after, MOST).await;
    let lines = lines.map_err(|error| Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()))?;
    let text: String = lines.into_iter().map(|line| line + "\n").collect();
    Ok(([(CONTENT_TYPE, "application/jsonl")], text).into_response())
}

// === impl Users ===

impl Users {
    fn added(&self, body: &Bytes) -> Result<Manage, Problem> {
        let Add { account, roles, person } = read(body)?;
        let roles = roles.iter().map(|word| word.parse::<Role>()).collect::<Result<Vec<_>, _>>();
        let roles = roles.map_err(|unknown| wrong(unknown.to_string()))?;
        let id = id("account", &account)?;
        // An account that has the name of a person belongs to that person.
        let people = self.known.borrow().people.clone();
        let person = match person {
            Some(person) => Some(self::id("person", &person)?),
            None => people.contains(&id).then(|| id.clone()),
        };
        if let Some(unknown) = person.as_ref().filter(|person| !people.contains(*person)) {
            let known: Vec<&str> = people.iter().map(Id::as_str).collect();
            return Err(wrong(format!(
                "{unknown} is no [[person]] of facility.toml; people are: {}",
                known.join(", ")
            )));
        }
        Ok(Manage::Add { id, person, roles })
    }

    fn screen(&self, body: &Bytes) -> Result<Manage, Problem> {
        let NewScreen { screen, room, views } = read(body)?;
        let (id, room) = (id("screen", &screen)?, id("room", &room)?);
        let rooms = self.known.borrow().rooms.clone();
        if !rooms.contains(&room) {
            let known: Vec<&str> = rooms.iter().map(Id::as_str).collect();
            return Err(wrong(format!(
                "{room} is no [[room]] of facility.toml; rooms are: {}",
                known.join(", ")
            )));
        }
        let is_word = |view: &String| {
            !view.is_empty()
                && view.len() <= 32
                && view.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        };
        if views.len() > 16 || !views.iter().all(is_word) {
            return Err(wrong("views: at most 16 words of small letters".to_owned()));
        }
        Ok(Manage::Screen { id, room, views })
    }

    async fn manage_one(&self, name: &str, what: impl Fn(Id) -> Manage, who: &Who, from: &str) -> Response {
        match Id::new(name) {
            Ok(id) => self.manage(what(id), who, from).await,
            Err(_) => Problem::new(StatusCode::NOT_FOUND, "没有此账号 there is no such account or screen")
                .into_response(),
        }
    }

    async fn manage(&self, what: Manage, who: &Who, from: &str) -> Response {
        match self.accounts.manage(what, &who.0, from).await {
            Ok(Answer::Code(code, of)) => {
                (StatusCode::CREATED, Json(json!({"for": of, "code": code}))).into_response()
            }
            Ok(Answer::Codes(codes)) => (StatusCode::CREATED, Json(json!({"codes": codes}))).into_response(),
            Ok(_) => StatusCode::NO_CONTENT.into_response(),
            Err(why) => refused(&why),
        }
    }
}

fn id(what: &str, text: &str) -> Result<Id, Problem> {
    Id::new(text).map_err(|error| wrong(format!("{what}: {error}")))
}

fn wrong(why: String) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, why)
}
