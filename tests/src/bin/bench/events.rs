//! From a monitor's message to a health worker's screen, while 10 000 values/s flow.

use std::time::Duration;

use anyhow::Context;
use linli_tests::devices::floods;
use linli_tests::{Broker, Flood, Gateway, Hl7Monitor, Workspace};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use crate::measure::{Row, percentile};

const MESSAGES: usize = 300;

/// Runs the benchmark.
pub async fn run() -> anyhow::Result<Vec<Row>> {
    let workspace = Workspace::new()?;
    let broker = Broker::start(&workspace).await?;
    let (flood, monitor) = (Flood::start().await?, Hl7Monitor::new()?);
    let devices = floods(&flood, 8, "100ms") + &monitor.device(None);
    let config = workspace.configure(broker.port, "path = \"../data/linli.db\"", &devices)?;
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    monitor.listening().await?;
    let mut screen = TcpStream::connect(gateway.web().await?).await?;
    let head =
        format!("GET /api/v1/events HTTP/1.1\r\nHost: linli\r\n{}\r\n", gateway.headers_of("watcher")?);
    screen.write_all(head.as_bytes()).await?;
    let (seen, mut events) = mpsc::channel(16);
    let watching = tokio::spawn(async move {
        let mut lines = BufReader::new(screen).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if line == "event: measurement" && seen.send(Instant::now()).await.is_err() {
                return;
            }
        }
    });
    sleep(Duration::from_secs(3)).await;
    let mut monitor = TcpStream::connect(("127.0.0.1", monitor.port)).await?;
    let (mut to_screen, mut to_answer) = (Vec::new(), Vec::new());
    for number in 0..MESSAGES {
        let message = format!(
            "\x0bMSH|^~\\&|M|C|GW|C|||ORU^R01^ORU_R01|B{number}|P|2.6\rOBR|1|||85353-1^Vital signs^LN\r\
             OBX|1|NM|59408-5^SpO2^LN||97|%^^UCUM|||||F\r\x1c\r"
        );
        let begin = Instant::now();
        monitor.write_all(message.as_bytes()).await?;
        let mut answer = [0; 512];
        let length = monitor.read(&mut answer).await?;
        to_answer.push(begin.elapsed().as_secs_f64() * 1000.0);
        anyhow::ensure!(String::from_utf8_lossy(&answer[..length]).contains("MSA|AA"), "not taken");
        let at = timeout(Duration::from_secs(5), events.recv()).await?.context("no event")?;
        to_screen.push(at.saturating_duration_since(begin).as_secs_f64() * 1000.0);
        sleep(Duration::from_millis(37)).await;
    }
    watching.abort();
    gateway.stop().await?;
    let shown = (percentile(&mut to_screen, 0.5), percentile(&mut to_screen, 0.99));
    let answer = (percentile(&mut to_answer, 0.5), percentile(&mut to_answer, 0.99));
    Ok(vec![Row::new(
        "measurement → durable → screen (SSE), under 10 000 values/s",
        "p99 < 200 ms",
        format!(
            "p50 {:.1} ms, p99 {:.1} ms; acknowledged p50 {:.1} ms, p99 {:.1} ms",
            shown.0, shown.1, answer.0, answer.1
        ),
    )])
}
