//! The gateway that a request of the command line goes to, and the log-in that it carries.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use http_body_util::BodyExt;
use hyper::Response;
use hyper::body::Incoming;
use tokio::time::timeout;

use super::answer::{Answer, next_page, text_or_bytes};
use super::log_in_store::Kept;
use super::remote;
use linli_web::control_client::{ControlError, request, socket};

/// What is said when the gateway does not answer.
pub const NOT_IN_TIME: &str = "the gateway did not answer in time";

/// Where requests go, and as whom.
#[derive(Debug, Clone)]
pub struct Target {
    data_dir: PathBuf,
    kept: Kept,
}

// === impl Target ===

impl Target {
    /// The gateway of a data directory, or the one of the log-in.
    #[must_use]
    pub fn of(data_dir: &Path, kept: &Kept) -> Self {
        Self { data_dir: data_dir.to_owned(), kept: kept.clone() }
    }

    /// Sends one request and returns the whole answer.
    ///
    /// # Errors
    /// When no gateway runs, or when it sends nothing for `patience`.
    pub fn ask(&self, method: &str, path: &str, body: &str, patience: Duration) -> anyhow::Result<Answer> {
        let headers = self.headers();
        if let Some(server) = &self.kept.server {
            let ca = self.kept.ca.as_deref();
            return remote::ask(server, ca, (method, path), &headers, body.as_bytes(), patience);
        }
        super::runtime()?.block_on(async {
            let answering = request(&self.data_dir, method, path, &headers, body.as_bytes());
            let answer = timeout(patience, answering).await.context(NOT_IN_TIME)?;
            whole(answer.map_err(|error| explained(&self.data_dir, error))?, patience).await
        })
    }

    fn headers(&self) -> Vec<(&'static str, String)> {
        let pairs: Vec<String> =
            self.kept.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut headers = vec![("content-type", "application/json".to_owned())];
        if !pairs.is_empty() {
            headers.push(("cookie", pairs.join("; ")));
        }
        headers
    }

    /// Opens a request whose answer is read bit by bit.
    ///
    /// # Errors
    /// When no gateway runs, or the log-in is one at a gateway elsewhere.
    pub async fn open(&self, method: &str, path: &str, body: &[u8]) -> anyhow::Result<Response<Incoming>> {
        anyhow::ensure!(self.kept.server.is_none(), "this is done on the box, not over the network");
        let answer = request(&self.data_dir, method, path, &self.headers(), body).await;
        answer.map_err(|error| explained(&self.data_dir, error))
    }
}

/// Reads the body of an answer; `patience` is the longest pause between two parts of it.
pub async fn whole(answer: Response<Incoming>, patience: Duration) -> anyhow::Result<Answer> {
    let status = answer.status().as_u16();
    let cookies = answer.headers().get_all("set-cookie").iter();
    let cookies = cookies.filter_map(|cookie| cookie.to_str().ok().map(str::to_owned)).collect();
    let next = next_page(answer.headers().get("link").and_then(|link| link.to_str().ok()));
    let (mut body, mut bytes) = (answer.into_body(), Vec::new());
    while let Some(frame) = timeout(patience, body.frame()).await.context(NOT_IN_TIME)? {
        bytes.extend(frame.context("the gateway's answer broke off")?.data_ref().into_iter().flatten());
    }
    let (body, bytes) = text_or_bytes(bytes);
    Ok(Answer { status, body, bytes, cookies, next })
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
