//! The fridge node as real firmware, run by QEMU: an MPS2 board with bootloader, flash in a file, two
//! probes, and a serial line to the gateway.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use linli_drivers::modbus::maintenance;
use linli_drivers::modbus::plan::{Medium, Parity, Serial, Timing, Tolerance};
use linli_wire::config::Config;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_serial::SerialStream;

use super::cable;
use super::faults::{Fault, Faults};
use super::node::{NAME, Plugged, SERIAL, UNIT};
use super::world::World;
use linli_nodes::{Client, provision};

/// Name of the emulator.
const QEMU: &str = "qemu-system-arm";

/// Machine name of the board.
const BOARD: &str = "mps2-an385";

/// The board's flash: its size, and where the slot that runs begins.
const FLASH: usize = 16 << 20;
const ACTIVE: usize = 0x1_0000;

/// Silence between frames on the emulated line: an emulator that has to wait for its host splits
/// frames at shorter ones.
const GAP: Duration = Duration::from_millis(12);

/// Longest wait for the board to answer.
const STARTS_WITHIN: Duration = Duration::from_secs(30);

/// Interval at which its probes are set to the simulated temperature.
const FOLLOW: Duration = Duration::from_secs(1);

/// Programs and images that the emulation needs.
struct Needed {
    boot: PathBuf,
    image: PathBuf,
    key: String,
}

/// Starts the emulated node.
///
/// # Errors
/// When a program or image is missing; the message says where it comes from.
pub async fn plug_in(
    world: &Arc<Mutex<World>>,
    data_dir: &Path,
    firmware: &Path,
    faults: &Faults,
    tasks: &mut JoinSet<()>,
) -> anyhow::Result<Plugged> {
    let needed = needed(firmware)?;
    let dir = data_dir.join("fridge-node-1-emulated");
    std::fs::create_dir_all(&dir)?;
    let flash = dir.join("flash.img");
    if !flash.exists() {
        let mut bytes = vec![0xFF; FLASH];
        let image = std::fs::read(&needed.image)?;
        bytes[ACTIVE..ACTIVE + image.len()].copy_from_slice(&image);
        std::fs::write(&flash, bytes)?;
    }
    let (line, qmp) = (dir.join("line.sock"), dir.join("qmp.sock"));
    for socket in [&line, &qmp] {
        let _ = std::fs::remove_file(socket);
    }
    let listener = UnixListener::bind(&line)?;
    let board = start(&needed, &flash, &line, &qmp, &dir)?;
    let cable::Cable { server, path } = cable::lay(faults, false, tasks)?;
    let (stream, _) = tokio::time::timeout(STARTS_WITHIN, listener.accept())
        .await
        .with_context(|| format!("{QEMU} does not start; see {}", dir.join("qemu.log").display()))??;
    tasks.spawn(carry(server, stream, faults.clone()));
    tasks.spawn(follow(board, qmp, Arc::clone(world)));
    set_up(&path).await.context("the emulated node cannot be set up")?;
    Ok(Plugged { path, key: needed.key, frame_gap: Some(GAP), image: None })
}

/// Finds the programs and images; the error names each one that is missing.
fn needed(firmware: &Path) -> anyhow::Result<Needed> {
    let dir = firmware.join(BOARD);
    let (boot, image, key) = (dir.join("boot.elf"), dir.join("node.llfw"), dir.join("trusted.pub"));
    let mut missing = Vec::new();
    if !is_installed(QEMU) {
        missing.push(format!("{QEMU} is not installed: apt install qemu-system-arm"));
    }
    for file in [&boot, &image, &key] {
        if !file.is_file() {
            missing.push(format!(
                "{} is missing: `cargo xtask firmware build --development` makes it, --firmware DIR says where it is",
                file.display()
            ));
        }
    }
    anyhow::ensure!(missing.is_empty(), "--emulated needs more (缺少以下内容):\n  {}", missing.join("\n  "));
    let key = std::fs::read_to_string(key)?.trim().to_owned();
    Ok(Needed { boot, image, key })
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}

/// Command that starts the emulator. With `setpriv`, it ends even when this process is killed.
fn emulator() -> Command {
    if !is_installed("setpriv") {
        return Command::new(QEMU);
    }
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", QEMU]);
    command
}

fn start(needed: &Needed, flash: &Path, line: &Path, qmp: &Path, dir: &Path) -> anyhow::Result<Child> {
    let memory = format!("memory-backend-file,id=mem,size=16M,share=on,mem-path={}", flash.display());
    let child = emulator()
        .args(["-display", "none", "-monitor", "none", "-M", "mps2-an385,memory-backend=mem"])
        .args(["-object", &memory, "-kernel"])
        .arg(&needed.boot)
        .args(["-qmp", &format!("unix:{},server=on,wait=off", qmp.display())])
        .args(["-chardev", &format!("socket,id=line,path={},server=off", line.display())])
        .args(["-serial", "chardev:line", "-serial", &format!("file:{}", dir.join("console.log").display())])
        .args(["-device", "tmp105,id=t0,address=0x48", "-device", "tmp105,id=t1,address=0x49"])
        .args(["-device", "pca9552,id=inputs,address=0x60"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(dir.join("qemu.log"))?)
        .kill_on_drop(true)
        .spawn();
    child.with_context(|| format!("{QEMU} cannot be started"))
}

/// Copies bytes between the UART of the board and the cable.
async fn carry(mut cable: SerialStream, mut board: UnixStream, faults: Faults) {
    let (mut from_cable, mut from_board) = ([0; 256], [0; 256]);
    loop {
        let is_unplugged = faults.is_on(Fault::NodeUnplugged);
        tokio::select! {
            read = cable.read(&mut from_cable) => match read {
                Ok(count) if !is_unplugged => drop(board.write_all(&from_cable[..count]).await),
                Ok(_) => {}
                Err(_) => sleep(Duration::from_millis(50)).await,
            },
            read = board.read(&mut from_board) => match read {
                Ok(0) | Err(_) => return,
                Ok(count) if !is_unplugged => drop(cable.write_all(&from_board[..count]).await),
                Ok(_) => {}
            },
        }
    }
}

/// Sets the probes of the board to the temperatures of the fridge. The emulator runs as long as this task.
async fn follow(board: Child, qmp: PathBuf, world: Arc<Mutex<World>>) {
    let _board = board;
    let Ok(stream) = UnixStream::connect(&qmp).await else { return };
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    let _ = stream.read_line(&mut line).await;
    order(&mut stream, json!({"execute": "qmp_capabilities"})).await;
    loop {
        let celsius = world.lock().unwrap_or_else(PoisonError::into_inner).fridge.temperature;
        for (probe, celsius) in [("t0", celsius), ("t1", celsius - super::node::PRODUCT_LAG)] {
            #[expect(clippy::cast_possible_truncation, reason = "temperatures of a fridge")]
            let value = (celsius * 1000.0) as i32;
            let set = json!({"path": probe, "property": "temperature", "value": value});
            order(&mut stream, json!({"execute": "qom-set", "arguments": set})).await;
        }
        sleep(FOLLOW).await;
    }
}

/// Sends a QMP command and reads the answer of QEMU.
async fn order(stream: &mut BufReader<UnixStream>, order: Value) {
    let _ = stream.get_mut().write_all(format!("{order}\n").as_bytes()).await;
    let mut answer = String::new();
    let _ = stream.read_line(&mut answer).await;
}

/// Sets the node up as `linli provision` does, unless its flash is already set up.
async fn set_up(path: &str) -> anyhow::Result<()> {
    let serial = Serial { path: path.to_owned(), baud: 9600, parity: Parity::None, stop_bits: 1 };
    let timing = Timing {
        connect_timeout: STARTS_WITHIN,
        connect_delay: Duration::ZERO,
        frame_gap: GAP,
        probe_share_percent: 5,
        tolerance: Tolerance::default(),
    };
    let maintenance =
        maintenance::open(Medium::Rtu(serial), timing).await.map_err(|why| anyhow::anyhow!(why))?;
    let (new, known) = (Client::new(maintenance.clone(), 247), Client::new(maintenance, UNIT));
    let end = Instant::now() + STARTS_WITHIN;
    while Instant::now() < end {
        if known.identity_once().await.is_ok() {
            return Ok(());
        }
        if new.identity_once().await.is_ok() {
            let mut config = Config { unit: UNIT, serial: SERIAL, ..new.config().await? };
            let _ = config.set_name(NAME);
            let again = || async { Ok(known.clone()) };
            return match provision::set(&new, &config, again).await {
                Ok(_) => Ok(()),
                Err(why) => Err(anyhow::anyhow!(why)),
            };
        }
    }
    anyhow::bail!("it does not answer within {} s", STARTS_WITHIN.as_secs())
}
