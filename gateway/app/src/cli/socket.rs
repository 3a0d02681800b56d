//! Talks to the running gateway through its control socket: one HTTP request, one answer.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

/// An answer of the gateway.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// Whether a gateway runs on that data directory.
pub fn is_running(data_dir: &Path) -> bool {
    UnixStream::connect(data_dir.join(linli_web::SOCKET)).is_ok()
}

/// Asks the running gateway; waits up to `patience` for the answer.
pub fn ask(
    data_dir: &Path,
    method: &str,
    path: &str,
    body: &str,
    patience: Duration,
) -> anyhow::Result<Answer> {
    let socket = data_dir.join(linli_web::SOCKET);
    let mut stream = UnixStream::connect(&socket).map_err(|error| closed(data_dir, &error))?;
    stream.set_read_timeout(Some(patience))?;
    // HTTP/1.0: the gateway closes after the answer, so its end is the end of the stream.
    let length = body.len();
    write!(stream, "{method} {path} HTTP/1.0\r\nHost: linli\r\nContent-Length: {length}\r\n\r\n{body}")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).context("the gateway did not answer in time")?;
    parse(&answer).context("the gateway's answer could not be understood")
}

/// An answer that comes a line at a time.
pub struct Stream {
    reader: BufReader<tokio::net::UnixStream>,
}

// === impl Stream ===

impl Stream {
    /// Sends a body; the head of the answer is read, its lines come with [`Stream::next`].
    pub async fn post(data_dir: &Path, path: &str, body: &[u8]) -> anyhow::Result<Self> {
        let connecting = tokio::net::UnixStream::connect(data_dir.join(linli_web::SOCKET));
        let mut stream = connecting.await.map_err(|error| closed(data_dir, &error))?;
        let length = body.len();
        let head = format!("POST {path} HTTP/1.0\r\nHost: linli\r\nContent-Length: {length}\r\n\r\n");
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(body).await?;
        let mut stream = Self { reader: BufReader::new(stream) };
        let head = stream.next().await?.context("the gateway closed the connection")?;
        let status: u16 =
            head.split(' ').nth(1).and_then(|code| code.parse().ok()).context("no HTTP answer")?;
        while stream.next().await?.is_some_and(|line| !line.is_empty()) {}
        if status < 300 {
            return Ok(stream);
        }
        let mut body = String::new();
        stream.reader.read_to_string(&mut body).await?;
        anyhow::bail!("{}", detail(&Answer { status, body }))
    }

    /// The next line; nothing when that was all.
    pub async fn next(&mut self) -> anyhow::Result<Option<String>> {
        let mut line = String::new();
        match self.reader.read_line(&mut line).await? {
            0 => Ok(None),
            _ => Ok(Some(line.trim_end().to_owned())),
        }
    }
}

/// Why the socket cannot be reached.
fn closed(data_dir: &Path, error: &std::io::Error) -> anyhow::Error {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => anyhow::anyhow!(
            "no gateway runs on {}; start it with `linli run` or `systemctl start linli`",
            data_dir.display()
        ),
        ErrorKind::PermissionDenied => anyhow::anyhow!(
            "{}: only the gateway's user and group may do this; try with sudo",
            data_dir.join(linli_web::SOCKET).display()
        ),
        _ => anyhow::anyhow!("{}: {error}", data_dir.join(linli_web::SOCKET).display()),
    }
}

/// The human part of an error answer.
#[must_use]
pub fn detail(answer: &Answer) -> String {
    let problem: Option<serde_json::Value> = serde_json::from_str(&answer.body).ok();
    problem
        .and_then(|p| p.get("detail").and_then(|d| d.as_str().map(str::to_owned)))
        .unwrap_or_else(|| answer.body.clone())
}

fn parse(text: &str) -> Option<Answer> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, body: body.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_cut_at_the_empty_line() {
        let answer =
            parse("HTTP/1.0 422 Unprocessable Entity\r\na: b\r\n\r\n{\"detail\":\"no\"}").expect("whole");
        assert_eq!((answer.status, detail(&answer).as_str()), (422, "no"));
        assert!(parse("garbage").is_none());
    }
}
