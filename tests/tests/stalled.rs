//! A database that cannot be written: a stop and a fire are carried out at once and recorded later, and the
//! stop is answered meanwhile.

use std::cell::Cell;
use std::process::Stdio;

use linli_tests::room::{Centre, Room, step};
use linli_tests::switching::{PATIENCE, act, order_to_enter, until, until_with};
use linli_tests::{Broker, Gateway, Operators, Workspace, eventually, python};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

/// Holds the database's write lock until it hears a line.
const HOLDER: &str = "import sqlite3, sys\n\
    held = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)\n\
    held.execute('BEGIN IMMEDIATE')\n\
    print('held', flush=True)\n\
    sys.stdin.readline()\n\
    held.execute('ROLLBACK')\n";

/// Takes the lock: from now on nothing can be written.
async fn held(database: &std::path::Path) -> anyhow::Result<Child> {
    let mut holder = Command::new(python()?);
    let holder = holder.args(["-c", HOLDER]).arg(database).kill_on_drop(true);
    let mut holder = holder.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut reported = String::new();
    let out = holder.stdout.take().ok_or_else(|| anyhow::anyhow!("no output"))?;
    BufReader::new(out).read_line(&mut reported).await?;
    anyhow::ensure!(reported == "held\n", "the lock is not held: {reported:?}");
    Ok(holder)
}

/// Starts a centre and waits until its lamps are on.
async fn burning(mqtt: Option<u16>) -> anyhow::Result<(Centre, Room, Gateway)> {
    let mut centre = Centre::new(mqtt).await?;
    let mut place = Room::start(centre.port, "30").await?;
    let gateway = centre.gateway().await?;
    order_to_enter(&gateway, &mut centre).await?;
    let operators = Operators { resumes: false, retries: false };
    let burns = |room: &serde_json::Value| step(room, "uv-dose") == "running";
    until_with(&gateway, &mut place, &operators, "lamps burn", burns).await?;
    assert_eq!(lamps(&place), Some(1));
    Ok((centre, place, gateway))
}

/// The last value written to the lamps' coil.
fn lamps(place: &Room) -> Option<i64> {
    place.written("coil", 0).last().copied()
}

/// Lets the lock go.
async fn release(holder: &mut Child) -> anyhow::Result<()> {
    if let Some(mut hears) = holder.stdin.take() {
        hears.write_all(b"\n").await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_stop_is_carried_out_and_answered_while_nothing_can_be_written() -> anyhow::Result<()> {
    let (centre, place, gateway) = burning(None).await?;
    let mut holder = held(&centre.workspace.path("data").join("linli.db")).await?;
    let is_confirmed = Cell::new(false);
    // The mode service waits for something that cannot become durable.
    let confirming = async {
        let reported = gateway.verb(&["mode", "confirm", "reading-room", "sweep", "--login", "qian"]).await;
        is_confirmed.set(true);
        reported
    };
    let stopping = async {
        let is_unwritable = |status: &serde_json::Value| status["store"]["writable"] == false;
        gateway.until("a write has failed", PATIENCE, is_unwritable).await?;
        let stopped = gateway.verb(&["mode", "stop", "reading-room"]).await?;
        // The person on the spot is answered before the disk is.
        let (off, confirmed) = (lamps(&place), is_confirmed.get());
        release(&mut holder).await?;
        anyhow::Ok((stopped, off, confirmed))
    };
    let (confirmed, stopped) = tokio::join!(confirming, stopping);
    let (stopped, off, is_confirmed) = stopped?;
    let text = String::from_utf8_lossy(&stopped.stdout);
    assert!(stopped.status.success(), "{text}{}", String::from_utf8_lossy(&stopped.stderr));
    assert_eq!((off, is_confirmed), (Some(0), false));
    assert!(text.contains("已回到安全状态") && text.contains("not on record yet"), "{text}");
    assert!(!confirmed?.status.success(), "the sweep is not to be confirmed now");
    until(&gateway, "it is held, and proven safe", |room| {
        room["stage"] == "held" && room["unproven"] == json!([])
    })
    .await?;
    assert_eq!(place.violations(), Vec::<serde_json::Value>::new());
    centre.record_holds(&gateway).await?;
    gateway.stop().await
}

#[tokio::test]
async fn a_fire_is_heeded_while_nothing_can_be_written() -> anyhow::Result<()> {
    let (centre, mut place, gateway) = burning(None).await?;
    let mut holder = held(&centre.workspace.path("data").join("linli.db")).await?;
    let confirming = gateway.verb(&["mode", "confirm", "reading-room", "sweep", "--login", "qian"]);
    let burning = async {
        let is_unwritable = |status: &serde_json::Value| status["store"]["writable"] == false;
        gateway.until("a write has failed", PATIENCE, is_unwritable).await?;
        place.set("fire 1").await?;
        eventually("the lamps are commanded off", PATIENCE, || lamps(&place) == Some(0)).await?;
        release(&mut holder).await
    };
    let (_confirmed, heeded) = tokio::join!(confirming, burning);
    heeded?;
    until(&gateway, "it is held by the fire, and proven safe", |room| {
        room["stage"] == "held" && room["fire"] == "alarm" && room["unproven"] == json!([])
    })
    .await?;
    assert_eq!(place.violations(), Vec::<serde_json::Value>::new());
    centre.record_holds(&gateway).await?;
    gateway.stop().await
}

#[tokio::test]
async fn a_stop_that_cannot_be_written_is_written_later_and_told() -> anyhow::Result<()> {
    let stage = Workspace::new()?;
    let broker = Broker::start(&stage).await?;
    let subscriber = broker.subscribe(&stage).await?;
    let (centre, place, gateway) = burning(Some(broker.port)).await?;
    let held_told = || {
        let all = subscriber.received().unwrap_or_default();
        all.iter().filter(|reported| reported.payload["stage"] == "held").count()
    };
    let mut holder = held(&centre.workspace.path("data").join("linli.db")).await?;
    let path = "/api/v1/mode/rooms/reading-room/stop";
    let (status, reported) = gateway.ask_within(PATIENCE, "POST", path, &json!({})).await?;
    assert_eq!((status, &reported["stop"]["recorded"]), (200, &json!(false)), "{reported}");
    assert_eq!((lamps(&place), held_told()), (Some(0), 0), "done, and on no record yet");
    release(&mut holder).await?;
    until(&gateway, "it is proven safe", |room| room["unproven"] == json!([])).await?;
    let (status, reported) = act(&gateway, "resume", &json!({"person": "zhao", "why": "误报"}))?;
    assert_eq!(status, 200, "{reported}");
    eventually("the district hears of the stop", PATIENCE, || held_told() == 1).await?;
    let record = std::fs::read_to_string(centre.record(&gateway).await?)?;
    assert_eq!(record.matches("\"stop\":{").count(), 1, "the stop is on record, once");
    assert_eq!(place.violations(), Vec::<serde_json::Value>::new());
    centre.record_holds(&gateway).await?;
    gateway.stop().await
}
