//! Requests of the command line to a gateway: over the control socket, or over the network where the log-in says so.

use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::answer::Answer;
pub use super::answer::detail;
use super::config_dir::ConfigDir;
use super::target::{Target, whole};
use linli_web::control_client::socket;

/// Longest pause in the body of a refusal.
const REFUSAL_PATIENCE: Duration = Duration::from_secs(10);

/// Whether a gateway listens on the control socket of a data directory.
pub fn is_running(data_dir: &Path) -> bool {
    UnixStream::connect(socket(data_dir)).is_ok()
}

/// Sends one request to the gateway of a configuration directory, as the account of `--login`.
///
/// # Errors
/// When no gateway runs, or when it sends nothing for `patience`.
pub fn ask(
    site: &ConfigDir,
    method: &str,
    path: &str,
    body: &str,
    patience: Duration,
) -> anyhow::Result<Answer> {
    site.target()?.ask(method, path, body, patience)
}

/// Fetches every page of a list; returns the items of all.
///
/// # Errors
/// When no gateway runs, or it refuses.
pub fn pages(site: &ConfigDir, path: &str, patience: Duration) -> anyhow::Result<Vec<serde_json::Value>> {
    let (mut path, mut all) = (Some(path.to_owned()), Vec::new());
    while let Some(page) = path {
        let answer = ask(site, "GET", &page, "", patience)?;
        anyhow::ensure!(answer.status < 300, "{}", detail(&answer));
        all.extend(serde_json::from_str::<Vec<serde_json::Value>>(&answer.body)?);
        path = answer.next;
    }
    Ok(all)
}

/// An answer that arrives line by line.
pub struct Stream {
    body: Incoming,
    /// Bytes received after the last line that was returned.
    buffer: Vec<u8>,
}

// === impl Stream ===

impl Stream {
    /// Sends a body and waits for the head of the answer; [`Stream::next`] returns its lines.
    ///
    /// # Errors
    /// When no gateway runs, or when it refuses the request.
    pub async fn post(target: &Target, path: &str, body: &[u8]) -> anyhow::Result<Self> {
        let answer = target.open("POST", path, body).await?;
        if answer.status().is_success() {
            return Ok(Self { body: answer.into_body(), buffer: Vec::new() });
        }
        anyhow::bail!("{}", detail(&whole(answer, REFUSAL_PATIENCE).await?))
    }

    /// Returns the next line without its end; `None` after the last one. Nothing is lost when the
    /// future is dropped.
    pub async fn next(&mut self) -> anyhow::Result<Option<String>> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let rest = self.buffer.split_off(end + 1);
                return line(&std::mem::replace(&mut self.buffer, rest)).map(Some);
            }
            match self.body.frame().await {
                Some(frame) => self.buffer.extend(frame?.data_ref().into_iter().flatten()),
                None if self.buffer.is_empty() => return Ok(None),
                None => return line(&std::mem::take(&mut self.buffer)).map(Some),
            }
        }
    }
}

fn line(bytes: &[u8]) -> anyhow::Result<String> {
    Ok(std::str::from_utf8(bytes).context("the gateway's answer is not UTF-8")?.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::log_in_store::Kept;
    use super::super::target::NOT_IN_TIME;
    use super::*;
    use axum::http::StatusCode;
    use axum::routing::{any, post};

    const PATIENCE: Duration = Duration::from_secs(60);

    fn target(data_dir: &Path) -> Target {
        Target::of(data_dir, &Kept::default())
    }

    /// A gateway's stand-in: refuses one request, answers another in lines.
    fn serve(data_dir: &Path) -> tokio::runtime::Runtime {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let listener = runtime.block_on(async { tokio::net::UnixListener::bind(socket(data_dir)).unwrap() });
        let refused = any(|| async { (StatusCode::UNPROCESSABLE_ENTITY, "{\"detail\":\"no\"}") });
        let lines = post(|body: String| async move { format!("{body}\r\n\n二\nlast") });
        let router = axum::Router::new().route("/refused", refused).route("/lines", lines);
        runtime.spawn(async { axum::serve(listener, router).await });
        runtime
    }

    #[test]
    fn an_answer_has_a_status_and_a_body() {
        let dir = tempfile::tempdir().unwrap();
        let _served = serve(dir.path());
        assert!(is_running(dir.path()));
        let answer = target(dir.path()).ask("GET", "/refused", "", PATIENCE).unwrap();
        assert_eq!((answer.status, detail(&answer).as_str()), (422, "no"));
        let answer = target(dir.path()).ask("POST", "/lines", "甲", PATIENCE).unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (200, "甲\r\n\n二\nlast"));
    }

    #[test]
    fn a_stream_returns_line_after_line_or_the_refusal() {
        let dir = tempfile::tempdir().unwrap();
        let _served = serve(dir.path());
        super::super::runtime().unwrap().block_on(async {
            let mut stream = Stream::post(&target(dir.path()), "/lines", b"one").await.unwrap();
            let mut lines = Vec::new();
            while let Some(line) = stream.next().await.unwrap() {
                lines.push(line);
            }
            assert_eq!(lines, ["one", "", "二", "last"]);
            let refused = Stream::post(&target(dir.path()), "/refused", b"").await.err().unwrap();
            assert_eq!(refused.to_string(), "no");
        });
    }

    #[test]
    fn without_a_gateway_the_error_says_how_to_start_one() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!is_running(dir.path()));
        let error = target(dir.path()).ask("GET", "/readyz", "", PATIENCE).unwrap_err().to_string();
        assert!(error.starts_with("no gateway runs on "), "{error}");
    }

    #[test]
    fn a_silent_gateway_is_not_waited_for_longer_than_patience() {
        let dir = tempfile::tempdir().unwrap();
        let _silent = std::os::unix::net::UnixListener::bind(socket(dir.path())).unwrap();
        let error = target(dir.path()).ask("GET", "/readyz", "", Duration::from_millis(1)).unwrap_err();
        assert_eq!(error.to_string(), NOT_IN_TIME);
    }
}
