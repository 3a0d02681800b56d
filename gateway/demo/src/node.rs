//! Our own fridge node on a line of its own: the firmware logic runs in this process.
//!
//! Its flash and its configuration are files in the directory of the demonstration. The image of a
//! newer version is beside the configuration, signed with a key that the gateway trusts.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use linli_domain::audit::hex;
use linli_node::sim::{self, Disk, Keys, Options, SoftwareNode};
use linli_wire::board::Board;
use linli_wire::config::{COMMIT, CONFIRM, Config};
use linli_wire::crc;
use linli_wire::image::Header;
use linli_wire::kind::{Kind, Sensor};
use linli_wire::map;
use linli_wire::version::Version;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::cable;
use super::faults::{Fault, Faults};
use super::world::World;

/// Unit id after set-up.
pub const UNIT: u8 = 5;

/// Serial number.
pub const SERIAL: u64 = 0x00DE_0000_0000_0001;

/// File name of the newer firmware.
const IMAGE: &str = "node-1.1.0.bin";

/// Interval of its main loop.
const ROUND: Duration = Duration::from_millis(2);

/// Name that is stored in it.
pub const NAME: &str = "一号冰箱节点";

/// Difference between air and product temperature, K.
pub const PRODUCT_LAG: f64 = 0.4;

/// Seed of the key that signs firmware of the demonstration; real keys are random and kept apart.
const KEY: [u8; 32] = [0x4C; 32];

/// What the configuration of the gateway needs.
pub struct Plugged {
    /// Path of its serial port.
    pub path: String,
    /// The key that signs its firmware, hexadecimal.
    pub key: String,
    /// Gap between frames that it needs; `None`: the default.
    pub frame_gap: Option<Duration>,
    /// Path of a newer firmware image.
    pub image: Option<PathBuf>,
}

/// Starts the node and writes the newer firmware to a directory.
pub fn plug_in(
    world: &Arc<Mutex<World>>,
    data_dir: &Path,
    faults: &Faults,
    tasks: &mut JoinSet<()>,
) -> anyhow::Result<Plugged> {
    let public = sim::public(&KEY);
    let kind = Kind::from_name("fridge").ok_or_else(|| anyhow::anyhow!("there is no such kind"))?;
    let keys = Keys::new(&[public]).ok_or_else(|| anyhow::anyhow!("the key is none"))?;
    let surroundings = sim::World::default();
    let disk = Disk::in_dir(&data_dir.join("fridge-node-1"))?;
    let mut node = SoftwareNode::new(Options::new(kind, keys), surroundings.clone(), disk, 0);
    set_up(&mut node, kind)?;
    let image = Some(leave_image(data_dir, kind)?);
    let cable::Cable { mut server, path } = cable::lay(faults, false, tasks)?;
    let (world, faults) = (Arc::clone(world), faults.clone());
    tasks.spawn(async move {
        let began = Instant::now();
        let mut round = interval(ROUND);
        round.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut bytes = [0; 256];
        loop {
            tokio::select! {
                read = server.read(&mut bytes) => match read {
                    Ok(count) if !faults.is_on(Fault::NodeUnplugged) => {
                        node.bytes(now_us(began), &bytes[..count]);
                    }
                    Ok(_) => {}
                    Err(_) => tokio::time::sleep(ROUND * 25).await,
                },
                _ = round.tick() => {
                    let is_broken = faults.is_on(Fault::ProbeBroken);
                    show(&world.lock().unwrap_or_else(PoisonError::into_inner), &surroundings, kind, is_broken);
                    let answer = node.poll(now_us(began)).map(<[u8]>::to_vec);
                    if let Some(answer) = answer.filter(|_| !faults.is_on(Fault::NodeUnplugged)) {
                        let _ = server.write_all(&answer).await;
                    }
                }
            }
        }
    });
    Ok(Plugged { path, key: hex(&public), frame_gap: None, image })
}

fn now_us(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// Readings of its probes and its door contact.
fn show(world: &World, surroundings: &sim::World, kind: &Kind, is_broken: bool) {
    #[expect(clippy::cast_possible_truncation, reason = "temperatures of a fridge")]
    let hundredths = |celsius: f64| (celsius * 100.0) as i32;
    let air = world.fridge.temperature;
    for (index, point) in kind.points.iter().enumerate() {
        let Sensor::Lm75 { address } = point.sensor;
        let (lag, is_cut) = if index == 0 { (0.0, false) } else { (PRODUCT_LAG, is_broken) };
        surroundings.set_temperature(address, (!is_cut).then(|| hundredths(air - lag)));
    }
    surroundings.set_input(0, world.fridge.is_door_open());
}

/// Sets it up as `linli provision` does: unit id, name, serial number.
fn set_up(node: &mut SoftwareNode, kind: &Kind) -> anyhow::Result<()> {
    let mut config = Config { unit: UNIT, serial: SERIAL, ..Config::factory(kind) };
    let _ = config.set_name(NAME);
    let factory = Config::factory(kind).unit;
    if node.ask(0, &write(factory, map::config::UNIT.address, &config.encode())).is_none() {
        // An earlier demonstration in this directory has set it up.
        return Ok(());
    }
    let commit = map::commit::COMMIT.address;
    let taken = node.ask(0, &write(factory, commit, &[COMMIT])).is_some()
        && node.ask(0, &write(UNIT, commit, &[CONFIRM])).is_some();
    anyhow::ensure!(taken, "the node does not take its settings");
    Ok(())
}

/// Builds an FC16 frame.
fn write(unit: u8, address: u16, words: &[u16]) -> Vec<u8> {
    let mut frame = vec![unit, 16];
    frame.extend(address.to_be_bytes());
    #[expect(clippy::cast_possible_truncation, reason = "at most 40 registers")]
    frame.extend([0, words.len() as u8, 2 * words.len() as u8]);
    frame.extend(words.iter().flat_map(|word| word.to_be_bytes()));
    frame.extend(crc::modbus(&frame).to_le_bytes());
    frame
}

/// Writes the newer firmware. The logic of the simulated node is built in: the image is verified and
/// swapped, and only the reported version changes.
fn leave_image(data_dir: &Path, kind: &Kind) -> anyhow::Result<PathBuf> {
    let header = Header {
        board: Board::Software.code(),
        kinds: kind.bit(),
        security: 1,
        firmware: Version::new(1, 1, 0),
        length: 0,
        key: 0,
        hash: [0; 64],
        signature: [0; 64],
    };
    let body: Vec<u8> = (0..24_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let path = data_dir.join(IMAGE);
    std::fs::write(&path, sim::image(header, &body, &KEY))?;
    Ok(path)
}
