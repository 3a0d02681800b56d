//! A database that an earlier version left behind, opened by the binary under test.
//!
//! `tests/fixtures/<version>/` holds the configuration and the database of a gateway of that version
//! that was killed in the middle of a switch, with the broker away. How it was made is below; it is
//! never made again with a later version.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use linli_tests::room::{BACK, Centre, ENTER, rooms, step, succeed};
use linli_tests::scene::{Ports, RESIDENT, Scene, alarm_is, command, soon, succeeds};
use linli_tests::switching::{PATIENCE, send, until, until_with};
use linli_tests::{FakeClock, Gateway, Operators, Proof, Received, Workspace, eventually, now_ms, python};
use serde_json::{Value, json};

/// What the database of a gateway that does not run holds.
async fn stored(database: &Path) -> anyhow::Result<Value> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/stored.py");
    let output = tokio::process::Command::new(python()?).arg(script).arg(database).output().await?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}

const HALL: &str = "hall.command@1";

/// Files of the data directory that are the fixture; the others are made anew at a start.
const DATA: [&str; 3] = ["linli.db", "linli.db.watermark", "record.key"];

fn fixture(version: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(version)
}

/// Copies a directory.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy(&entry.path(), &target)?,
            false => {
                std::fs::copy(entry.path(), &target).context("a file of the fixture")?;
                std::fs::set_permissions(&target, Permissions::from_mode(0o600))?;
            }
        }
    }
    // As the service manager makes it; version control keeps no such modes.
    Ok(std::fs::set_permissions(to, Permissions::from_mode(0o700))?)
}

/// Where the outputs of the reading room are, so that a simulation can begin there.
fn outputs(scene: &Scene) -> Value {
    let last = |kind: &str, address: u64| scene.room.written(kind, address).last().copied();
    let word = |address: u64, before: i64| last("register", address).unwrap_or(before);
    let presses = scene.room.written("coil", 1).iter().filter(|value| **value == 1).count();
    json!({"4": {
        "occupied": false, "entry": word(0, 0), "outdoor": word(1, 30), "recirculation": word(2, 70),
        "scene": word(3, 1), "gate": presses % 2 == 1, "presses": presses,
    }})
}

#[tokio::test]
#[ignore = "makes tests/fixtures/0.1 anew; only with a binary of version 0.1"]
async fn make_the_fixture_of_0_1() -> anyhow::Result<()> {
    let mut scene = Scene::new().await?;
    let gateway = scene.start(&[]).await?;
    until(&gateway, "no fire", |room| room["fire"] == "normal").await?;
    alarm_is(&gateway, "hot-holding.cool", "unacknowledged").await?;
    succeeds(&gateway, &["alarms", "acknowledge", "hot-holding.cool"]).await?;
    let visit = scene.visit(&gateway, "A1").await?;
    scene.kiosk_reports()?;
    scene.documents(&gateway).await?;
    let (status, written) = command(&gateway, "c-written", &json!(21.5), soon())?;
    ensure!(status == 200, "{status} {written}");
    let (_, expired) = command(&gateway, "c-expired", &json!(22.5), now_ms() - 1)?;
    gateway
        .until("messages are too large", PATIENCE, |status| {
            status["uplink"]["dead_letters"].as_u64() > Some(1)
        })
        .await?;
    scene.broker.end().await?;
    gateway.until("the broker is away", PATIENCE, |status| status["uplink"]["connected"] == false).await?;
    let plans = [ENTER, HALL].map(|plan| scene.centre.named_plan("xinghe", plan));
    let more = ["--plan", &plans[0], "--plan", &plans[1]];
    let order = scene.centre.order("enter", "actual", &more, &["wang", "li"]).await?;
    let (is_taken, answer) = send(&gateway, &order).await?;
    ensure!(is_taken, "{answer}");
    let operators = Operators { resumes: false, retries: false };
    // The hall is stopped when people have done something there.
    let has_begun =
        |_: &Value| find(&gateway, "hall").is_ok_and(|hall| hall.to_string().contains("\"verified\""));
    until_with(&gateway, &mut scene.room, &operators, "something is done in the hall", has_begun).await?;
    let (status, answer) = gateway.ask("POST", "/api/v1/mode/rooms/hall/stop", &Value::Null)?;
    ensure!(status == 200, "{answer}");
    let burns = |room: &Value| step(room, "uv-dose") == "running";
    until_with(&gateway, &mut scene.room, &operators, "the lamps burn", burns).await?;
    let before = rooms(&gateway)?;
    gateway.kill().await?;
    let made_at = now_ms();
    let database = stored(&scene.centre.data.join("linli.db")).await?;
    let to = fixture("0.1");
    let _ = std::fs::remove_dir_all(&to);
    copy(&scene.centre.config, &to.join("config"))?;
    Ports::STORED.replace(scene.ports, &to.join("config"))?;
    std::fs::create_dir_all(to.join("data"))?;
    for name in DATA {
        std::fs::copy(scene.centre.data.join(name), to.join("data").join(name))?;
    }
    for name in ["wang", "li"] {
        std::fs::copy(scene.centre.key(name), to.join(format!("{name}.key")))?;
    }
    let expected = json!({
        "made_at": made_at, "rooms": before, "controller": outputs(&scene), "visit": visit,
        "commands": {"c-written": written, "c-expired": expired}, "database": database, "last_order": 1,
    });
    Ok(std::fs::write(to.join("expected.json"), format!("{expected:#}\n"))?)
}

/// A copy of the fixture with everything around its gateway, a minute after that was killed.
struct Upgrade {
    scene: Scene,
    clock: FakeClock,
    expected: Value,
}

// === impl Upgrade ===

impl Upgrade {
    async fn from(version: &str) -> anyhow::Result<Self> {
        let (from, stage) = (fixture(version), Workspace::new()?);
        let expected: Value = serde_json::from_slice(&std::fs::read(from.join("expected.json"))?)?;
        copy(&from.join("config"), &stage.path("config"))?;
        copy(&from.join("data"), &stage.path("data"))?;
        for name in ["wang.key", "li.key"] {
            std::fs::copy(from.join(name), stage.path(name))?;
            owner_only(&stage.path(name))?;
        }
        owner_only(&stage.path("data/record.key"))?;
        // Orders expire, visits are closed: the wall clock goes on where it stood.
        let since = (now_ms() - integer(&expected["made_at"])?) / 1000 - 60;
        let clock = FakeClock::new(&stage).await?;
        clock.set(&format!("-{since}"))?;
        let ports = Ports::free()?;
        ports.replace(Ports::STORED, &stage.path("config"))?;
        let last_order = expected["last_order"].as_u64().context("no order")?;
        let centre = Centre::existing(stage, ports.controller, last_order);
        let scene = Scene::around(centre, ports, &expected["controller"]).await?;
        Ok(Self { scene, clock, expected })
    }

    async fn start(&self) -> anyhow::Result<Gateway> {
        self.scene.start(&self.clock.constant()).await
    }

    /// A room as it was shown before the gateway was killed.
    fn room_before(&self, name: &str) -> anyhow::Result<&Value> {
        let all = self.expected["rooms"].as_array().context("no rooms")?;
        all.iter().find(|room| room["room"] == name).context("no such room")
    }

    /// Numbers of the messages that waited for the broker, in order.
    fn waiting(&self) -> Vec<u64> {
        let rows = self.expected["database"]["outbox"].as_array();
        rows.into_iter().flatten().filter_map(Value::as_u64).collect()
    }

    /// A moment that the gateway takes for the present, as the command line wants it.
    fn present(&self) -> anyhow::Result<String> {
        Ok(jiff::Timestamp::from_millisecond(integer(&self.expected["made_at"])?)?.to_string())
    }
}

/// A room as it is shown now.
fn find(gateway: &Gateway, name: &str) -> anyhow::Result<Value> {
    rooms(gateway)?.into_iter().find(|room| room["room"] == name).context("no such room")
}

fn integer(value: &Value) -> anyhow::Result<i64> {
    value.as_i64().with_context(|| format!("{value} is no number"))
}

fn owner_only(file: &Path) -> anyhow::Result<()> {
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    Ok(std::fs::set_permissions(file, mode)?)
}

/// The rooms are still under their order. The one that was on its way is walked again from its first
/// step, with nothing claimed (the rule after every restart); the one that people stopped is stopped.
fn goes_on(upgrade: &Upgrade, gateway: &Gateway) -> anyhow::Result<()> {
    for name in ["reading-room", "hall"] {
        let (before, now) = (upgrade.room_before(name)?, find(gateway, name)?);
        for key in ["order", "plan", "class", "direction", "role", "lead", "ordered", "ready_within_until"] {
            ensure!(!before[key].is_null() && now[key] == before[key], "{name}: {key}: {}", now[key]);
        }
        ensure!(now["verified"] == false, "{now:#}");
        let states = |room: &Value| -> Vec<(String, String)> {
            let word = |step: &Value, key: &str| step[key].as_str().unwrap_or_default().to_owned();
            let steps = room["steps"].as_array().into_iter().flatten();
            steps.map(|step| (word(step, "step"), word(step, "state"))).collect()
        };
        let mut expected = states(before);
        if name == "reading-room" {
            ensure!(now["stage"] == "notice", "{now:#}");
            for (nth, (_, state)) in expected.iter_mut().enumerate() {
                *state = if nth == 0 { "asked" } else { "pending" }.to_owned();
            }
        } else {
            ensure!(now["stage"] == "held" && now["causes"] == before["causes"], "{now:#}");
        }
        ensure!(states(&now) == expected, "{name}: {expected:?} is expected: {now:#}");
    }
    ensure!(find(gateway, "kitchen")?["stage"] == "peace", "no order names the kitchen");
    Ok(())
}

/// The record begins with every line that 0.1 wrote, and leads to the states that it says.
async fn record_goes_on(upgrade: &Upgrade, gateway: &Gateway) -> anyhow::Result<()> {
    let exported = std::fs::read_to_string(upgrade.scene.centre.record(gateway).await?)?;
    let mut lines = exported.lines();
    for old in upgrade.expected["database"]["record"].as_array().context("no record")? {
        ensure!(lines.next() == old.as_str(), "the record does not go on from {old}");
    }
    ensure!(lines.next().is_some(), "nothing was written since");
    upgrade.scene.centre.record_holds(gateway).await
}

/// Everything that waited for the broker arrives under its number, and later numbers follow on.
async fn is_delivered(upgrade: &Upgrade, epoch: &Value) -> anyhow::Result<()> {
    let waiting = upgrade.waiting();
    let (first, last) = (waiting.first().context("none waits")?, waiting.last().context("none waits")?);
    let numbered = || -> Vec<(u64, Received)> {
        let received = upgrade.scene.subscriber.received().unwrap_or_default();
        received.into_iter().filter_map(|m| Some((m.payload["seq"].as_u64()?, m))).collect()
    };
    let has_all = || {
        let seqs: std::collections::BTreeSet<u64> = numbered().iter().map(|(seq, _)| *seq).collect();
        let ledger =
            Proof::of(&numbered().into_iter().map(|(_, message)| message).collect::<Vec<_>>()).ledger;
        let is_explained = |seq: &u64| ledger.iter().any(|(_, from, to, _)| (*from..=*to).contains(seq));
        waiting.iter().all(|seq| seqs.contains(seq) || is_explained(seq))
            && seqs.last().is_some_and(|highest| *highest > last + 20)
    };
    eventually("what waited is delivered, and more", PATIENCE, has_all).await.with_context(|| {
        let seqs: Vec<u64> = numbered().iter().map(|(seq, _)| *seq).collect();
        format!("{waiting:?} waited, {seqs:?} came")
    })?;
    let mut by_seq = std::collections::BTreeMap::new();
    for (seq, message) in numbered() {
        ensure!(message.payload["epoch"] == *epoch, "{seq} is of another epoch: {}", message.payload);
        ensure!(seq >= *first, "{seq} had been acknowledged: {}", message.payload);
        let same = by_seq.entry(seq).or_insert_with(|| message.payload.clone());
        ensure!(*same == message.payload, "{seq} was used twice: {same} and {}", message.payload);
    }
    Ok(())
}

#[tokio::test]
async fn a_switch_begun_under_0_1_is_finished() -> anyhow::Result<()> {
    let mut upgrade = Upgrade::from("0.1").await?;
    let gateway = upgrade.start().await?;
    let epoch = upgrade.expected["database"]["meta"]["epoch"].clone();
    goes_on(&upgrade, &gateway)?;
    is_delivered(&upgrade, &epoch).await?;
    record_goes_on(&upgrade, &gateway).await?;
    read_back(&upgrade, &gateway).await?;
    let operators = Operators { resumes: true, retries: true };
    let are_ready = |_: &Value| {
        ["reading-room", "hall"]
            .iter()
            .all(|name| find(&gateway, name).is_ok_and(|room| room["stage"] == "ready"))
    };
    until_with(&gateway, &mut upgrade.scene.room, &operators, "both rooms are ready", are_ready).await?;
    let shown = find(&gateway, "reading-room")?;
    ensure!(shown["verified"] == true, "{shown:#}");
    ensure!(shown["order"] == upgrade.room_before("reading-room")?["order"], "{shown:#}");
    record_goes_on(&upgrade, &gateway).await?;
    assert_eq!(upgrade.scene.room.violations(), [Value::Null; 0]);
    gateway.stop().await?;
    // Nothing that waited, and nothing after it, is missing.
    let received = upgrade.scene.subscriber.settled().await?;
    let proof = Proof::of(&received);
    let waiting = upgrade.waiting();
    let last = waiting.last().copied().context("none waits")?;
    let is_owed = |seq: u64| seq > last || waiting.contains(&seq);
    let missing: Vec<_> = proof.missing().into_iter().filter(|(_, seq)| is_owed(*seq)).collect();
    assert_eq!(missing, [], "a number is missing");
    assert_eq!(proof.seqs.len(), 1, "another epoch began");
    Ok(())
}

#[tokio::test]
async fn a_switch_begun_under_0_1_is_taken_back() -> anyhow::Result<()> {
    let mut upgrade = Upgrade::from("0.1").await?;
    let gateway = upgrade.start().await?;
    goes_on(&upgrade, &gateway)?;
    until(&gateway, "no fire", |room| room["fire"] == "normal").await?;
    let plan = upgrade.scene.centre.named_plan("xinghe", BACK);
    // Signed by the clock of today, long after the gateway's present.
    let more = ["--plan", &plan, "--not-before", &upgrade.present()?, "--valid", "87600h"];
    let order = upgrade.scene.centre.order("return", "actual", &more, &["wang", "li"]).await?;
    let (is_taken, answer) = send(&gateway, &order).await?;
    ensure!(is_taken, "{answer}\n{}", gateway.log());
    let operators = Operators { resumes: false, retries: true };
    let room = &mut upgrade.scene.room;
    until_with(&gateway, room, &operators, "peace", |room| room["stage"] == "peace").await?;
    // The door that 0.1 had shut is open to the public again.
    ensure!(room.written("register", 0).last() == Some(&0), "{:?}", room.written("register", 0));
    record_goes_on(&upgrade, &gateway).await?;
    assert_eq!(upgrade.scene.room.violations(), [Value::Null; 0]);
    gateway.stop().await
}

/// What 0.1 wrote down is read: alarm, visit with the resident's identity, commands, documents.
async fn read_back(upgrade: &Upgrade, gateway: &Gateway) -> anyhow::Result<()> {
    alarm_is(gateway, "hot-holding.cool", "acknowledged").await?;
    let journal = gateway.ask("GET", "/api/v1/alarms/journal?limit=1000", &Value::Null)?.1;
    ensure!(journal.to_string().contains("hot-holding.cool"), "{journal}");
    let visit = &upgrade.expected["visit"];
    let id = visit["id"].as_str().context("no visit")?;
    let (status, shown) = gateway.ask("GET", &format!("/api/v1/visits/{id}?reveal=true"), &Value::Null)?;
    ensure!(status == 200 && shown["pseudonym"] == visit["pseudonym"], "{shown:#}");
    ensure!(shown["ended"].is_null(), "it is open: {shown:#}");
    ensure!(shown["identity"]["name"] == RESIDENT.0, "{shown:#}");
    ensure!(shown["identity"]["id_number"] == RESIDENT.1, "{shown:#}");
    ensure!(shown["measurements"][0]["measurement"]["readings"][0]["value"] == 97.0, "{shown:#}");
    let open = succeeds(gateway, &["visits", "list", "--open"]).await?;
    ensure!(open.contains(id), "{open}");
    // A command that was done is not done again: its answer is in the journal.
    let expires = integer(&upgrade.expected["made_at"])? + 600_000;
    let (_, again) = command(gateway, "c-written", &json!(23.5), expires)?;
    ensure!(again["result"] == "done" && again["value"] != 23.5, "{again}");
    let devices = gateway.get("/api/v1/devices/d1")?;
    ensure!(devices.contains("set_point") && !devices.contains("23.5"), "{devices}");
    let audit = gateway.ask("GET", "/api/v1/audit?limit=1000", &Value::Null)?.1;
    let entries = audit.as_array().context("no audit")?;
    for old in upgrade.expected["database"]["audit"].as_array().into_iter().flatten() {
        let is_there = entries.iter().any(|entry| entry["who"] == old[0] && entry["what"] == old[1]);
        ensure!(is_there, "{old} is missing in {audit:#}");
    }
    let signed = succeeds(gateway, &["food", "verify"]).await?;
    ensure!(signed.starts_with("1 signed"), "{signed}");
    let nodes = succeeds(gateway, &["node", "audit"]).await?;
    ensure!(nodes.contains("none changed, none missing"), "{nodes}");
    let record =
        succeed(&["mode", "report", "--record", &upgrade.scene.centre.record(gateway).await?]).await?;
    ensure!(record.contains(ENTER), "{record}");
    Ok(())
}
