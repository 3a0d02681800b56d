//! Whoever opens connections and says nothing shuts nobody out and stops nothing, even where the gateway may
//! open few files.

use std::io::Write;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use linli_tests::devices::{STORE, counter};
use linli_tests::{Broker, Gateway, Hl7Monitor, Peer, Workspace, device, eventually, free_port};
use serde_json::Value;
use tokio::time::Instant;

/// Files that the gateway may open.
const FILES: &str = "--nofile=256:256";

/// Connections that say nothing: more than the gateway may open files.
const SILENT: usize = 600;

/// A proper client is answered within this time.
const SOON: Duration = Duration::from_secs(10);

const PATIENCE: Duration = Duration::from_secs(60);

/// Opens connections that begin a request and end none.
fn silent(address: &str) -> anyhow::Result<Vec<TcpStream>> {
    let mut all = Vec::new();
    for number in 0..SILENT {
        let mut stream = TcpStream::connect(address)?;
        if number % 2 == 0 {
            // Whether it is still heard does not matter.
            let _ = stream.write_all(b"GET /api/v1/status HTTP/1.1\r\nHost: x\r\nX-");
        }
        all.push(stream);
    }
    Ok(all)
}

/// Asks as anybody on the network would; returns the status line's code.
fn asks(address: &str) -> anyhow::Result<u16> {
    let began = Instant::now();
    let (status, _) = linli_tests::http::ask(TcpStream::connect(address)?, "GET", "/healthz", "", "")?;
    anyhow::ensure!(began.elapsed() < SOON, "answered after {:?}", began.elapsed());
    Ok(status)
}

fn resident(gateway: &Gateway) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", gateway.pid()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    Ok(line.trim().trim_end_matches(" kB").trim().parse()?)
}

fn polls(status: &Value) -> u64 {
    device(status, "d1").and_then(|device| device["ok"].as_u64()).unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_say_nothing_shut_nobody_out() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let (broker, port, kiosks) = (Broker::start(&workspace).await?, free_port()?, free_port()?);
    let subscriber = broker.subscribe(&workspace).await?;
    let _peer = Peer::tcp(port, 1, 200).await?;
    let kiosk = format!(
        "[[line]]\nid = \"k\"\nkind = \"kiosk_http\"\nlisten = \"127.0.0.1:{kiosks}\"\n\n[[device]]\nid = \"k1\"\n\
         line = \"k\"\ntoken = \"file:k1.token\"\nprofile = \"kiosk/terminal\"\nclass = \"kiosk\"\n\
         poll = \"60s\"\n"
    );
    let config = workspace.configure(broker.port, STORE, &(counter(port, "100ms") + &kiosk))?;
    let token = config.join("k1.token");
    std::fs::write(&token, "kiosk-token-for-tests-0123456789")?;
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o600))?;
    let mut gateway = Gateway::start_under(&["prlimit", FILES], &config, &workspace.path("data")).await?;
    gateway.answering().await?;
    let web = gateway.web().await?;
    gateway.until("it is polled", PATIENCE, |status| polls(status) > 3).await?;
    let before = resident(&gateway)?;
    let held = [silent(&web)?, silent(&format!("127.0.0.1:{kiosks}"))?];
    assert_eq!(asks(&web)?, 200);
    let reported = linli_tests::http::ask(
        TcpStream::connect(("127.0.0.1", kiosks))?,
        "POST",
        "/kiosk/v1/k1/report",
        "Authorization: Bearer kiosk-token-for-tests-0123456789\r\nContent-Type: application/json\r\n",
        "{\"boot\":\"b1\",\"seq\":1,\"parts\":{\"paper\":\"ok\"}}",
    )?;
    assert_eq!(reported.0, 200, "{reported:?}");
    // The control socket, the line, the store and the uplink go on.
    let status: Value = serde_json::from_str(&gateway.get("/api/v1/status")?)?;
    let (read, sent) = (polls(&status), subscriber.received()?.len());
    gateway.until("it is polled on", PATIENCE, |status| polls(status) > read + 10).await?;
    eventually("it is sent on", PATIENCE, || subscriber.received().is_ok_and(|all| all.len() > sent + 10))
        .await?;
    let grown = resident(&gateway)?.saturating_sub(before);
    assert!(grown < 16 << 10, "{grown} KiB for {SILENT} connections to each listener");
    let metrics = gateway.get("/metrics")?;
    let evicted = "linli_http_connections_turned_away_total{listener=\"network\",why=\"evicted\"}";
    let evicted = metrics.lines().find_map(|line| line.strip_prefix(evicted)).unwrap_or_default();
    assert!(evicted.trim().parse::<usize>()? > SILENT / 2, "{metrics}");
    drop(held);
    gateway.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_of_the_gateway_waits_for_nobody_that_says_nothing() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let port = free_port()?;
    let _peer = Peer::tcp(port, 1, 200).await?;
    let config = workspace.configure_with("", STORE, &counter(port, "100ms"))?;
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    let web = gateway.web().await?;
    let held = silent(&web)?;
    let began = Instant::now();
    gateway.stop().await?;
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    drop(held);
    Ok(())
}

/// An HL7 line and its device.
fn monitor(port: u16) -> String {
    format!(
        "[[line]]\nid = \"m\"\nkind = \"mllp\"\nlisten = \"127.0.0.1:{port}\"\n\n[[device]]\nid = \"m1\"\nline = \"m\"\n\
         profile = \"hl7/oru-r01\"\nclass = \"vital\"\n\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn monitors_that_say_nothing_stop_no_line_and_no_other_monitor() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let (broker, port, mllp) = (Broker::start(&workspace).await?, free_port()?, free_port()?);
    let subscriber = broker.subscribe(&workspace).await?;
    let _peer = Peer::tcp(port, 1, 200).await?;
    let config = workspace.configure(broker.port, STORE, &(counter(port, "100ms") + &monitor(mllp)))?;
    let mut gateway = Gateway::start_under(&["prlimit", FILES], &config, &workspace.path("data")).await?;
    gateway.answering().await?;
    gateway.until("it is polled", PATIENCE, |status| polls(status) > 3).await?;
    let before = resident(&gateway)?;
    let address = format!("127.0.0.1:{mllp}");
    let mut held = Vec::new();
    for number in 0..300 {
        let mut stream = TcpStream::connect(&address)?;
        if number % 3 == 0 {
            // Whether it is still heard does not matter.
            let _ = stream.write_all(b"\x0bMSH|^~\\&|half");
        }
        held.push(stream);
    }
    let lab = Hl7Monitor::on(mllp);
    let began = Instant::now();
    let message = "MSH|^~\\&|LAB|WARD|||20261129120000||ORU^R01|1|P|2.5\rPID|||A1\rOBR|1\r\
                   OBX|1|NM|8867-4^Heart rate^LN||71|/min|||||F";
    let answers = lab.send(&[message.to_owned()]).await?;
    // The interpreter of the client takes a part of it.
    assert!(began.elapsed() < 2 * SOON, "{:?}", began.elapsed());
    assert_eq!(answers[0]["code"], "AA", "{answers:?}");
    let status: Value = serde_json::from_str(&gateway.get("/api/v1/status")?)?;
    let (read, sent) = (polls(&status), subscriber.received()?.len());
    gateway.until("it is polled on", PATIENCE, |status| polls(status) > read + 10).await?;
    eventually("it is sent on", PATIENCE, || subscriber.received().is_ok_and(|all| all.len() > sent + 10))
        .await?;
    let grown = resident(&gateway)?.saturating_sub(before);
    println!("300 silent monitors: {grown} KiB");
    assert!(grown < 8 << 10, "{grown} KiB for 300 silent monitors");
    drop(held);
    gateway.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_that_send_a_byte_now_and_then_stop_nothing() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let (broker, port) = (Broker::start(&workspace).await?, free_port()?);
    let subscriber = broker.subscribe(&workspace).await?;
    let _peer = Peer::tcp(port, 1, 200).await?;
    let config = workspace.configure(broker.port, STORE, &counter(port, "100ms"))?;
    let file = config.join("gateway.toml");
    let text = std::fs::read_to_string(&file)? + "header_timeout = \"2s\"\n";
    std::fs::write(&file, text)?;
    let mut gateway = Gateway::start_under(&["prlimit", FILES], &config, &workspace.path("data")).await?;
    gateway.answering().await?;
    let web = gateway.web().await?;
    gateway.until("it is polled", PATIENCE, |status| polls(status) > 3).await?;
    let before = resident(&gateway)?;
    let mut held = Vec::new();
    for number in 0..2000 {
        match TcpStream::connect(&web) {
            Ok(stream) => held.push(stream),
            Err(error) => anyhow::bail!("connection {number}: {error}"),
        }
    }
    // A byte each in every round; the time limit of headers, 2 s, ends within the rounds.
    let slow = "GET /api/v1/status HTTP/1.1\r\nHost: linli\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    let (mut grown, mut read) = (0, polls(&serde_json::from_str(&gateway.get("/api/v1/status")?)?));
    for byte in slow.bytes().take(8) {
        for stream in &mut held {
            let _ = stream.write_all(&[byte]);
        }
        assert_eq!(asks(&web)?, 200);
        let before_round = read;
        gateway.until("it is polled on", PATIENCE, |status| polls(status) > before_round + 4).await?;
        read = polls(&serde_json::from_str(&gateway.get("/api/v1/status")?)?);
        grown = grown.max(resident(&gateway)?.saturating_sub(before));
    }
    let sent = subscriber.received()?.len();
    eventually("it is sent on", PATIENCE, || subscriber.received().is_ok_and(|all| all.len() > sent + 10))
        .await?;
    println!("2,000 slow connections: {grown} KiB");
    assert!(grown < 16 << 10, "{grown} KiB for 2,000 slow connections");
    drop(held);
    gateway.stop().await
}
