//! Our own nodes at a running gateway: updated, broken off and resumed, refused, set up, unplugged.

use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;

use linli_tests::devices::STORE;
use linli_tests::emulator::{Bench, built};
use linli_tests::firmware::{Said, node};
use linli_tests::nodes::{KEY, NodeLine, STRANGER, image, public_hex};
use linli_tests::{Broker, Gateway, Workspace, binary, device, eventually, linli};
use linli_wire::board::Board;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

/// Bytes of firmware: a few seconds of transfer.
const BODY: u32 = 90_000;

/// What `linli flash` prints when it resumes an update.
const RESUMED: &str = "goes on where it was broken off";

/// A broker, a gateway, a line with two fridges and a room.
struct Site {
    workspace: Workspace,
    line: NodeLine,
    broker: Broker,
    config: PathBuf,
}

impl Site {
    async fn new() -> anyhow::Result<Self> {
        let workspace = Workspace::new()?;
        let line = NodeLine::connect()?;
        line.put_set_up(&workspace.path("n0"), "fridge", 1, |_| {})?;
        line.put_set_up(&workspace.path("n1"), "fridge", 2, |_| {})?;
        line.put_set_up(&workspace.path("n2"), "room", 3, |config| config.lease_s = 3)?;
        let broker = Broker::start(&workspace).await?;
        let devices =
            line.devices(&[("cold-1", 1, "fridge"), ("cold-2", 2, "fridge"), ("room-1", 3, "room")]);
        let config = workspace.configure(broker.port, STORE, &devices)?;
        let file = config.join("gateway.toml");
        let keys = format!("\n[nodes]\nimage_keys = [\"{}\"]\n", public_hex(&KEY));
        std::fs::write(&file, std::fs::read_to_string(&file)? + &keys)?;
        Ok(Self { workspace, line, broker, config })
    }

    /// A gateway whose devices all answer.
    async fn gateway(&self) -> anyhow::Result<Gateway> {
        let mut gateway = Gateway::start(&self.config, &self.workspace.path("data")).await?;
        gateway.answering().await?;
        self.all_online(&gateway).await?;
        Ok(gateway)
    }

    async fn all_online(&self, gateway: &Gateway) -> anyhow::Result<()> {
        gateway
            .until("every node answers", Duration::from_secs(60), |status| {
                ["cold-1", "cold-2", "room-1"]
                    .iter()
                    .all(|id| device(status, id).is_some_and(|d| d["online"] == true))
            })
            .await
    }

    /// Writes an image; gives its path.
    fn image(&self, name: &str, bytes: &[u8]) -> anyhow::Result<String> {
        let path = self.workspace.path(name);
        std::fs::write(&path, bytes)?;
        Ok(path.to_string_lossy().into_owned())
    }

    fn good(&self, version: &str) -> anyhow::Result<String> {
        self.image(&format!("fridge-{version}.bin"), &image("fridge", version, BODY, &KEY, Board::Software))
    }
}

fn image_of(version: &str, key: &[u8; 32]) -> Vec<u8> {
    image("fridge", version, 4096, key, Board::Software)
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn good_exchanges(gateway: &Gateway, id: &str) -> anyhow::Result<u64> {
    let status: Value = serde_json::from_str(&gateway.get("/api/v1/status")?)?;
    Ok(device(&status, id).and_then(|d| d["ok"].as_u64()).unwrap_or(0))
}

async fn status_of(gateway: &Gateway, id: &str) -> anyhow::Result<Value> {
    let output = gateway.verb(&["node", "status", id, "--json"]).await?;
    anyhow::ensure!(output.status.success(), "{}", text(&output));
    Ok(serde_json::from_slice(&output.stdout)?)
}

#[tokio::test]
async fn firmware_is_updated_while_the_neighbours_are_read_on() -> anyhow::Result<()> {
    let site = Site::new().await?;
    let subscriber = site.broker.subscribe(&site.workspace).await?;
    let gateway = site.gateway().await?;
    let image = site.good("1.1.0")?;
    let before = good_exchanges(&gateway, "cold-2")?;
    let flashed = gateway.verb(&["flash", &image, "--device", "cold-1"]).await?;
    let shown = text(&flashed);
    assert!(
        flashed.status.success() && shown.contains("cold-1: 1.0.0 → 1.1.0, tested and confirmed"),
        "{shown}"
    );
    assert!(shown.contains("transfers 50 %"), "{shown}");
    let read = good_exchanges(&gateway, "cold-2")? - before;
    assert!(read >= 6, "the neighbour was read {read} times meanwhile");
    let now = status_of(&gateway, "cold-1").await?;
    assert_eq!((now["firmware"].as_str(), now["boot"]["code"].as_str()), (Some("1.1.0"), Some("confirmed")));
    assert_eq!(status_of(&gateway, "cold-2").await?["firmware"], "1.0.0");
    // The same again is nothing to do; every fridge of the line is the other one.
    let again = gateway.verb(&["flash", &image, "--line", "nodes", "--all-of-kind"]).await?;
    let shown = text(&again);
    assert!(again.status.success() && shown.contains("cold-1: runs 1.1.0 already"), "{shown}");
    assert!(shown.contains("cold-2: 1.0.0 → 1.1.0") && shown.contains("2 done, 0 failed"), "{shown}");
    let audit = text(&gateway.verb(&["node", "audit"]).await?);
    assert!(audit.matches("flash      done").count() == 2 && audit.contains("flash      already"), "{audit}");
    assert!(audit.contains("6 lines, none changed, none missing"), "{audit}");
    let metrics = gateway.get("/metrics")?;
    assert!(metrics.contains("linli_line_upkeep_total{line=\"nodes\"}"), "the lane is counted");
    let reported = || subscriber.received().unwrap_or_default();
    eventually("the district is told of the update", Duration::from_secs(60), || {
        reported().iter().any(|message| {
            message.topic.ends_with("event/device")
                && message.payload["action"] == "flash"
                && message.payload["result"] == "done"
        })
    })
    .await?;
    gateway.stop().await
}

/// Begins an update and waits until it has printed these texts, in this order on different lines.
async fn begun(
    config: &std::path::Path,
    image: &str,
    until: &[&str],
) -> anyhow::Result<tokio::process::Child> {
    let mut child = Command::new(binary()?)
        .args(["flash", image, "--device", "cold-1", "--config"])
        .arg(config)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let output = child.stdout.take().expect("it is piped");
    let mut lines = BufReader::new(output).lines();
    let mut texts = until.iter().peekable();
    while let Some(line) = lines.next_line().await? {
        texts.next_if(|text| line.contains(**text));
        if texts.peek().is_none() {
            // What it says afterwards is read too: a closed pipe would end it.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Ok(child);
        }
    }
    anyhow::bail!("it ended before {until:?}")
}

/// Waits until the record says so often that an update was stopped.
async fn stopped(gateway: &Gateway, times: usize) -> anyhow::Result<()> {
    eventually("the gateway notices", Duration::from_secs(60), || {
        let record = gateway.get("/api/v1/nodes/record").unwrap_or_default();
        record.matches("\"stopped\"").count() == times
    })
    .await
}

#[tokio::test]
async fn an_update_that_was_broken_off_goes_on_where_it_was() -> anyhow::Result<()> {
    let site = Site::new().await?;
    let gateway = site.gateway().await?;
    let image = site.good("1.1.0")?;
    // The technician presses Ctrl-C.
    let child = begun(&site.config, &image, &["transfers 20 %"]).await?;
    let id = child.id().unwrap_or_default().to_string();
    Command::new("kill").args(["-INT", &id]).status().await?;
    let output = child.wait_with_output().await?;
    assert!(text(&output).contains("The same command goes on there"), "{}", text(&output));
    stopped(&gateway, 1).await?;
    // The terminal is closed.
    let mut child = begun(&site.config, &image, &[RESUMED]).await?;
    child.kill().await?;
    stopped(&gateway, 2).await?;
    // The node loses power.
    let mut child = begun(&site.config, &image, &[RESUMED, "transfers "]).await?;
    site.line.cut(0);
    assert!(!child.wait().await?.success(), "it is told that the node is gone");
    site.line.switch_on(0)?;
    site.all_online(&gateway).await?;
    // The gateway is killed.
    let mut child = begun(&site.config, &image, &[RESUMED, "transfers "]).await?;
    gateway.kill().await?;
    assert!(!child.wait().await?.success());
    assert_eq!(site.line.firmware(0), "1.0.0", "until all of it is there the old firmware runs");
    let gateway = site.gateway().await?;
    let flashed = gateway.verb(&["flash", &image, "--device", "cold-1", "--json"]).await?;
    let shown = text(&flashed);
    assert!(flashed.status.success() && shown.contains("\"result\":\"done\""), "{shown}");
    let resumed = shown.lines().find_map(|line| {
        let step: Value = serde_json::from_str(line).ok()?;
        step["text"].as_str()?.contains("goes on").then(|| step["done"].as_u64().unwrap_or(0))
    });
    assert!(resumed.is_some_and(|at| at > u64::from(BODY) / 5), "{resumed:?}");
    let audit = text(&gateway.verb(&["node", "audit"]).await?);
    assert!(audit.contains("the gateway ended meanwhile"), "what was begun has an end: {audit}");
    let log = text(&gateway.verb(&["node", "log", "cold-1"]).await?);
    assert!(log.contains("an update was resumed") && log.contains("升级镜像校验通过"), "{log}");
    gateway.stop().await
}

#[tokio::test]
async fn without_a_gateway_the_line_is_opened_by_hand_and_the_record_goes_on() -> anyhow::Result<()> {
    let site = Site::new().await?;
    let (image, dir) = (site.good("1.1.0")?, site.config.to_string_lossy().into_owned());
    let flashed = linli(&["flash", &image, "--device", "cold-1", "--config", &dir]).await?;
    let shown = text(&flashed);
    assert!(flashed.status.success() && shown.contains("1.0.0 → 1.1.0"), "{shown}");
    let tested = linli(&["node", "selftest", "room-1", "--config", &dir]).await?;
    assert!(tested.status.success(), "{}", text(&tested));
    // A key that only the technician has does not make an image good for the gateway's nodes.
    let stranger = site.image("s", &image_of("1.2.0", &STRANGER))?;
    let refused = linli(&["flash", &stranger, "--device", "cold-1", "--config", &dir]).await?;
    assert!(text(&refused).contains("signed with the key"), "{}", text(&refused));
    let alone = text(&linli(&["node", "audit", "--config", &dir]).await?);
    assert!(alone.contains("4 lines, none changed") && alone.contains("without the gateway"), "{alone}");
    let gateway = site.gateway().await?;
    let confirm = gateway.verb(&["node", "calibrate", "cold-1", "air_temperature", "0.1"]).await?;
    assert!(confirm.status.success(), "{}", text(&confirm));
    let together = text(&gateway.verb(&["node", "audit"]).await?);
    assert!(together.contains("5 lines, none changed, none missing"), "{together}");
    gateway.stop().await
}

#[tokio::test]
async fn what_is_not_for_the_node_is_refused_and_says_why() -> anyhow::Result<()> {
    let site = Site::new().await?;
    let gateway = site.gateway().await?;
    let cases = [
        (
            "board",
            image("fridge", "1.1.0", 4096, &KEY, Board::Stm32f405),
            "for the board stm32f405, the node is a software",
        ),
        (
            "kind",
            image("room", "1.1.0", 4096, &KEY, Board::Software),
            "the image is for room, the node is a fridge",
        ),
        (
            "key",
            image("fridge", "1.1.0", 4096, &STRANGER, Board::Software),
            "add its public key to image_keys",
        ),
        (
            "older",
            image("fridge", "0.9.0", 4096, &KEY, Board::Software),
            "the node runs 1.0.0: older or equal",
        ),
        ("large", image("fridge", "1.1.0", 200_000, &KEY, Board::Software), "the node's slot 131072"),
        ("cut", image("fridge", "1.1.0", 4096, &KEY, Board::Software)[..3000].to_vec(), "cut short"),
    ];
    for (name, bytes, why) in cases {
        let path = site.image(name, &bytes)?;
        let refused = gateway.verb(&["flash", &path, "--device", "cold-1"]).await?;
        let shown = text(&refused);
        assert_eq!(refused.status.code(), Some(1), "{name}: {shown}");
        assert!(shown.contains(why), "{name}: {shown}");
    }
    let good = site.good("1.1.0")?;
    let unknown = text(&gateway.verb(&["flash", &good, "--device", "cold-9"]).await?);
    assert!(unknown.contains("nodes are: cold-1, cold-2, room-1"), "{unknown}");
    let nobody = gateway.verb(&["flash", &good]).await?;
    assert_eq!(nobody.status.code(), Some(2), "{}", text(&nobody));
    let all = text(&gateway.verb(&["flash", &good, "--line", "nodes"]).await?);
    assert!(all.contains("the node is a room"), "the room of the line is refused, not left out: {all}");
    assert!(all.contains("2 done, 1 failed, 0 not begun"), "{all}");
    let newer = site.good("1.2.0")?;
    site.line.plug(0, false);
    let stopped = text(&gateway.verb(&["flash", &newer, "--line", "nodes", "--all-of-kind"]).await?);
    assert!(
        stopped.contains("0 done, 1 failed, 1 not begun"),
        "a rollout stops at the first failure: {stopped}"
    );
    assert_eq!(status_of(&gateway, "room-1").await?["firmware"], "1.0.0");
    gateway.stop().await
}

#[tokio::test]
async fn a_new_node_becomes_a_device_that_delivers() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let line = NodeLine::connect()?;
    line.put(&workspace.path("new"), "fridge")?;
    let mut broker = Broker::start(&workspace).await?;
    let config = workspace.configure(broker.port, STORE, &line.devices(&[]))?;
    let dir = config.to_string_lossy().into_owned();
    let label = workspace.path("label.svg").to_string_lossy().into_owned();
    let tcp = format!("127.0.0.1:{}", line.port);
    let scanned =
        linli(&["scan", "--tcp", &tcp, "--rtu", "--units", "246-247", "--timeout", "100ms"]).await?;
    let shown = text(&scanned);
    assert!(shown.contains("linli node, fridge on software, firmware 1.0.0 (confirmed)"), "{shown}");
    assert!(shown.contains("set it up with `linli provision`"), "{shown}");
    let arguments = [
        "provision",
        "--line",
        "nodes",
        "--device",
        "cold-1",
        "--name",
        "东厨一号冷柜",
        "--offset",
        "product_temperature=-0.3",
        "--label",
        &label,
        "--poll",
        "1s",
        "--config",
        &dir,
    ];
    let set_up = linli(&arguments).await?;
    let shown = text(&set_up);
    assert!(set_up.status.success() && shown.contains("LINLI-NODE:1;D=cold-1;K=fridge"), "{shown}");
    assert!(std::fs::read_to_string(&label)?.contains("东厨一号冷柜"), "the label names it");
    let checked = linli(&["check", &dir]).await?;
    assert!(checked.status.success(), "{}", text(&checked));
    let again = linli(&[&arguments[..3], &["--device", "cold-9", "--config", &dir]].concat()).await?;
    assert!(text(&again).contains("no answer from unit 247"), "nobody waits there now: {}", text(&again));
    // It delivers, calibrated; and a second one is set up while the gateway owns the line.
    let subscriber = broker.subscribe(&workspace).await?;
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    let delivers = |id: &'static str, wanted: f64| {
        let subscriber = &subscriber;
        eventually("its value arrives", Duration::from_secs(60), move || {
            let received = subscriber.received().unwrap_or_default();
            received.iter().filter(|message| message.topic.ends_with(&format!("data/{id}"))).any(|message| {
                let samples = message.payload["samples"].as_array().cloned().unwrap_or_default();
                samples.iter().any(|s| s["p"] == "product_temperature" && s["v"].as_f64() == Some(wanted))
            })
        })
    };
    // 3.67 °C in eighths of a degree is 3.63, less the 0.3 of the calibration.
    delivers("cold-1", 3.33).await?;
    line.put(&workspace.path("newer"), "fridge")?;
    let second =
        gateway.verb(&["provision", "--line", "nodes", "--device", "cold-2", "--poll", "1s"]).await?;
    assert!(second.status.success(), "{}", text(&second));
    let reloaded = gateway.verb(&["reload"]).await?;
    assert!(reloaded.status.success(), "{}", text(&reloaded));
    delivers("cold-2", 3.63).await?;
    let audit = text(&gateway.verb(&["node", "audit"]).await?);
    assert!(
        audit.matches("provision  done").count() == 2 && audit.contains("without the gateway"),
        "{audit}"
    );
    gateway.stop().await?;
    broker.end().await
}

#[tokio::test]
async fn log_self_test_and_calibration_are_readable_and_written_down() -> anyhow::Result<()> {
    let site = Site::new().await?;
    let gateway = site.gateway().await?;
    let test = gateway.verb(&["node", "selftest", "cold-1"]).await?;
    let shown = text(&test);
    assert!(test.status.success() && shown.contains("传感器") && shown.contains("passed"), "{shown}");
    let calibrated = text(&gateway.verb(&["node", "calibrate", "cold-1", "air_temperature", "-0.5"]).await?);
    assert!(calibrated.contains("-0.5 Cel"), "{calibrated}");
    let wrong = gateway.verb(&["node", "calibrate", "cold-1", "humidity", "1"]).await?;
    assert!(text(&wrong).contains("there are: air_temperature, product_temperature"), "{}", text(&wrong));
    let log = text(&gateway.verb(&["node", "log", "cold-1", "--most", "5"]).await?);
    assert!(log.contains("self-test passed") && log.contains("配置已保存"), "{log}");
    let status = text(&gateway.verb(&["node", "status", "cold-1"]).await?);
    assert!(status.contains("000000000000a001") && status.contains("frames 收到的完整帧"), "{status}");
    let confirm = gateway.verb(&["node", "confirm", "cold-1"]).await?;
    assert!(text(&confirm).contains("not on trial"), "{}", text(&confirm));
    let audit = text(&gateway.verb(&["node", "audit", "--device", "cold-1"]).await?);
    for action in ["selftest   done", "calibrate  done", "calibrate  failed", "confirm    failed"] {
        assert!(audit.contains(action), "{action}: {audit}");
    }
    gateway.stop().await
}

#[tokio::test]
async fn a_relay_is_held_by_the_gateway_and_drops_when_it_is_killed() -> anyhow::Result<()> {
    let site = Site::new().await?;
    // The node's lease is three seconds; a site's own profile refreshes it every second.
    let built_in = concat!(env!("CARGO_MANIFEST_DIR"), "/../gateway/devices/linli/node-room.toml");
    let own = std::fs::read_to_string(built_in)?.replace("refresh = \"20s\"", "refresh = \"1s\"");
    std::fs::create_dir_all(site.config.join("devices/linli"))?;
    std::fs::write(site.config.join("devices/linli/node-room.toml"), own)?;
    let gateway = site.gateway().await?;
    let world = site.line.world(2);
    let switched = gateway.verb(&["command", "room-1", "relay_1", "true"]).await?;
    assert!(switched.status.success(), "{}", text(&switched));
    for _ in 0..12 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(world.relay(0), "twice its lease, and it is held");
    }
    gateway.kill().await?;
    eventually("the relay drops by itself", Duration::from_secs(60), || !world.relay(0)).await?;
    let gateway = site.gateway().await?;
    // It would be switched on with the first refresh, which is due every second.
    eventually("the node was read for longer than a refresh takes", Duration::from_secs(60), || {
        good_exchanges(&gateway, "room-1").is_ok_and(|read| read >= 5)
    })
    .await?;
    assert!(!world.relay(0), "what fell is not switched on again by itself");
    gateway.stop().await
}

#[tokio::test]
async fn a_node_that_was_unplugged_is_back_within_two_polls_and_another_one_is_noticed() -> anyhow::Result<()>
{
    let site = Site::new().await?;
    let subscriber = site.broker.subscribe(&site.workspace).await?;
    let gateway = site.gateway().await?;
    let reported = |state: &str, reason: Option<&str>| {
        let received = subscriber.received().unwrap_or_default();
        received.iter().any(|message| {
            message.topic.ends_with("event/device")
                && message.payload["device"] == "cold-1"
                && message.payload["state"] == state
                && reason.is_none_or(|reason| message.payload["reason"] == reason)
        })
    };
    site.line.plug(0, false);
    eventually("it is told silent", Duration::from_secs(60), || reported("offline", Some("silent"))).await?;
    site.line.plug(0, true);
    let polls = good_exchanges(&gateway, "cold-2")?;
    gateway
        .until("it is back", Duration::from_secs(60), |status| {
            device(status, "cold-1").is_some_and(|d| d["online"] == true)
        })
        .await?;
    let passed = good_exchanges(&gateway, "cold-2")? - polls;
    // A poll of a fridge is three requests.
    assert!(passed <= 2 * 3 + 3, "back after {passed} requests to its neighbour");
    eventually("its return is told", Duration::from_secs(60), || reported("online", None)).await?;
    // A probe breaks: its value is bad, with the reason, the other one stays.
    site.line.world(0).set_temperature(0x49, None);
    let shown = || gateway.get("/api/v1/devices/cold-1").unwrap_or_default();
    eventually("the node says so", Duration::from_secs(60), || shown().contains("sensor_fault")).await?;
    // Another node takes its place.
    site.line.cut(0);
    gateway
        .until("the gateway misses it", Duration::from_secs(60), |status| {
            device(status, "cold-1").is_some_and(|d| d["online"] == false)
        })
        .await?;
    site.line.put_set_up(&site.workspace.path("other"), "fridge", 1, |config| config.serial = 0xBEEF)?;
    eventually("it is noticed", Duration::from_secs(60), || reported("offline", Some("wrong_device")))
        .await?;
    let log = gateway.log();
    assert!(
        log.contains("serial number 000000000000beef answers where 000000000000a001 is configured"),
        "{log}"
    );
    gateway.stop().await
}

#[tokio::test]
async fn a_board_without_firmware_is_recovered_over_its_line() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    // Blank flash: the bootloader finds nothing to run and waits.
    let bench = Bench::new(&workspace).await?;
    let board = bench.mps2("boot.elf").await?;
    let image = node(Said { board: Board::Mps2An385.code(), minor: 2, security: 1 })?;
    let path = workspace.path("node.bin");
    std::fs::write(&path, image)?;
    let (path, port) = (path.to_string_lossy().into_owned(), bench.line.to_string_lossy().into_owned());
    let key = built("mps2-an385", "trusted.pub")?.to_string_lossy().into_owned();
    let nowhere = workspace.path("none").to_string_lossy().into_owned();
    let arguments = ["flash", &path, "--port", &port, "--recover", "--key", &key, "--config", &nowhere];
    let output = linli(&arguments).await?;
    let shown = text(&output);
    assert!(output.status.success() && shown.contains("1.2.0, tested and confirmed"), "{shown}");
    assert!(shown.contains("not written into a record"), "{shown}");
    board.cut()
}

#[tokio::test]
async fn the_demonstration_runs_real_firmware_or_says_what_is_missing() -> anyhow::Result<()> {
    let nothing = linli(&["demo", "--emulated", "--firmware", "/nonexistent"]).await?;
    let shown = text(&nothing);
    assert!(!nothing.status.success() && shown.contains("boot.elf is missing"), "{shown}");
    let workspace = Workspace::new()?;
    let boot = built("mps2-an385", "boot.elf")?;
    let firmware = boot.parent().and_then(std::path::Path::parent).expect("two directories up");
    let data = workspace.path("demo");
    let mut demo = Command::new(binary()?)
        .args(["demo", "--emulated", "--for", "90s", "--firmware"])
        .arg(firmware)
        .arg("--data-dir")
        .arg(&data)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let config = data.join("config").to_string_lossy().into_owned();
    let mut last = String::new();
    for _ in 0..60 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let shown = linli(&["node", "status", "fridge-node-1", "--json", "--config", &config]).await?;
        last = text(&shown);
        if last.contains("\"mps2-an385\"") {
            break;
        }
    }
    assert!(last.contains("\"mps2-an385\"") && last.contains("00de000000000001"), "{last}");
    demo.kill().await?;
    Ok(())
}
