//! Requests of the command line to the running gateway, over its control socket.

use std::io::ErrorKind;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use http_body_util::BodyExt;
use hyper::Response;
use hyper::body::Incoming;
use tokio::time::timeout;

use crate::control_client::{ControlError, request, socket};

const NOT_IN_TIME: &str = "the gateway did not answer in time";

/// Longest pause in the body of a refusal.
const REFUSAL_PATIENCE: Duration = Duration::from_secs(10);

/// A whole answer of the gateway.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status code.
    pub status: u16,
    /// Text of the body.
    pub body: String,
}

/// Whether a gateway listens on the control socket of a data directory.
pub fn is_running(data_dir: &Path) -> bool {
    UnixStream::connect(socket(data_dir)).is_ok()
}

/// Sends one request to the running gateway and returns its whole answer.
///
/// # Errors
/// When no gateway runs, or when it sends nothing for `patience`.
pub fn ask(
    data_dir: &Path,
    method: &str,
    path: &str,
    body: &str,
    patience: Duration,
) -> anyhow::Result<Answer> {
    super::runtime()?.block_on(async {
        let answering = request(data_dir, method, path, body.as_bytes());
        let answer = timeout(patience, answering).await.context(NOT_IN_TIME)?;
        whole(answer.map_err(|error| explained(data_dir, error))?, patience).await
    })
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
    pub async fn post(data_dir: &Path, path: &str, body: &[u8]) -> anyhow::Result<Self> {
        let answer = request(data_dir, "POST", path, body).await;
        let answer = answer.map_err(|error| explained(data_dir, error))?;
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

/// Reads the body of an answer; `patience` is the longest pause between two parts of it.
async fn whole(answer: Response<Incoming>, patience: Duration) -> anyhow::Result<Answer> {
    let status = answer.status().as_u16();
    let (mut body, mut bytes) = (answer.into_body(), Vec::new());
    while let Some(frame) = timeout(patience, body.frame()).await.context(NOT_IN_TIME)? {
        bytes.extend(frame.context("the gateway's answer broke off")?.data_ref().into_iter().flatten());
    }
    let body = String::from_utf8(bytes).context("the gateway's answer is not UTF-8")?;
    Ok(Answer { status, body })
}

/// Says what to do where the socket cannot be opened.
fn explained(data_dir: &Path, error: ControlError) -> anyhow::Error {
    let kind = match &error {
        ControlError::Unreachable { source, .. } => source.kind(),
        _ => ErrorKind::Other,
    };
    match kind {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => anyhow::anyhow!(
            "no gateway runs on {}; start it with `linli run` or `systemctl start linli`",
            data_dir.display()
        ),
        ErrorKind::PermissionDenied => anyhow::anyhow!(
            "{}: only the gateway's user and group may do this; try with sudo",
            socket(data_dir).display()
        ),
        _ => error.into(),
    }
}

/// The `detail` of a problem document (RFC 9457); the whole body where there is none.
#[must_use]
pub fn detail(answer: &Answer) -> String {
    let problem: Option<serde_json::Value> = serde_json::from_str(&answer.body).ok();
    problem
        .and_then(|p| p.get("detail").and_then(|d| d.as_str().map(str::to_owned)))
        .unwrap_or_else(|| answer.body.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::StatusCode;
    use axum::routing::{any, post};

    const PATIENCE: Duration = Duration::from_secs(60);

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
        let answer = ask(dir.path(), "GET", "/refused", "", PATIENCE).unwrap();
        assert_eq!((answer.status, detail(&answer).as_str()), (422, "no"));
        let answer = ask(dir.path(), "POST", "/lines", "甲", PATIENCE).unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (200, "甲\r\n\n二\nlast"));
    }

    #[test]
    fn a_stream_returns_line_after_line_or_the_refusal() {
        let dir = tempfile::tempdir().unwrap();
        let _served = serve(dir.path());
        super::super::runtime().unwrap().block_on(async {
            let mut stream = Stream::post(dir.path(), "/lines", b"one").await.unwrap();
            let mut lines = Vec::new();
            while let Some(line) = stream.next().await.unwrap() {
                lines.push(line);
            }
            assert_eq!(lines, ["one", "", "二", "last"]);
            let refused = Stream::post(dir.path(), "/refused", b"").await.err().unwrap();
            assert_eq!(refused.to_string(), "no");
        });
    }

    #[test]
    fn without_a_gateway_the_error_says_how_to_start_one() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!is_running(dir.path()));
        let error = ask(dir.path(), "GET", "/readyz", "", PATIENCE).unwrap_err().to_string();
        assert!(error.starts_with("no gateway runs on "), "{error}");
    }

    #[test]
    fn a_silent_gateway_is_not_waited_for_longer_than_patience() {
        let dir = tempfile::tempdir().unwrap();
        let _silent = std::os::unix::net::UnixListener::bind(socket(dir.path())).unwrap();
        let error = ask(dir.path(), "GET", "/readyz", "", Duration::from_millis(1)).unwrap_err();
        assert_eq!(error.to_string(), NOT_IN_TIME);
    }
}
