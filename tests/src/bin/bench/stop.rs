//! From a person who presses stop to the command that makes the lamps safe, while 10 000 values/s flow.

use std::time::Duration;

use linli_tests::devices::floods;
use linli_tests::room::{Centre, ENTER, Room, room, step};
use linli_tests::{Broker, Flood, Held, Link, Operators, Workspace, eventually};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::measure::{Row, percentile};

const STOPS: usize = 20;
const PATIENCE: Duration = Duration::from_secs(60);

/// The lamps, off: write single coil 0 (Modbus Application Protocol 6.5).
fn lamps_off(telegram: &[u8]) -> bool {
    telegram.get(7..12) == Some(&[5, 0, 0, 0, 0])
}

/// Runs the benchmark.
pub async fn run() -> anyhow::Result<Vec<Row>> {
    let workspace = Workspace::new()?;
    let broker = Broker::start(&workspace).await?;
    let flood = Flood::start().await?;
    let mut centre = Centre::new(Some(broker.port)).await?;
    let cable = Link::to(centre.port).await?;
    centre.wired_to(cable.port)?;
    let file = centre.config.join("devices.toml");
    let devices = std::fs::read_to_string(&file)? + "\n" + &floods(&flood, 8, "100ms");
    std::fs::write(file, devices)?;
    let mut place = Room::start(centre.port, "2").await?;
    let gateway = centre.gateway().await?;
    eventually("no fire", PATIENCE, || room(&gateway).is_ok_and(|room| room["fire"] == "normal")).await?;
    let plan = centre.named_plan("xinghe", ENTER);
    let order = centre.order("enter", "actual", &["--plan", &plan], &["wang", "li"]).await?;
    let (is_taken, reported) = centre.send(&gateway, &order).await?;
    anyhow::ensure!(is_taken, "{reported}");
    let operators = Operators { resumes: true, retries: true };
    let (mut waits, asked, began) = (Vec::new(), flood.asked(), Instant::now());
    while waits.len() < STOPS {
        anyhow::ensure!(began.elapsed() < PATIENCE * 10, "{:#}", room(&gateway)?);
        let shown = operators.attend(&gateway, &mut place, 4).await?;
        if step(&shown, "uv-dose") != "running" {
            sleep(Duration::from_millis(50)).await;
            continue;
        }
        cable.hold(lamps_off, Held::Nothing);
        let pressed = Instant::now();
        let (status, reported) = gateway.ask("POST", "/api/v1/mode/rooms/reading-room/stop", &Value::Null)?;
        anyhow::ensure!(status == 200, "{reported}");
        let written = cable.caught(PATIENCE).await?;
        waits.push(written.duration_since(pressed).as_secs_f64() * 1000.0);
        eventually("it is safe", PATIENCE, || {
            room(&gateway).is_ok_and(|room| room["unproven"] == Value::Array(Vec::new()))
        })
        .await?;
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let rate = (flood.asked() - asked) as f64 * 125.0 / began.elapsed().as_secs_f64();
    anyhow::ensure!(rate > 9000.0, "only {rate:.0} values/s beside it");
    anyhow::ensure!(place.violations().is_empty(), "{:?}", place.violations());
    gateway.stop().await?;
    let (p50, most) = (percentile(&mut waits, 0.5), percentile(&mut waits, 1.0));
    Ok(vec![Row::new(
        format!("stop → lamps' safe command on the wire, under {rate:.0} values/s"),
        "< 200 ms",
        format!("p50 {p50:.1} ms, longest of {STOPS} {most:.1} ms"),
    )])
}
