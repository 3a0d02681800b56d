//! A line with software nodes on it: the firmware's own logic, behind a serial device server.
//!
//! The line is a thread of its own, so that whatever a test waits for, the nodes go on. What a node
//! keeps are files: a power cut leaves it just those.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, ensure};
use linli_node::sim::{self, Disk, Keys, Options, SoftwareNode, World};
use linli_wire::board::Board;
use linli_wire::config::{COMMIT, CONFIRM, Config};
use linli_wire::crc;
use linli_wire::image::Header;
use linli_wire::kind::Kind;
use linli_wire::map;
use linli_wire::version::Version;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, MissedTickBehavior};

use crate::workspace::free_port;

/// The key that signs images which the nodes take, and another one.
pub const KEY: [u8; 32] = [7; 32];
/// A key that no node accepts.
pub const STRANGER: [u8; 32] = [8; 32];

/// One node of a line.
struct Slot {
    options: Options,
    dir: PathBuf,
    world: World,
    node: Option<SoftwareNode>,
    is_plugged: bool,
}

/// A line with nodes.
pub struct NodeLine {
    /// Where the serial device server listens.
    pub port: u16,
    slots: Arc<Mutex<Vec<Slot>>>,
    ends: Arc<AtomicBool>,
    began: Instant,
}

// === impl NodeLine ===

impl NodeLine {
    /// A line without nodes.
    pub fn connect() -> anyhow::Result<Self> {
        Self::connect_on(free_port()?)
    }

    /// The same on that port.
    pub fn connect_on(port: u16) -> anyhow::Result<Self> {
        let (slots, ends) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let line = Self { port, slots, ends, began: Instant::now() };
        let (slots, ends, began) = (Arc::clone(&line.slots), Arc::clone(&line.ends), line.began);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::spawn(move || runtime.block_on(carry(port, &slots, &ends, began)));
        Ok(line)
    }

    /// Puts a node on it, new from the factory or with what its directory holds; gives its number.
    pub fn put(&self, dir: &Path, kind: &str) -> anyhow::Result<usize> {
        let kind = Kind::from_name(kind).context("there is no such kind")?;
        let keys = Keys::new(&[public(&KEY)]).context("no key")?;
        let options = Options::new(kind, keys);
        let world = World::default();
        for (point, hundredths) in kind.points.iter().zip([412, 367]) {
            let linli_wire::kind::Sensor::Lm75 { address } = point.sensor;
            world.set_temperature(address, Some(hundredths));
        }
        let mut slot = Slot { options, dir: dir.to_owned(), world, node: None, is_plugged: true };
        slot.switch_on(self.now_us())?;
        let mut slots = self.slots();
        slots.push(slot);
        Ok(slots.len() - 1)
    }

    /// The same, set up: with a unit id, a serial number, and whatever else.
    pub fn put_set_up(
        &self,
        dir: &Path,
        kind: &str,
        unit: u8,
        also: impl FnOnce(&mut Config),
    ) -> anyhow::Result<usize> {
        let nth = self.put(dir, kind)?;
        let kind = Kind::from_name(kind).context("there is no such kind")?;
        let mut config = Config { unit, serial: 0xA000 + u64::from(unit), ..Config::factory(kind) };
        also(&mut config);
        let (now, mut slots) = (self.now_us(), self.slots());
        let node = slots[nth].node.as_mut().context("it is on")?;
        let commit = map::commit::COMMIT.address;
        let taken = node.ask(now, &write(247, map::config::UNIT.address, &config.encode())).is_some()
            && node.ask(now, &write(247, commit, &[COMMIT])).is_some()
            && node.ask(now, &write(unit, commit, &[CONFIRM])).is_some();
        ensure!(taken, "the node does not take its settings");
        drop(slots);
        Ok(nth)
    }

    /// Unplugs a node from the line, or plugs it in again.
    pub fn plug(&self, nth: usize, is_plugged: bool) {
        self.slots()[nth].is_plugged = is_plugged;
    }

    /// Cuts a node's power.
    pub fn cut(&self, nth: usize) {
        self.slots()[nth].node = None;
    }

    /// Gives it power again: it starts with what its files hold.
    pub fn switch_on(&self, nth: usize) -> anyhow::Result<()> {
        let now = self.now_us();
        self.slots()[nth].switch_on(now)
    }

    /// What is around a node.
    #[must_use]
    pub fn world(&self, nth: usize) -> World {
        self.slots()[nth].world.clone()
    }

    /// The version that a node runs.
    #[must_use]
    pub fn firmware(&self, nth: usize) -> String {
        let slots = self.slots();
        let active = slots[nth].node.as_ref().map(|node| node.disk().active()).unwrap_or_default();
        let version = Header::decode(&active).map_or(slots[nth].options.version, |header| header.firmware);
        version.to_string()
    }

    /// Its line and that many devices in devices.toml: id, unit, kind.
    #[must_use]
    pub fn devices(&self, devices: &[(&str, u8, &str)]) -> String {
        let mut text = format!(
            "[[line]]\nid = \"nodes\"\nkind = \"modbus_rtu_over_tcp\"\nendpoint = \"127.0.0.1:{}\"\ntimeout = \"300ms\"\n",
            self.port
        );
        for (id, unit, kind) in devices {
            let serial = 0xA000 + u64::from(*unit);
            text += &format!(
                "\n[[device]]\nid = \"{id}\"\nline = \"nodes\"\nunit = {unit}\nserial = \"{serial:x}\"\n\
                 profile = \"linli/node-{kind}\"\npoll = \"500ms\"\n"
            );
        }
        text
    }

    fn slots(&self) -> MutexGuard<'_, Vec<Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now_us(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

impl Drop for NodeLine {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
    }
}

// === impl Slot ===

impl Slot {
    fn switch_on(&mut self, now_us: u64) -> anyhow::Result<()> {
        self.world.drop_relays();
        let disk = Disk::in_dir(&self.dir)?;
        self.node = Some(SoftwareNode::new(self.options.clone(), self.world.clone(), disk, now_us));
        Ok(())
    }
}

/// Forwards bytes between the client and every node, once a millisecond.
async fn carry(port: u16, slots: &Mutex<Vec<Slot>>, ends: &AtomicBool, began: Instant) {
    let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("the port was free a moment ago");
    let mut client: Option<TcpStream> = None;
    let mut bytes = [0; 512];
    let mut round = tokio::time::interval(Duration::from_millis(1));
    round.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let now_us = || u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    let all = || slots.lock().unwrap_or_else(PoisonError::into_inner);
    while !ends.load(Ordering::Relaxed) {
        let read = async {
            match &mut client {
                Some(client) => client.read(&mut bytes).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            accepted = listener.accept() => client = accepted.ok().map(|(stream, _)| stream),
            count = read => match count {
                Ok(count) if count > 0 => {
                    let plugged = |slot: &&mut Slot| slot.is_plugged;
                    for slot in all().iter_mut().filter(plugged) {
                        if let Some(node) = &mut slot.node {
                            node.bytes(now_us(), &bytes[..count]);
                        }
                    }
                }
                _ => client = None,
            },
            _ = round.tick() => {
                let mut out = Vec::new();
                for slot in all().iter_mut() {
                    let said = slot.node.as_mut().and_then(|node| node.poll(now_us()));
                    out.extend(said.filter(|_| slot.is_plugged).unwrap_or_default());
                }
                if let Some(client) = client.as_mut().filter(|_| !out.is_empty()) {
                    let _ = client.write_all(&out).await;
                }
            }
        }
    }
}

/// The public key of a secret one.
#[must_use]
pub fn public(secret: &[u8; 32]) -> [u8; 32] {
    sim::public(secret)
}

/// The same, as a configuration has it.
#[must_use]
pub fn public_hex(secret: &[u8; 32]) -> String {
    public(secret).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A signed image with a body of that many bytes.
#[must_use]
pub fn image(kind: &str, version: &str, bytes: u32, secret: &[u8; 32], board: Board) -> Vec<u8> {
    let header = Header {
        board: board.code(),
        kinds: Kind::from_name(kind).map_or(0, Kind::bit),
        security: 1,
        firmware: Version::parse(version).unwrap_or_default(),
        length: 0,
        key: 0,
        hash: [0; 64],
        signature: [0; 64],
    };
    let body: Vec<u8> = (0..bytes).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    sim::image(header, &body, secret)
}

/// A whole FC16 frame.
fn write(unit: u8, address: u16, words: &[u16]) -> Vec<u8> {
    let mut frame = vec![unit, 16];
    frame.extend(address.to_be_bytes());
    frame.extend([0, words.len() as u8, 2 * words.len() as u8]);
    frame.extend(words.iter().flat_map(|word| word.to_be_bytes()));
    frame.extend(crc::modbus(&frame).to_le_bytes());
    frame
}
