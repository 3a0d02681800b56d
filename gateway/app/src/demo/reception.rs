//! The health worker at the cabin's door: opens a visit when a card is read, ends it when the
//! resident goes. Over the gateway's own interface, like any other program.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::cabin::{EVERY, GOES};
use super::resident::{code, identity};
use linli_web::SOCKET;

/// Receives residents, one after the other.
pub fn receive(seed: u64, began: Instant, data_dir: &Path, tasks: &mut JoinSet<()>) {
    let socket = data_dir.join(SOCKET);
    tasks.spawn(async move {
        for nth in 0.. {
            sleep_until(began + EVERY * nth).await;
            let opening = json!({
                "by": "card", "identity": identity(seed, u64::from(nth)), "code": code(u64::from(nth)), "consent": "2026-1",
            });
            let opened = ask(&socket, "/api/v1/visits", &opening).await;
            let Some(id) = opened.as_ref().and_then(|visit| visit["id"].as_str()) else { continue };
            sleep_until(began + EVERY * nth + GOES).await;
            let _ = ask(&socket, &format!("/api/v1/visits/{id}/end"), &json!({"ending": "completed"})).await;
        }
    });
}

async fn ask(socket: &PathBuf, path: &str, body: &Value) -> Option<Value> {
    let mut stream = UnixStream::connect(socket).await.ok()?;
    let body = body.to_string();
    let head = format!("POST {path} HTTP/1.0\r\nHost: linli\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(format!("{head}{body}").as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
}
