//! HTTP as plain as it gets: one request, one answer, over any stream.

use std::io::{Read, Write};

use anyhow::Context;

/// Longest wait for an answer.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

/// Streams whose reading can be given up.
pub trait Patient: Read + Write {
    /// Gives up reading after a while.
    fn patient(&self) -> std::io::Result<()>;
}

impl Patient for std::os::unix::net::UnixStream {
    fn patient(&self) -> std::io::Result<()> {
        self.set_read_timeout(Some(PATIENCE))
    }
}

impl Patient for std::net::TcpStream {
    fn patient(&self) -> std::io::Result<()> {
        self.set_read_timeout(Some(PATIENCE))
    }
}

/// Sends a request with further header lines, gives status and body.
pub fn ask(
    mut stream: impl Patient,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> anyhow::Result<(u16, String)> {
    stream.patient()?;
    let length = body.len();
    let head =
        format!("{method} {path} HTTP/1.0\r\nHost: linli\r\n{headers}Content-Length: {length}\r\n\r\n");
    stream.write_all(format!("{head}{body}").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no answer")?;
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).context("no status")?;
    Ok((status, body.to_owned()))
}
