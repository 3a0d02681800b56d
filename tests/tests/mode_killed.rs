//! A switch whose gateway is killed at any line of its record.

use std::time::Duration;

use linli_tests::room::{Centre, Room, does, room};
use linli_tests::switching::{PATIENCE, order_to_enter};
use linli_tests::{Crew, Gateway};
use serde_json::Value;

/// Lines of the record so far.
fn lines(gateway: &Gateway) -> usize {
    let shown = gateway.ask("GET", "/api/v1/mode", &Value::Null).map(|(_, shown)| shown).unwrap_or_default();
    usize::try_from(shown["record"]["count"].as_u64().unwrap_or_default()).unwrap_or_default()
}

/// One switch, killed when the record has that many lines. Gives whether that point was reached.
async fn killed_at(point: usize) -> anyhow::Result<bool> {
    let mut centre = Centre::new(None).await?;
    let mut place = Room::start(centre.port, "2").await?;
    let mut gateway = centre.gateway().await?;
    order_to_enter(&gateway, &mut centre).await?;
    let crew = Crew { resumes: true, retries: true };
    let (mut is_killed, began) = (false, tokio::time::Instant::now());
    loop {
        if !is_killed && lines(&gateway) >= point {
            gateway.kill().await?;
            is_killed = true;
            gateway = centre.gateway().await?;
        }
        let shown = room(&gateway)?;
        if shown["stage"] == "ready" {
            break;
        }
        anyhow::ensure!(began.elapsed() < PATIENCE * 2, "point {point}: {shown:#}\n{}", gateway.log());
        crew.work(&gateway, &mut place, &[], Duration::ZERO).await?;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(place.harms(), [Value::Null; 0], "point {point}");
    // It opened the gate once: each press moves it once more.
    assert_eq!(place.written("coil", 1), [1], "point {point}");
    let record = centre.stage.path("record.jsonl").to_string_lossy().into_owned();
    let exported = gateway.verb(&["mode", "audit", "export", "-o", &record]).await?;
    assert!(exported.status.success(), "{}", String::from_utf8_lossy(&exported.stderr));
    let with = centre.config.to_string_lossy().into_owned();
    let told = does(&["mode", "audit", "verify", &record, "--with", &with]).await?;
    assert!(told.contains("the same states"), "point {point}: {told}");
    gateway.stop().await?;
    Ok(is_killed)
}

/// A few points by default; `LINLI_POINTS=1-90` looks at all of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_line_of_the_record_a_switch_goes_on_or_holds_safely() -> anyhow::Result<()> {
    let given = std::env::var("LINLI_POINTS").unwrap_or_default();
    let range = given.split_once('-').and_then(|(from, to)| Some(from.parse().ok()?..=to.parse().ok()?));
    let points: Vec<usize> = range.map_or_else(|| vec![9, 21, 33, 41, 49, 57], Iterator::collect);
    let mut reached = 0;
    for few in points.chunks(3) {
        let runs = few.iter().map(|point| tokio::spawn(killed_at(*point)));
        for run in runs.collect::<Vec<_>>() {
            reached += usize::from(run.await??);
        }
    }
    println!("{reached} of {} points were reached", points.len());
    assert!(reached * 10 >= points.len() * 7, "only {reached} of {} points were reached", points.len());
    Ok(())
}
