//! The screens in a real browser beside 10 000 values/s and 20 panels: age of what is shown, memory, size, first view.

use std::time::Duration;

use anyhow::{Context, ensure};
use linli_tests::devices::floods;
use linli_tests::log_in::EVERY_ROLE;
use linli_tests::{Broker, Flood, Gateway, Workspace};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::browser;
use crate::measure::{Row, Use, of_the_file, resident};

/// Panels in all.
const PANELS: usize = 20;

/// Those that are pages of a browser; the others read the same stream without drawing it, since a browser with 20 pages
/// would measure itself on a small machine.
const PAGES: usize = 4;

/// How often the connection of the panel that is left open is cut, and from one cut to the next at least.
const A_WHILE: (usize, Duration) = (12, Duration::from_secs(5));
const AN_HOUR: (usize, Duration) = (60, Duration::from_secs(60));

/// Longest run of the browser.
const PATIENCE: Duration = Duration::from_secs(900);
const OF_AN_HOUR: Duration = Duration::from_secs(4500);

/// Runs the benchmark.
pub async fn run() -> anyhow::Result<Vec<Row>> {
    let workspace = Workspace::new()?;
    let broker = Broker::start(&workspace).await?;
    let flood = Flood::start().await?;
    let devices = floods(&flood, 8, "100ms");
    let config = workspace.configure(broker.port, "path = \"../data/linli.db\"", &devices)?;
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    let web = gateway.web().await?;
    let cookie = gateway.log_in_at(&web, "zhao", &EVERY_ROLE)?;
    let (alone, _) = resident(gateway.pid())?;
    let mut streams = JoinSet::new();
    for _ in PAGES..PANELS {
        streams.spawn(read_stream(web.clone(), cookie.clone()));
    }
    let busy = Use::of(gateway.pid())?;
    let words = [format!("http://{web}"), cookie.clone(), PAGES.to_string()];
    let seen =
        timeout(PATIENCE, browser::run("screens", &words)).await.context("the browser takes too long")??;
    let ((_, cores), (now, most)) = (busy.so_far()?, resident(gateway.pid())?);
    ensure!(streams.len() == PANELS - PAGES, "a stream has ended");
    let file = of_the_file(gateway.pid())?;
    let left_open = panel((&web, &cookie), A_WHILE, PATIENCE).await?;
    streams.shutdown().await;
    gateway.stop().await?;
    let number = |key: &str| seen[key].as_f64().unwrap_or(f64::NAN);
    Ok(vec![
        Row::new(
            format!("sample → screen, {PANELS} panels, 10 000 values/s ({PAGES} pages, the others streams)"),
            "p50 ≤ 100 ms, p99 ≤ 300 ms",
            format!("p50 {:.0} ms, p99 {:.0} ms of {}", number("p50"), number("p99"), number("samples")),
        ),
        Row::new(
            format!("gateway with {PANELS} panels, resident memory"),
            "< 40 MB",
            format!(
                "{now:.1} MB, of which the program {file:.1} (highest {most:.1}; {alone:.1} without), {cores:.2} cores"
            ),
        ),
        Row::new(
            "assets of the screens, compressed",
            "≤ 150 kB",
            format!("{:.0} kB", number("assets") / 1000.0),
        ),
        Row::new(
            "first view on a phone, processor 4 times slower",
            "≤ 1 s",
            format!("{:.0} ms, the middle of 5", number("firstView")),
        ),
        left_open,
    ])
}

/// One panel for an hour.
pub async fn hour() -> anyhow::Result<Vec<Row>> {
    let workspace = Workspace::new()?;
    let broker = Broker::start(&workspace).await?;
    let flood = Flood::start().await?;
    let devices = floods(&flood, 8, "1s");
    let config = workspace.configure(broker.port, "path = \"../data/linli.db\"", &devices)?;
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    let web = gateway.web().await?;
    let cookie = gateway.log_in_at(&web, "zhao", &EVERY_ROLE)?;
    let left_open = panel((&web, &cookie), AN_HOUR, OF_AN_HOUR).await?;
    gateway.stop().await?;
    Ok(vec![left_open])
}

/// Leaves a panel open and cuts its connection.
async fn panel(
    (web, cookie): (&str, &str),
    (cuts, period): (usize, Duration),
    patience: Duration,
) -> anyhow::Result<Row> {
    let words =
        [format!("http://{web}"), cookie.to_owned(), cuts.to_string(), period.as_millis().to_string()];
    let began = Instant::now();
    let seen =
        timeout(patience, browser::run("panel", &words)).await.context("the browser takes too long")??;
    ensure!(seen["isSame"] == true, "the panel was loaded anew");
    let number = |key: &str| seen[key].as_f64().unwrap_or(f64::NAN);
    let growth = (number("after") / number("before") - 1.0) * 100.0;
    let minutes = began.elapsed().as_secs_f64() / 60.0;
    Ok(Row::new(
        format!("a panel left open {minutes:.0} minutes, its stream cut {cuts} times: heap after collection"),
        "≤ 20 % more, no reload",
        format!("{:.1} → {:.1} MB ({growth:+.0} %), same page", number("before"), number("after")),
    ))
}

/// Reads a stream for ever, as a panel does.
async fn read_stream(web: String, cookie: String) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(&web).await?;
    let topics = "hb,values,alarm,kiosk,mode,order,food,missed";
    let head =
        format!("GET /api/v1/events?topics={topics} HTTP/1.1\r\nHost: linli\r\nCookie: {cookie}\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    let mut buffer = vec![0; 64 * 1024];
    while stream.read(&mut buffer).await? > 0 {}
    anyhow::bail!("the stream has ended")
}
