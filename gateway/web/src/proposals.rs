//! Outlines that a technician draws on the map: kept as a proposal for facility.toml in the data directory, after the whole
//! configuration was checked with it. A person applies it on the machine (`linli proposal apply`).

use std::path::{Path, PathBuf};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use linli_accounts::Accounts;
use linli_config::files;
use linli_config::proposal::{About, FOLDER, Proposal, ProposedRoom};
use linli_domain::Id;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::body::read;
use super::technician::{CheckRequest, Workbench, not_now};
use super::{Problem, Who};

/// Most that are kept: whoever draws more, applies or removes some first.
const MOST: usize = 100;

/// What the routes reach.
#[derive(Clone)]
pub struct Drawings {
    /// The check of the main loop, and the place of the database.
    pub workbench: Workbench,
    /// Where it is put on record who kept one.
    pub accounts: Accounts,
}

/// Routes of proposals.
pub fn router(drawings: Drawings) -> Router {
    Router::new().route("/api/v1/centre/proposals", get(list).post(keep)).with_state(drawings)
}

/// Outlines, and what they are called.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Drawing {
    /// What the change is called, such as "a new wall in the hall".
    #[schemars(length(min = 1, max = 80), regex(pattern = super::openapi::schema::ONE_LINE))]
    name: String,
    /// The rooms that are drawn anew.
    #[schemars(length(min = 1, max = 500))]
    rooms: Vec<DrawnRoom>,
}

/// The outline of a room.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DrawnRoom {
    /// The room.
    #[schemars(with = "super::openapi::schema::Id")]
    room: Id,
    /// Its floor.
    #[schemars(range(min = -9, max = 99))]
    floor: i8,
    /// Its corners, metres.
    outline: Vec<(f64, f64)>,
}

/// The folder on this machine.
fn folder(workbench: &Workbench) -> PathBuf {
    let parent = workbench.status.database.parent().unwrap_or(Path::new("."));
    // As people would type it, without `..`.
    parent.canonicalize().unwrap_or_else(|_| parent.to_owned()).join(FOLDER)
}

async fn keep(
    who: Who,
    State(Drawings { workbench, accounts }): State<Drawings>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let Drawing { name, rooms } = read(&body)?;
    let room = |DrawnRoom { room, floor, outline }| ProposedRoom {
        id: room,
        floor,
        outline: outline.into_iter().map(|(east, south)| [east, south]).collect(),
    };
    let by = who.0.person.as_ref().map_or_else(|| who.0.account.clone(), ToString::to_string);
    let at = jiff::Timestamp::now().round(jiff::Unit::Second).unwrap_or_default();
    let about = About { name: name.trim().to_owned(), by: by.clone(), at: at.to_string() };
    let proposal = Proposal { proposal: about, room: rooms.into_iter().map(room).collect() };
    let wrong = |why: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, why);
    if let Some(why) = proposal.problem() {
        return Err(wrong(why));
    }
    let (reply, answer) = oneshot::channel();
    let stopping = || not_now("the gateway is stopping");
    let request = CheckRequest { proposal: Some(proposal.clone()), reply };
    workbench.check.send(request).await.map_err(|_| stopping())?;
    let checked = answer.await.map_err(|_| stopping())?;
    if checked["good"] != true {
        return Err(wrong(first_problems(&checked)));
    }
    let folder = folder(&workbench);
    let stamp = at.strftime("%Y%m%dT%H%M%SZ");
    let by: String =
        by.chars().map(|one| if one.is_ascii_alphanumeric() || one == '-' { one } else { '_' }).collect();
    let text = proposal.text();
    let kept = tokio::task::spawn_blocking(move || write(&folder, &format!("{stamp}-{by}"), &text)).await;
    let file = kept.map_err(not_now)??;
    let _ = accounts.configured("proposal", &file, Some(who.0.acting(who.0.person.as_ref()))).await;
    let about = &proposal.proposal;
    let body = json!({
        "file": file, "name": about.name, "by": about.by, "at": about.at, "rooms": ids(&proposal), "changes": checked["rooms"],
    });
    Ok((StatusCode::CREATED, Json(body)))
}

/// What the check says, as one text: each problem with its place.
fn first_problems(checked: &Value) -> String {
    let said = checked["problems"].as_array().into_iter().flatten().map(|problem| {
        let text = |key: &str| problem[key].as_str().unwrap_or_default().to_owned();
        format!("{} {}: {}", text("file"), text("key"), text("message"))
    });
    said.take(5).collect::<Vec<_>>().join("; ")
}

fn ids(proposal: &Proposal) -> Vec<Id> {
    proposal.room.iter().map(|room| room.id.clone()).collect()
}

/// Writes a file that is not there yet; a second one of the same second gets a number.
fn write(folder: &Path, name: &str, text: &str) -> Result<String, Problem> {
    let failed = |error: std::io::Error| not_now(format!("{} cannot be written: {error}", folder.display()));
    std::fs::create_dir_all(folder).map_err(failed)?;
    let count = std::fs::read_dir(folder).map_err(failed)?.count();
    if count >= MOST {
        let why = format!(
            "已有 {count} 份建议，请先应用或删除一些 there are {count} proposals in {}: apply or remove some first",
            folder.display()
        );
        return Err(Problem::new(StatusCode::CONFLICT, why));
    }
    let free = (0..=MOST).map(|number| match number {
        0 => folder.join(format!("{name}.toml")),
        number => folder.join(format!("{name}-{number}.toml")),
    });
    let path =
        free.into_iter().find(|path| !path.exists()).unwrap_or_else(|| folder.join(format!("{name}.toml")));
    files::replace(&path, text.as_bytes()).map_err(failed)?;
    Ok(path.display().to_string())
}

async fn list(_: Who, State(Drawings { workbench, .. }): State<Drawings>) -> Result<Json<Value>, Problem> {
    let folder = folder(&workbench);
    let all = tokio::task::spawn_blocking(move || {
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        files.sort();
        files.reverse();
        let shown = files.iter().take(MOST).filter_map(|path| {
            let file = path.file_name()?.to_string_lossy().into_owned();
            let proposal = Proposal::parse(&file, &std::fs::read_to_string(path).ok()?).ok()?;
            let About { name, by, at } = &proposal.proposal;
            Some(json!({"file": path.display().to_string(), "name": name, "by": by, "at": at, "rooms": ids(&proposal)}))
        });
        shown.collect::<Vec<_>>()
    });
    Ok(Json(all.await.map_err(not_now)?.into()))
}
