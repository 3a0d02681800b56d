//! A small centre: one line, five devices, every 10 s.

use std::fmt::Write;
use std::time::Duration;

use linli_tests::devices::{STORE, counter};
use linli_tests::{Broker, Gateway, Peer, Workspace, free_port};
use tokio::time::sleep;

use crate::measure::{Row, Use, resident};

/// Runs the benchmark.
pub async fn run() -> anyhow::Result<Vec<Row>> {
    let workspace = Workspace::new()?;
    let broker = Broker::start(&workspace).await?;
    // What nobody subscribes to is not taken.
    let _subscriber = broker.subscribe(&workspace).await?;
    let port = free_port()?;
    let _peer = Peer::tcp(port, 5, 1000).await?;
    let mut devices = counter(port, "10s");
    for unit in 2..=5 {
        let _ = write!(
            devices,
            "[[device]]\nid = \"d{unit}\"\nline = \"l1\"\nunit = {unit}\nprofile = \"generic/counter\"\npoll = \"10s\"\n"
        );
    }
    let config = workspace.configure(broker.port, STORE, &devices)?;
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    sleep(Duration::from_secs(5)).await;
    let used = Use::of(gateway.pid())?;
    sleep(Duration::from_secs(60)).await;
    let (_, cores) = used.so_far()?;
    let (now, most) = resident(gateway.pid())?;
    gateway.stop().await?;
    Ok(vec![
        Row::new("idle, resident memory", "< 15 MB", format!("{now:.1} MB (highest {most:.1})")),
        Row::new("idle, CPU over 60 s", "< 0.5 % of a core", format!("{:.2} %", cores * 100.0)),
    ])
}
