//! Firmware that really runs: emulated boards, real images, the real gateway at the other end.

use std::ops::RangeInclusive;
use std::time::Duration;

use anyhow::Context;
use linli_tests::devices::STORE;
use linli_tests::emulator::{Bench, OTHER};
use linli_tests::firmware::{Node, Said, development_key, node, sign};
use linli_tests::{Broker, Gateway, Workspace, device, eventually};
use linli_wire::health::Counter;
use linli_wire::identity::{BootState, reset};
use linli_wire::image::Header;
use linli_wire::log::Code;
use linli_wire::update::{Command, Message, Refusal, State};
use linli_wire::version::Version;

const FACTORY_UNIT: u8 = 247;

/// Memory of the MPS2's programs, statics and stack together (`firmware/boards/mps2-an385`).
const RAM: u32 = 0xF000;

/// The lease that the relay gets, in seconds.
const LEASE_S: u32 = 3;

/// Writes of the relay until the test gives up: some minutes.
const MOST_REFRESHES: u32 = 1000;

const fn version(minor: u8) -> Said {
    Said { board: 1, minor, security: 1 }
}

fn on_the_line(bench: &Bench, profile: &str) -> String {
    format!(
        "[[line]]\nid = \"bus\"\nkind = \"modbus_rtu\"\nport = \"{}\"\nbaud = 9600\ntimeout = \"800ms\"\n\n\
         [[device]]\nid = \"node-1\"\nline = \"bus\"\nunit = {FACTORY_UNIT}\nprofile = \"{profile}\"\npoll = \"500ms\"\n",
        bench.line.display()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn twelve_degrees_at_the_probe_reach_a_subscriber() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let broker = Broker::start(&workspace).await?;
    let subscriber = broker.subscribe(&workspace).await?;
    let bench = Bench::new(&workspace).await?;
    bench.program(&node(version(1))?)?;
    let mut emulator = bench.mps2("boot.elf").await?;
    emulator.warm("t0", 12_000)?;
    emulator.warm("t1", -4_500)?;

    let config = workspace.configure(broker.port, STORE, &on_the_line(&bench, "linli/node-fridge"))?;
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    let has = |point: &str, value: f64| {
        let received = subscriber.received().unwrap_or_default();
        let payloads = received.iter().map(|message| &message.payload);
        payloads.filter_map(|payload| payload["samples"].as_array()).flatten().any(|sample| {
            sample["p"] == point && sample["v"].as_f64() == Some(value) && sample.get("q").is_none()
        })
    };
    let patience = Duration::from_secs(60);
    eventually("the subscriber sees 12 °C", patience, || has("air_temperature", 12.0)).await?;
    eventually("and -4.5 °C", patience, || has("product_temperature", -4.5)).await?;

    emulator.switch(0, true)?;
    let open = |wanted: bool| {
        let received = subscriber.received().unwrap_or_default();
        let payloads = received.iter().map(|message| &message.payload);
        payloads
            .filter_map(|payload| payload["samples"].as_array())
            .flatten()
            .any(|sample| sample["p"] == "door" && sample["v"] == wanted)
    };
    eventually("the door is seen to open", patience, || open(true)).await?;
    gateway.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn any_modbus_tool_reads_the_node() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let bench = Bench::new(&workspace).await?;
    bench.program(&node(version(1))?)?;
    let mut emulator = bench.mps2("boot.elf").await?;
    emulator.warm("t0", 12_000)?;
    let mut said = String::new();
    for _ in 0..20 {
        let reported = tokio::process::Command::new(linli_tests::tool("mbpoll", "mbpoll")?)
            .args(["-m", "rtu", "-a", "247", "-b", "9600", "-P", "none", "-0", "-t", "3", "-o", "2"])
            .args(["-r", "32", "-c", "3", "-1"])
            .arg(&bench.line)
            .output()
            .await?;
        said = String::from_utf8_lossy(&reported.stdout).into_owned();
        let value = |at: &str| said.lines().find(|line| line.starts_with(at)).map(str::to_owned);
        let is =
            |at: &str, word: &str| value(at).is_some_and(|line| line.split_whitespace().nth(1) == Some(word));
        if is("[33]", "1200") && is("[34]", "0") {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    panic!("mbpoll does not see 12.00 °C: {said}")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_is_tried_confirmed_and_stays_and_an_unconfirmed_one_reverts() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let bench = Bench::new(&workspace).await?;
    let images = [1, 2, 3].map(|minor| node(Said { security: u16::from(minor), ..version(minor) }));
    let [one, two, three] = images;
    let (one, two, three) = (one?, two?, three?);
    bench.program(&one)?;
    let emulator = bench.mps2("boot.elf").await?;
    let mut client = Node::on(&bench.line, FACTORY_UNIT)?;
    assert_eq!(client.awake()?.firmware, Version::new(1, 1, 0));

    client.download(&two)?;
    assert_eq!(client.finish(&two)?, None);
    assert_eq!(client.order(Command::Activate, &two)?, None);
    let trial = restarted(&mut client, Version::new(1, 2, 0))?;
    assert_eq!(trial.boot, BootState::Trial.code());
    assert_eq!(trial.reset_cause & reset::SOFTWARE, reset::SOFTWARE);
    assert!(bench.runs(&two)?);
    confirm(&mut client, &two)?;
    assert_eq!(client.identity()?.boot, BootState::Confirmed.code());
    emulator.cut()?;

    let emulator = bench.mps2("boot.elf").await?;
    let stays = client.awake()?;
    assert_eq!((stays.firmware, stays.boot), (Version::new(1, 2, 0), BootState::Confirmed.code()));
    let header = Header::decode(&one).expect("ours");
    assert_eq!(client.refusal(&Message::begin(&header))?, Some(Refusal::Security), "no way back");

    client.download(&three)?;
    assert_eq!(client.finish(&three)?, None);
    client.order(Command::Activate, &three)?;
    assert_eq!(restarted(&mut client, Version::new(1, 3, 0))?.boot, BootState::Trial.code());
    emulator.cut()?;
    let _emulator = bench.mps2("boot.elf").await?;
    let back = client.awake()?;
    assert_eq!((back.firmware, back.boot), (Version::new(1, 2, 0), BootState::Reverted.code()));
    assert!(bench.runs(&two)?, "byte for byte");
    assert_eq!(client.read(4, 0x0300, 16)?.len(), 16);
    Ok(())
}

/// Waits until the node runs that version.
fn restarted(client: &mut Node, wanted: Version) -> anyhow::Result<linli_wire::identity::Identity> {
    for _ in 0..30 {
        match client.awake()? {
            identity if identity.firmware == wanted => return Ok(identity),
            _ => std::thread::yield_now(),
        }
    }
    anyhow::bail!("it does not come to run {wanted}: {:?}", client.identity())
}

/// Confirms, once the self-test of the node allows it.
fn confirm(client: &mut Node, image: &[u8]) -> anyhow::Result<()> {
    for _ in 0..100 {
        match client.order(Command::Confirm, image)? {
            None => return Ok(()),
            Some(Refusal::SelftestFailed) => {}
            Some(other) => anyhow::bail!("not confirmed: {}", other.as_str()),
        }
    }
    anyhow::bail!("the self-test does not pass")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_must_not_run_is_refused_with_its_reason() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let bench = Bench::new(&workspace).await?;
    let (running, next) = (node(version(2))?, node(version(3))?);
    bench.program(&running)?;
    let _emulator = bench.mps2("boot.elf").await?;
    let mut client = Node::on(&bench.line, FACTORY_UNIT)?;
    client.awake()?;
    let body = || vec![0x5A; 4096];
    let begin = |client: &mut Node, image: &[u8]| {
        let header = Header::decode(image).expect("a header");
        client.refusal(&Message::begin(&header))
    };
    let ours = development_key()?;
    let stranger = ed25519_dalek::SigningKey::from_bytes(&[9; 32]);
    assert_eq!(begin(&mut client, &sign(version(3), body(), &stranger))?, Some(Refusal::UnknownKey));
    let mut forged = sign(version(3), body(), &ours);
    forged[120] ^= 1;
    assert_eq!(begin(&mut client, &forged)?, Some(Refusal::Signature));
    let other = Said { board: 3, ..version(3) };
    assert_eq!(begin(&mut client, &sign(other, body(), &ours))?, Some(Refusal::Board));
    assert_eq!(begin(&mut client, &sign(version(1), body(), &ours))?, Some(Refusal::OlderVersion));
    assert_eq!(begin(&mut client, &running)?, Some(Refusal::OlderVersion), "not the same again");
    let unsafe_one = Said { security: 0, ..version(3) };
    assert_eq!(begin(&mut client, &sign(unsafe_one, body(), &ours))?, Some(Refusal::Security));
    assert_eq!(begin(&mut client, &sign(version(3), vec![1; 200_000], &ours))?, Some(Refusal::TooLarge));

    let session = Header::decode(&next).expect("ours").id();
    let from = client.begin(&next)?;
    let second = client.chunk(&next, from)?;
    let third = client.chunk(&next, second)?;
    let piece = |at: u32| Message::chunk(session, at, &next[at as usize..at as usize + 224]);
    assert_eq!(client.refusal(&piece(second))?, None, "the answer may have been lost");
    assert_eq!(client.refusal(&piece(from))?, Some(Refusal::Repeated), "replayed");
    assert_eq!(client.refusal(&piece(third + 224))?, Some(Refusal::Ahead), "left out");
    assert_eq!(client.finish(&next)?, Some(Refusal::Incomplete), "truncated");
    assert_eq!(client.order(Command::Activate, &next)?, Some(Refusal::NotVerified));
    assert_eq!(client.order(Command::Abort, &next)?, None);

    // A body that is not what was signed is found when all has come.
    let mut damaged = next.clone();
    damaged[4000] ^= 1;
    client.download(&damaged)?;
    assert_eq!(client.finish(&damaged)?, Some(Refusal::Hash));
    assert_eq!(client.update()?.0, State::Idle);
    assert_eq!(client.identity()?.firmware, Version::new(1, 2, 0));
    assert!(bench.runs(&running)?);
    // Signatures are what goes deepest; by now the node has verified many.
    within_its_stack(&mut client)
}

/// Asserts that the stack never went deeper than the board's budget.
fn within_its_stack(client: &mut Node) -> anyhow::Result<()> {
    // The node looks at its stack every second.
    for _ in 0..60 {
        client.identity()?;
    }
    let used = RAM - client.counter(Counter::StackUnused)?;
    let manifest = include_str!("../../firmware/boards/mps2-an385/Cargo.toml");
    let budget = manifest.lines().find(|line| line.starts_with("node = ")).unwrap_or_default();
    let of = |what: &str| -> Option<u32> {
        budget.split(&format!("{what} = ")).nth(1)?.split([',', ' ']).next()?.parse().ok()
    };
    let (stack, statics) = (of("stack").expect("a budget"), of("ram").expect("a budget"));
    println!("stack and statics: {used} bytes used of {}", stack + statics);
    assert!(used <= stack + statics, "{used} bytes of stack and statics, {stack} + {statics} allowed");
    Ok(())
}

/// A program that does nothing: a stack, and one instruction, at reset and at every fault, that jumps
/// to itself.
fn hanging() -> Vec<u8> {
    let mut body = vec![0; 512];
    body[0..4].copy_from_slice(&0x2000_8000_u32.to_le_bytes());
    let reset = 0x2101_0000_u32 + 512 + 256;
    for vector in 1..16 {
        body[4 * vector..4 * vector + 4].copy_from_slice(&(reset | 1).to_le_bytes());
    }
    body[256..258].copy_from_slice(&0xE7FE_u16.to_le_bytes());
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn signed_firmware_that_hangs_is_undone_by_the_watchdog() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let bench = Bench::new(&workspace).await?;
    let (good, hangs) = (node(version(1))?, sign(version(2), hanging(), &development_key()?));
    bench.program(&good)?;
    let _emulator = bench.mps2("boot.elf").await?;
    let mut client = Node::on(&bench.line, FACTORY_UNIT)?;
    client.awake()?;
    client.download(&hangs)?;
    assert_eq!(client.finish(&hangs)?, None);
    client.order(Command::Activate, &hangs)?;
    eventually("the image that hangs is started", Duration::from_secs(60), || {
        bench.runs(&hangs).unwrap_or_default()
    })
    .await?;
    let back = client.awake()?;
    assert_eq!((back.firmware, back.boot), (Version::new(1, 1, 0), BootState::Reverted.code()));
    assert_eq!(back.reset_cause, reset::WATCHDOG);
    assert_eq!(client.counter(Counter::WatchdogResets)?, 1);
    assert!(bench.runs(&good)?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn with_both_slots_bad_the_bootloader_takes_an_image_over_the_line() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let bench = Bench::new(&workspace).await?;
    let image = node(version(4))?;
    let mut damaged = image.clone();
    damaged[700] ^= 1;
    bench.program(&damaged)?;
    let emulator = bench.mps2("boot.elf").await?;
    let mut client = Node::on(&bench.line, FACTORY_UNIT)?;
    let waits = client.awake()?;
    assert_eq!((waits.boot, waits.points), (BootState::Recovery.code(), 0));
    let header =
        Header::decode(&sign(version(4), vec![1; 640], &ed25519_dalek::SigningKey::from_bytes(&[9; 32])));
    let stranger = header.expect("a header");
    assert_eq!(
        client.refusal(&Message::begin(&stranger))?,
        Some(Refusal::UnknownKey),
        "recovery trusts nobody more"
    );

    // Half of it, then the power goes: recovery goes on where it was.
    let mut next = client.begin(&image)?;
    while next < 30_000 {
        next = client.chunk(&image, next)?;
    }
    emulator.cut()?;
    let _emulator = bench.mps2("boot.elf").await?;
    assert_eq!(client.awake()?.boot, BootState::Recovery.code());
    let resumed = client.begin(&image)?;
    assert!(resumed > 29_000, "it goes on at {resumed}");
    client.download(&image)?;
    assert_eq!(client.finish(&image)?, None);
    client.order(Command::Activate, &image)?;
    let runs = restarted(&mut client, Version::new(1, 4, 0))?;
    assert_eq!(runs.boot, BootState::Trial.code());
    confirm(&mut client, &image)?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_slot_is_rescued_from_the_other() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let bench = Bench::new(&workspace).await?;
    let image = node(version(5))?;
    bench.program(&image)?;
    let mut flash = std::fs::read(&bench.flash)?;
    flash[OTHER + 4096..OTHER + 4096 + image.len()].copy_from_slice(&image);
    flash[linli_tests::emulator::ACTIVE + 9000] = 0;
    std::fs::write(&bench.flash, flash)?;
    let _emulator = bench.mps2("boot.elf").await?;
    let mut client = Node::on(&bench.line, FACTORY_UNIT)?;
    assert_eq!(client.awake()?.firmware, Version::new(1, 5, 0));
    assert!(bench.runs(&image)?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_its_gateway_lets_its_relays_fall_within_their_lease() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let bench = Bench::new(&workspace).await?;
    bench.program(&node(version(1))?)?;
    let mut emulator = bench.mps2("boot.elf").await?;
    let mut client = Node::on(&bench.line, FACTORY_UNIT)?;
    client.awake()?;
    let room = linli_wire::kind::Kind::from_name("room").expect("a kind").id;
    client.write(linli_wire::map::config::KIND.address, &[room])?;
    client.write(linli_wire::map::commit::COMMIT.address, &[linli_wire::config::COMMIT])?;
    assert_eq!(client.identity()?.relays, 2);
    assert_eq!(emulator.relays()?, 0);
    client.write(0x0100, &[1, LEASE_S as u16])?;
    assert_eq!(emulator.relays()?, 1, "the pin itself");
    let (drops, written) = kept_for_two_leases(&mut client)?;
    eventually("the relay falls", Duration::from_secs(60), || emulator.relays().is_ok_and(|pins| pins == 0))
        .await?;
    assert_eq!(client.counter(Counter::LeaseDrops)?, drops + 1);
    let logged = client.logged()?;
    let last = logged.iter().rfind(|entry| entry.code == Code::LeaseDropped.code());
    let last = last.context("the log names no dropped lease")?;
    // The node counts in milliseconds and logs whole seconds.
    let earliest = written.start() + LEASE_S;
    assert!(last.uptime_s >= earliest, "written at {written:?} s of uptime, dropped at {last:?}");
    Ok(())
}

/// Writes the relay until its lease was refreshed for two leases without a break, by the node's own
/// clock. Returns its count of dropped leases, and the uptimes between which the last write lies.
///
/// A lease may only end in between if the uptimes before one write and after the next lie a whole
/// lease apart, because this machine was late: the two leases then begin anew.
fn kept_for_two_leases(client: &mut Node) -> anyhow::Result<(u32, RangeInclusive<u32>)> {
    let write = |client: &mut Node| client.write(0x0100, &[1, LEASE_S as u16]);
    let mut before = client.identity()?.uptime_s;
    write(client)?;
    let (mut began, mut drops) = (before, client.counter(Counter::LeaseDrops)?);
    for _ in 0..MOST_REFRESHES {
        let earlier = before;
        before = client.identity()?.uptime_s;
        write(client)?;
        let counted = client.counter(Counter::LeaseDrops)?;
        let after = client.identity()?.uptime_s;
        if counted != drops {
            assert!(after - earlier >= LEASE_S, "dropped between {earlier} s and {after} s of uptime");
            (began, drops) = (before, counted);
        }
        if before - began >= 2 * LEASE_S {
            return Ok((drops, before..=after));
        }
    }
    anyhow::bail!("this machine does not refresh a lease in time: {MOST_REFRESHES} writes")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_says_when_the_node_is_away_and_recovers_from_noise() -> anyhow::Result<()> {
    use std::io::Write;
    let workspace = Workspace::new()?;
    let bench = Bench::new(&workspace).await?;
    bench.program(&node(version(1))?)?;
    let mut emulator = bench.mps2("boot.elf").await?;
    let config = workspace.configure_with("", STORE, &on_the_line(&bench, "linli/node-fridge"))?;
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    let is_online =
        |status: &serde_json::Value| device(status, "node-1").is_some_and(|d| d["online"] == true);
    let patience = Duration::from_secs(60);
    let ok =
        |status: &serde_json::Value| device(status, "node-1").and_then(|d| d["ok"].as_u64()).unwrap_or(0);
    gateway.until("the node is read", patience, |status| ok(status) > 3).await?;

    emulator.order("stop", serde_json::json!({}))?;
    gateway.until("it says that the node is away", patience, |status| !is_online(status)).await?;
    emulator.order("cont", serde_json::json!({}))?;
    gateway.until("it says that the node is back", patience, is_online).await?;

    // Noise and half frames, towards the gateway and towards the node.
    let mut to_gateway = std::fs::OpenOptions::new().write(true).open(bench.board_end())?;
    let mut to_node = std::fs::OpenOptions::new().write(true).open(&bench.line)?;
    for round in 0_u8..20 {
        to_gateway.write_all(&[0x00, 0xFF, 247, 4, round])?;
        to_node.write_all(&[247, 4, 0, round, 0x55])?;
        tokio::time::sleep(Duration::from_millis(130)).await;
    }
    let before = ok(&serde_json::from_str(&gateway.get("/api/v1/status")?)?);
    gateway.until("two polls later all is well", patience, |status| ok(status) >= before + 2).await?;
    gateway.until("and it says so", patience, is_online).await?;
    gateway.stop().await?;
    let mut client = Node::on(&bench.line, FACTORY_UNIT)?;
    client.awake()?;
    let heard = client.counter(Counter::Fragments)? + client.counter(Counter::CrcErrors)?;
    assert!(heard > 0, "the node counted the noise");
    Ok(())
}
