//! Bad input to the listeners, as an attacker would send it. After each attack the gateway answers a proper
//! client within two seconds, its lines are polled on, and its memory is bounded. `cargo xtask attack` prints the
//! figures.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use linli_tests::devices::{STORE, counter};
use linli_tests::{Gateway, Peer, Workspace, device, free_port, http};
use serde_json::Value;
use tokio::time::Instant;

const PATIENCE: Duration = Duration::from_secs(60);

/// A proper client is answered within this time.
const SOON: Duration = Duration::from_secs(10);

/// Memory that one attack may cost, in KiB: 256 connections at work take about 30 MiB.
const MOST_KIB: u64 = 48 << 10;

/// An account with a token: what strangers send ends at the gate, what this one sends reaches the handlers.
const WORKER: &str =
    "\n[[worker]]\nname = \"w\"\ntoken = \"file:w.token\"\nroles = [\"health_worker\", \"operator\"]\n";
const TOKEN: &str = "worker-token-for-tests-0123456789";
const LOGGED_IN: &str = "Authorization: Bearer worker-token-for-tests-0123456789\r\n";

/// A gateway under attack.
struct Target {
    gateway: Gateway,
    web: String,
    before: u64,
    _peer: Peer,
    _workspace: Workspace,
}

impl Target {
    async fn new() -> anyhow::Result<Self> {
        let (workspace, port) = (Workspace::new()?, free_port()?);
        let peer = Peer::tcp(port, 1, 200).await?;
        let config = workspace.configure_with("", STORE, &counter(port, "100ms"))?;
        let gateway_file = config.join("gateway.toml");
        std::fs::write(&gateway_file, std::fs::read_to_string(&gateway_file)? + WORKER)?;
        let token = config.join("w.token");
        std::fs::write(&token, TOKEN)?;
        std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o600))?;
        let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
        gateway.answering().await?;
        let web = gateway.web().await?;
        gateway.until("it is polled", PATIENCE, |status| polls(status) > 3).await?;
        let before = resident(&gateway)?;
        Ok(Self { gateway, web, before, _peer: peer, _workspace: workspace })
    }

    fn connect(&self) -> anyhow::Result<TcpStream> {
        let stream = TcpStream::connect(&self.web)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(stream)
    }

    /// Sends bytes as they are and returns the status, or `None` where the connection is closed without one.
    fn send(&self, bytes: &[u8]) -> anyhow::Result<Option<u16>> {
        let mut stream = self.connect()?;
        // It may be closed before all was sent.
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        let mut part = [0; 4096];
        while let Ok(count @ 1..) = stream.read(&mut part) {
            answer.extend_from_slice(&part[..count]);
            if answer.windows(4).any(|end| end == b"\r\n\r\n") {
                break;
            }
        }
        let text = String::from_utf8_lossy(&answer);
        Ok(text.split(' ').nth(1).and_then(|status| status.parse().ok()))
    }

    /// That nothing has suffered; prints the figures.
    async fn survives(&self, attack: &str) -> anyhow::Result<()> {
        let began = Instant::now();
        let (status, _) = http::ask(self.connect()?, "GET", "/api/v1/status", LOGGED_IN, "")?;
        let answered = began.elapsed();
        anyhow::ensure!(status == 200 && answered < SOON, "{attack}: {status} after {answered:?}");
        let read = polls(&serde_json::from_str(&self.gateway.get("/api/v1/status")?)?);
        self.gateway.until("it is polled on", PATIENCE, |status| polls(status) > read + 3).await?;
        let grown = resident(&self.gateway)?.saturating_sub(self.before);
        println!("attack: {attack:44} answered in {:4} ms, {grown:6} KiB more", answered.as_millis());
        anyhow::ensure!(grown < MOST_KIB, "{attack}: {grown} KiB");
        Ok(())
    }
}

fn polls(status: &Value) -> u64 {
    device(status, "d1").and_then(|device| device["ok"].as_u64()).unwrap_or(0)
}

fn resident(gateway: &Gateway) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", gateway.pid()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    Ok(line.trim().trim_end_matches(" kB").trim().parse()?)
}

#[tokio::test(flavor = "multi_thread")]
async fn large_and_broken_requests_cost_nothing() -> anyhow::Result<()> {
    let target = Target::new().await?;
    let mut stream = target.connect()?;
    let (line, mut sent) = (format!("X-A: {}\r\n", "a".repeat(8000)), 0_usize);
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n")?;
    while sent < 100 << 20 && stream.write_all(line.as_bytes()).is_ok() {
        sent += line.len();
    }
    assert!(sent < 8 << 20, "{sent} bytes of headers were taken");
    target.survives("100 MB of headers").await?;

    let mut stream = target.connect()?;
    let head =
        format!("POST /api/v1/visits HTTP/1.1\r\nHost: x\r\n{LOGGED_IN}Transfer-Encoding: chunked\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    let (chunk, mut sent) = (format!("100000\r\n{}\r\n", "b".repeat(1 << 20)), 0_usize);
    while sent < 100 << 20 && stream.write_all(chunk.as_bytes()).is_ok() {
        sent += chunk.len();
    }
    assert!(sent < 16 << 20, "{sent} bytes of a body were taken");
    target.survives("100 MB in chunks").await?;

    let tiny = "1\r\nc\r\n".repeat(200_000);
    target.send(format!("{head}{tiny}0\r\n\r\n").as_bytes())?;
    target.survives("200,000 chunks of one byte").await?;

    for (name, bytes) in [
        ("a chunk of 2^64 bytes", format!("{head}FFFFFFFFFFFFFFFF\r\n")),
        ("a chunk with an extension of 1 MB", format!("{head}1;{}\r\nc\r\n0\r\n\r\n", "x".repeat(1 << 20))),
        (
            "two lengths",
            "POST /api/v1/visits HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"
                .to_owned(),
        ),
        (
            "length and chunks",
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: xchunked\r\n\r\nabcd"
                .to_owned(),
        ),
        ("a line that folds", "GET / HTTP/1.1\r\nHost: x\r\n X: y\r\n\r\n".to_owned()),
        ("no HTTP at all", "\u{16}\u{3}\u{1}\u{2}garbage\r\n\r\n".to_owned()),
    ] {
        let status = target.send(bytes.as_bytes())?;
        assert!(status.is_none_or(|status| (400..500).contains(&status)), "{name}: {status:?}");
    }
    target.survives("broken framing").await?;
    target.gateway.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn deep_double_and_overlong_content_is_refused() -> anyhow::Result<()> {
    let target = Target::new().await?;
    let post = |body: &[u8]| {
        let head = format!(
            "POST /api/v1/visits HTTP/1.1\r\nHost: x\r\n{LOGGED_IN}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        target.send(&[head.as_bytes(), body].concat())
    };
    for (name, body) in [
        ("deep JSON", "[".repeat(500_000).into_bytes()),
        ("deep objects", "{\"a\":".repeat(150_000).into_bytes()),
        ("a key twice", b"{\"code\":\"A1\",\"code\":\"A2\"}".to_vec()),
        ("NUL", b"{\"code\":\"A\\u0000\"}".to_vec()),
        ("a NUL byte", b"{\"code\":\"A\0\"}".to_vec()),
        ("overlong UTF-8", b"{\"code\":\"\xc0\xaf\"}".to_vec()),
        ("a lone surrogate", b"{\"code\":\"\\ud800\"}".to_vec()),
    ] {
        let status = post(&body)?;
        assert!(status.is_some_and(|status| (400..500).contains(&status)), "{name}: {status:?}");
    }
    for path in [
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/api/v1/devices/..%2f..%2fetc%2fpasswd",
        "/api/v1/devices/%00",
        "/api/v1/devices/%c0%af",
        "//healthz/..//..",
        "/api/v1/devices/d1/points/%0d%0aSet-Cookie:x/trend?from=0&to=1",
    ] {
        let mut stream = target.connect()?;
        stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: x\r\n{LOGGED_IN}\r\n").as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let status = answer.split(' ').nth(1).and_then(|status| status.parse::<u16>().ok());
        assert!(status.is_some_and(|status| (400..500).contains(&status)), "{path}: {answer}");
        assert!(!answer.contains("root:") && !answer.contains("\nSet-Cookie"), "{path}: {answer}");
    }
    target.survives("deep, double, overlong content, path tricks").await?;
    target.gateway.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_event_streams_shut_out_no_other_request() -> anyhow::Result<()> {
    let target = Target::new().await?;
    let mut held = Vec::new();
    for _ in 0..1000 {
        let mut stream = target.connect()?;
        stream.write_all(format!("GET /api/v1/events HTTP/1.1\r\nHost: x\r\n{LOGGED_IN}\r\n").as_bytes())?;
        held.push(stream);
    }
    target.survives("1,000 event streams").await?;
    drop(held);
    target.gateway.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn half_open_connections_are_counted_and_bounded() -> anyhow::Result<()> {
    let target = Target::new().await?;
    let mut held = Vec::new();
    for number in 0..2000 {
        let mut stream = target.connect()?;
        if number % 2 == 0 {
            let _ = stream.write_all(b"GET /api/v1/status HTTP/1.1\r\nHost: x\r\nX-");
        }
        held.push(stream);
    }
    target.survives("2,000 half-open connections").await?;
    drop(held);
    target.gateway.stop().await
}
