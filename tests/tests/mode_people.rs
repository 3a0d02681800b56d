//! The mode switch as people meet it: a whole drill by one command, a stop that is always answered, and a
//! status that says why a room is held and what ends it.

use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use linli_tests::room::{Centre, ENTER, Room, room};
use linli_tests::switching::{PATIENCE, at, order_to_enter, until};
use linli_tests::{Gateway, Workspace, binary, eventually};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};

/// Stops that are asked for one after another.
const STOPS: usize = 220;

fn said(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&[output.stdout.clone(), output.stderr.clone()].concat()).into_owned()
}

async fn started() -> anyhow::Result<(Centre, Room, Gateway)> {
    let centre = Centre::new(None).await?;
    let place = Room::start(centre.port, "2").await?;
    let gateway = centre.gateway().await?;
    until(&gateway, "no fire", |room| room["fire"] == "normal").await?;
    Ok((centre, place, gateway))
}

#[tokio::test]
async fn one_command_plays_a_whole_drill_and_leaves_a_report() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let (centre, mut place, gateway) = started().await?;
    place.set("occupied 0").await?;
    let (chen, deng) = (centre.key("drill-chen"), centre.key("drill-deng"));
    let report = workspace.path("drill.md").to_string_lossy().into_owned();
    let keys = ["--key", &chen, "--key", &deng, "-o", &report];
    // Without a terminal nobody can be asked: it says so, and nothing begins.
    let asked = gateway.verb(&[&["drill", "run", ENTER][..], &keys].concat()).await?;
    assert!(!asked.status.success() && said(&asked).contains("--simulate"), "{}", said(&asked));
    at(&gateway, "peace").await?;
    let played = gateway.verb(&[&["drill", "run", ENTER, "--simulate"][..], &keys].concat()).await?;
    assert!(played.status.success(), "{}", said(&played));
    at(&gateway, "peace").await?;
    assert_eq!(place.written("coil", 0), [0_i64; 0], "the lamps were not touched");
    let report = std::fs::read_to_string(&report)?;
    for words in ["【演练】", "模拟 simulated", "sweep"] {
        assert!(report.contains(words), "{words}: {report}");
    }
    // A plan that does not exist is answered with those that do.
    let unknown =
        gateway.verb(&[&["drill", "run", "kitchen.sampling@9", "--simulate"][..], &keys].concat()).await?;
    assert!(!unknown.status.success() && said(&unknown).contains(ENTER), "{}", said(&unknown));
    gateway.stop().await
}

/// What a child has printed so far.
fn printed_by(child: &mut tokio::process::Child) -> anyhow::Result<Arc<Mutex<String>>> {
    let mut lines = BufReader::new(child.stdout.take().context("no output")?).lines();
    let printed = Arc::new(Mutex::new(String::new()));
    let heard = Arc::clone(&printed);
    tokio::spawn(async move {
        while let Ok(Some(line)) = lines.next_line().await {
            let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
            heard.push_str(&line);
            heard.push('\n');
        }
    });
    Ok(printed)
}

/// The last complete screen that a watching status drew.
fn screen(printed: &Mutex<String>) -> String {
    let printed = printed.lock().unwrap_or_else(PoisonError::into_inner);
    let mut screens = printed.rsplit("\u{1b}[2J\u{1b}[H").skip(1);
    screens.next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_watching_status_follows_the_rooms_and_says_when_nobody_answers() -> anyhow::Result<()> {
    let (mut centre, _place, gateway) = started().await?;
    let config = centre.config.to_string_lossy().into_owned();
    let mut watching = tokio::process::Command::new(binary()?)
        .args(["mode", "status", "--watch", "--config", &config])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let printed = printed_by(&mut watching)?;
    let sees = async |what: &str, words: &[&str]| {
        let seen =
            eventually(what, PATIENCE, || words.iter().all(|word| screen(&printed).contains(word))).await;
        seen.map_err(|error| anyhow::anyhow!("{error}: {}", screen(&printed)))
    };
    sees("peace", &["reading-room", "平时"]).await?;
    order_to_enter(&gateway, &mut centre).await?;
    sees("the order", &["【实战】", ENTER]).await?;
    let stopped = gateway.verb(&["mode", "stop", "reading-room"]).await?;
    assert!(stopped.status.success(), "{}", said(&stopped));
    sees("the stop", &["停止原因 held", "怎样解除 ends"]).await?;
    // What was shown is not left standing when the gateway dies, and comes back with it.
    gateway.kill().await?;
    sees("nobody answers", &["网关没有回应"]).await?;
    assert!(!screen(&printed).contains("reading-room"), "{}", screen(&printed));
    let gateway = centre.gateway().await?;
    sees("it is back", &["停止原因 held", "reading-room"]).await?;
    assert!(watching.try_wait()?.is_none(), "it goes on until it is ended");
    let pid = watching.id().context("it ended")?.to_string();
    tokio::process::Command::new("kill").arg(&pid).status().await?;
    watching.wait().await?;
    gateway.stop().await
}

#[tokio::test]
async fn every_stop_is_answered_truly() -> anyhow::Result<()> {
    let (mut centre, _place, gateway) = started().await?;
    order_to_enter(&gateway, &mut centre).await?;
    for nth in 0..STOPS {
        let stopped = gateway.verb(&["mode", "stop", "reading-room"]).await?;
        assert!(stopped.status.success(), "stop {nth}: {}", said(&stopped));
    }
    at(&gateway, "held").await?;
    let shown = room(&gateway)?;
    let held = &shown["held"][0];
    assert_eq!(held["cause"], "stop", "{shown:#}");
    assert!(held["ends"]["zh"].as_str().unwrap_or_default().contains("继续"), "{held}");
    assert!(shown["waits"]["en"].is_string(), "{shown:#}");
    let panel = &shown["fire_panel"];
    assert_eq!((&panel["state"], panel["age_s"].is_u64()), (&Value::from("normal"), true), "{panel}");
    let status = said(&gateway.verb(&["mode", "status"]).await?);
    for words in ["【实战】", "停止原因 held", "怎样解除 ends", "消防 fire"] {
        assert!(status.contains(words), "{words}: {status}");
    }
    let resumed = gateway.verb(&["mode", "resume", "reading-room", "--as", "zhao", "--why", "误报"]).await?;
    assert!(resumed.status.success(), "{}", said(&resumed));
    let status = said(&gateway.verb(&["mode", "status"]).await?);
    assert!(status.contains("人员 person    zhao · local:"), "{status}");
    assert!(status.contains("未核实 unverified"), "{status}");
    let stopped = gateway.verb(&["mode", "stop", "reading-room"]).await?;
    assert!(stopped.status.success(), "{}", said(&stopped));
    // What is refused says what to do next, in both languages.
    let refused = gateway.verb(&["mode", "resume", "reading-room", "--as", "qian", "--why", "试"]).await?;
    let words = said(&refused);
    assert!(
        !refused.status.success() && words.contains("没有这项权限") && words.contains("Ask a"),
        "{words}"
    );
    gateway.stop().await
}
