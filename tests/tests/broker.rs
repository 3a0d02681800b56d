//! The gateway's own broker: who gets in, how many, and what it keeps; by mosquitto's clients.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;

use linli_tests::devices::STORE;
use linli_tests::{Gateway, Workspace, eventually, free_port, tool};
use serde_json::Value;
use tokio::process::Command;

const PATIENCE: Duration = Duration::from_secs(60);

/// Clients that the broker takes.
const MOST: usize = 200;

struct Bench {
    workspace: Workspace,
    config: PathBuf,
    port: u16,
}

impl Bench {
    fn new(host: &str, more: &str) -> anyhow::Result<Self> {
        let (workspace, port) = (Workspace::new()?, free_port()?);
        let devices = format!(
            "[[line]]\nid = \"z\"\nkind = \"mqtt\"\nlisten = \"{host}:{port}\"\n{more}\n\n[[device]]\nid = \"leak\"\nline = \"z\"\n\
             profile = \"zigbee2mqtt/water-leak\"\npoll = \"1h\"\n"
        );
        let config = workspace.configure_with("", STORE, &devices)?;
        Ok(Self { workspace, config, port })
    }

    async fn start(&self) -> anyhow::Result<Gateway> {
        let mut gateway = Gateway::start(&self.config, &self.workspace.path("data")).await?;
        gateway.answering().await?;
        gateway.until("the line is up", PATIENCE, |status| status["lines"][0]["up"] == true).await?;
        Ok(gateway)
    }

    async fn publish(&self, more: &[&str]) -> anyhow::Result<Output> {
        let mut command = Command::new(tool("mosquitto_pub", "mosquitto-clients")?);
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-q", "1"]).args(more);
        Ok(command.stdin(Stdio::null()).output().await?)
    }
}

/// CONNECT of MQTT 3.1.1 without keep-alive.
fn connect(id: usize) -> Vec<u8> {
    let id = format!("client-{id:04}");
    let body = [&[0, 4][..], b"MQTT", &[4, 2, 0, 0, 0, 11], id.as_bytes()].concat();
    [&[0x10, u8::try_from(body.len()).unwrap_or(0)][..], &body].concat()
}

/// Connects and returns the connection if the broker takes it.
fn client(port: u16, id: usize) -> Option<TcpStream> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(&connect(id)).ok()?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).ok()?;
    (answer == [0x20, 2, 0, 0]).then_some(stream)
}

/// Whether a connection is still open.
fn is_open(stream: &mut TcpStream) -> bool {
    let _ = stream.set_read_timeout(Some(Duration::from_millis(20)));
    match stream.read(&mut [0; 1]) {
        Ok(count) => count > 0,
        Err(error) => matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut),
    }
}

fn resident(gateway: &Gateway) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", gateway.pid()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    Ok(line.trim().trim_end_matches(" kB").trim().parse()?)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_clients_are_two_hundred_and_silent_ones_shut_nobody_out() -> anyhow::Result<()> {
    let bench = Bench::new("127.0.0.1", "")?;
    let gateway = bench.start().await?;
    let silent: Vec<TcpStream> =
        (0..300).filter_map(|_| TcpStream::connect(("127.0.0.1", bench.port)).ok()).collect();
    let mut clients = Vec::new();
    for id in 0..MOST + 15 {
        clients.push(client(bench.port, id).ok_or_else(|| anyhow::anyhow!("client {id} is shut out"))?);
    }
    let open = || clients.iter_mut().filter_map(|stream| is_open(stream).then_some(())).count();
    let open = std::cell::RefCell::new(open);
    eventually("the limit holds", PATIENCE, || (open.borrow_mut())() <= MOST).await?;
    assert_eq!((open.borrow_mut())(), MOST, "those that were idle longest gave way, and no more");
    let published = bench.publish(&["-t", "zigbee2mqtt/leak", "-m", "{\"water_leak\":true}"]).await?;
    assert!(published.status.success(), "{published:?}");
    let shows = || {
        let shown: Value = serde_json::from_str(&gateway.get("/api/v1/devices/leak").unwrap_or_default())
            .unwrap_or_default();
        shown["points"].as_array().is_some_and(|points| points.iter().any(|point| point["value"] == true))
    };
    eventually("the leak is seen", PATIENCE, shows).await?;
    drop(silent);
    gateway.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_retained_and_how_long_a_packet_is_have_limits() -> anyhow::Result<()> {
    let bench = Bench::new("127.0.0.1", "")?;
    let gateway = bench.start().await?;
    let before = resident(&gateway)?;
    let mut flood = client(bench.port, 1).ok_or_else(|| anyhow::anyhow!("not taken"))?;
    let publish = |topic: &str, size: usize| {
        let length = 2 + topic.len() + size;
        let mut packet = vec![0x31];
        let mut rest = length;
        loop {
            let more = rest >= 128;
            packet.push(u8::try_from(rest % 128).unwrap_or(0) | if more { 0x80 } else { 0 });
            rest /= 128;
            if !more {
                break;
            }
        }
        packet.extend([0, u8::try_from(topic.len()).unwrap_or(0)]);
        packet.extend(topic.as_bytes());
        packet.resize(packet.len() + size, b'x');
        packet
    };
    // 3,000 messages of 100 kB and 3,000 of 16 kB, all to be retained: 350 MB.
    for (kind, size) in [("large", 100_000), ("small", 16_000)] {
        for number in 0..3000 {
            flood.write_all(&publish(&format!("flood/{kind}/{number}"), size))?;
        }
    }
    // The answer to a ping comes after all of them.
    flood.write_all(&[0xc0, 0])?;
    let mut pong = [0; 2];
    flood.read_exact(&mut pong)?;
    assert_eq!(pong, [0xd0, 0]);
    let grown = resident(&gateway)?.saturating_sub(before);
    println!("350 MB to retain: {grown} KiB");
    assert!(grown < 64 << 10, "{grown} KiB are kept of 350 MB");
    // A packet that announces more than may be is cut off at once.
    flood.write_all(&[0x30, 0x80, 0x80, 0x80, 0x01])?;
    eventually("it is cut off", PATIENCE, || !is_open(&mut flood)).await?;
    gateway.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn off_loopback_it_needs_credentials_and_speaks_tls() -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let open = Bench::new("0.0.0.0", "")?;
    let refused = linli_tests::linli(&["check", &open.config.display().to_string()]).await?;
    assert_eq!(refused.status.code(), Some(2));
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(told.contains("other machines reach this broker"), "{told}");
    let bench = Bench::new("0.0.0.0", "username = \"sensors\"\npassword = \"file:sensors.password\"")?;
    let secret = bench.config.join("sensors.password");
    std::fs::write(&secret, "a long password\n")?;
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600))?;
    let gateway = bench.start().await?;
    let shown = gateway.verb(&["tls", "show", "--authority"]).await?;
    let authority = bench.workspace.path("ca.pem");
    std::fs::write(&authority, shown.stdout)?;
    let authority = authority.display().to_string();
    let message = ["-t", "zigbee2mqtt/leak", "-m", "{\"water_leak\":true}"];
    let login = ["-u", "sensors", "-P", "a long password"];
    let trusting = ["--cafile", authority.as_str()];
    for (what, more) in [
        ("no TLS", [&login[..], &message].concat()),
        ("no credentials", [&trusting[..], &message].concat()),
        ("a wrong password", [&trusting[..], &["-u", "sensors", "-P", "guess"], &message].concat()),
    ] {
        let mut more = more;
        more.extend(["-W", "5"].iter().take(0));
        let published = tokio::time::timeout(PATIENCE, bench.publish(&more)).await;
        assert!(!matches!(published, Ok(Ok(output)) if output.status.success()), "{what}");
    }
    for version in ["mqttv311", "mqttv5"] {
        let published = bench.publish(&[&trusting[..], &login, &["-V", version], &message].concat()).await?;
        assert!(published.status.success(), "{version}: {published:?}");
    }
    gateway.stop().await
}
