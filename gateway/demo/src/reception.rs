//! The simulated health worker: opens a visit when a resident comes and ends it when the resident
//! goes, through the HTTP interface of the gateway.

use std::path::Path;

use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::cabin::{EVERY, GOES};
use super::resident::{code, identity};
use linli_web::control_client::request;

/// Spawns the task that opens and ends the visit of one resident after the other.
pub fn receive(seed: u64, began: Instant, data_dir: &Path, tasks: &mut JoinSet<()>) {
    let data_dir = data_dir.to_owned();
    tasks.spawn(async move {
        for nth in 0.. {
            sleep_until(began + EVERY * nth).await;
            // Somebody else has begun a visit at the screen: this one waits for another day.
            let is_taken = get(&data_dir, "/api/v1/visits?open=true").await;
            if is_taken.is_some_and(|open| open.as_array().is_some_and(|open| !open.is_empty())) {
                continue;
            }
            let opening = json!({
                "by": "card", "identity": identity(seed, u64::from(nth)), "code": code(u64::from(nth)), "consent": "2026-1",
            });
            let opened = ask(&data_dir, "/api/v1/visits", &opening).await;
            let Some(id) = opened.as_ref().and_then(|visit| visit["id"].as_str()) else { continue };
            sleep_until(began + EVERY * nth + GOES).await;
            let _ = ask(&data_dir, &format!("/api/v1/visits/{id}/end"), &json!({"ending": "completed"})).await;
        }
    });
}

async fn get(data_dir: &Path, path: &str) -> Option<Value> {
    let answer = request(data_dir, "GET", path, &[], b"").await.ok()?;
    serde_json::from_slice(&answer.into_body().collect().await.ok()?.to_bytes()).ok()
}

async fn ask(data_dir: &Path, path: &str, body: &Value) -> Option<Value> {
    let answer = request(data_dir, "POST", path, &[], body.to_string().as_bytes()).await.ok()?;
    serde_json::from_slice(&answer.into_body().collect().await.ok()?.to_bytes()).ok()
}
