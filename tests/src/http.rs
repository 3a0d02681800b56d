//! HTTP as plain as it gets: one request, one answer, over any stream.

use std::io::{Read, Write};
use std::time::Duration;

use anyhow::Context;

/// Longest wait for an answer, unless the caller sets its own.
const PATIENCE: Duration = Duration::from_secs(10);

/// Streams with a read timeout.
pub trait Patient: Read + Write {
    /// Sets the read timeout.
    fn patient(&self, patience: Duration) -> std::io::Result<()>;
}

impl Patient for std::os::unix::net::UnixStream {
    fn patient(&self, patience: Duration) -> std::io::Result<()> {
        self.set_read_timeout(Some(patience))
    }
}

impl Patient for std::net::TcpStream {
    fn patient(&self, patience: Duration) -> std::io::Result<()> {
        self.set_read_timeout(Some(patience))
    }
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Header lines as they came, without the status line.
    pub headers: Vec<String>,
    /// The body.
    pub body: String,
}

// === impl Answer ===

impl Answer {
    /// A header's value, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let split = self.headers.iter().filter_map(|line| line.split_once(':'));
        split.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

/// Sends a request with further header lines. Returns status and body.
pub fn ask(
    stream: impl Patient,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> anyhow::Result<(u16, String)> {
    request(stream, method, path, headers, body).map(|answer| (answer.status, answer.body))
}

/// The same; returns the whole answer.
pub fn request(
    stream: impl Patient,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> anyhow::Result<Answer> {
    request_within(PATIENCE, stream, method, path, headers, body)
}

/// The same; waits up to `patience` for each part of the answer.
pub fn request_within(
    patience: Duration,
    mut stream: impl Patient,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> anyhow::Result<Answer> {
    stream.patient(patience)?;
    let length = body.len();
    let head =
        format!("{method} {path} HTTP/1.0\r\nHost: linli\r\n{headers}Content-Length: {length}\r\n\r\n");
    stream.write_all(format!("{head}{body}").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no answer")?;
    let mut lines = head.lines();
    let first = lines.next().unwrap_or_default();
    let status = first.split(' ').nth(1).and_then(|word| word.parse().ok()).context("no status")?;
    Ok(Answer { status, headers: lines.map(str::to_owned).collect(), body: body.to_owned() })
}
