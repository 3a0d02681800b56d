//! Boards emulated by QEMU, with the firmware that is built for them.
//!
//! The bus is a cable between two pseudo-terminals. It stays when the board loses its power, so a
//! gateway at the other end sees what it would see on a real line. The flash is a file and stays too.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, sleep};

use crate::peer::Cable;
use crate::workspace::{Workspace, eventually, lock, tool};

/// The silence between frames under emulation, as the boards have it from the factory.
pub const LINE: &str = "baud = 9600\nframe_gap = \"12ms\"\n";

/// Where the active slot lies in the flash file of the MPS2.
pub const ACTIVE: usize = 0x1_0000;
/// Where the other slot lies.
pub const OTHER: usize = 0x4_0000;
const FLASH: usize = 16 << 20;

/// A board and what is wired to it. [`Bench::mps2`] and its siblings switch the power on.
pub struct Bench {
    /// The gateway's end of the line.
    pub line: PathBuf,
    /// The flash of the MPS2.
    pub flash: PathBuf,
    /// The output of the board's console.
    pub console: PathBuf,
    cable: Cable,
    qmp: PathBuf,
    eeprom: PathBuf,
    _turn: (MutexGuard<'static, ()>, File),
}

/// One emulated board at a time: its frames end by real time, and boards that share a small machine
/// would cut each other's in two.
static TURN: Mutex<()> = Mutex::const_new(());

/// Waits until no other test emulates a board, in this program or in another one.
async fn turn() -> anyhow::Result<(MutexGuard<'static, ()>, File)> {
    let here = TURN.lock().await;
    let until = Instant::now() + LONGEST_TURN;
    loop {
        match lock("emulator") {
            Ok(everywhere) => return Ok((here, everywhere)),
            Err(error) if Instant::now() > until => return Err(error),
            Err(_) => sleep(Duration::from_millis(200)).await,
        }
    }
}

/// A board with power. Dropping it cuts the power.
pub struct Emulator {
    child: Child,
    qmp: BufReader<UnixStream>,
}

/// Longer than all tests with boards together.
const LONGEST_TURN: Duration = Duration::from_secs(1800);

/// Returns the path of a file built for a board.
pub fn built(board: &str, file: &str) -> anyhow::Result<PathBuf> {
    let shelf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/firmware");
    let path = shelf.join(board).join(file);
    ensure!(
        path.is_file(),
        "{} is missing: build it with `cargo xtask firmware build --development --slow`",
        path.display()
    );
    Ok(path)
}

// === impl Bench ===

impl Bench {
    /// A board with a cable, without power. Flash and EEPROM are blank. Waits until no other test
    /// emulates a board.
    pub async fn new(workspace: &Workspace) -> anyhow::Result<Self> {
        let cable = Cable::connect(workspace).await?;
        let bench = Self {
            line: cable.gateway.clone(),
            flash: workspace.path("flash.img"),
            console: workspace.path("console.log"),
            qmp: workspace.path("qmp.sock"),
            eeprom: workspace.path("eeprom.img"),
            cable,
            _turn: turn().await?,
        };
        std::fs::write(&bench.flash, vec![0xFF; FLASH])?;
        std::fs::write(&bench.eeprom, vec![0xFF; 4096])?;
        Ok(bench)
    }

    /// Programs the MPS2 as a factory does: an image in the active slot, all else blank.
    pub fn program(&self, image: &[u8]) -> anyhow::Result<()> {
        let mut flash = vec![0xFF; FLASH];
        flash[ACTIVE..ACTIVE + image.len()].copy_from_slice(image);
        Ok(std::fs::write(&self.flash, flash)?)
    }

    /// The board's end of the line, to send noise from.
    #[must_use]
    pub fn board_end(&self) -> &Path {
        &self.cable.server
    }

    /// Whether the active slot holds exactly this image.
    pub fn runs(&self, image: &[u8]) -> anyhow::Result<bool> {
        Ok(std::fs::read(&self.flash)?[ACTIVE..ACTIVE + image.len()] == *image)
    }

    /// The number of words written in the bootloader's state page: the progress of a swap or a revert.
    pub fn progress(&self) -> anyhow::Result<usize> {
        let flash = std::fs::read(&self.flash)?;
        Ok(flash[8..4096].chunks(4).filter(|word| **word != [0xFF; 4]).count())
    }

    /// Starts an MPS2 with this bootloader: `boot.elf`, or `boot-slow.elf`, whose writes are slow enough
    /// for a power cut to fall into them.
    pub async fn mps2(&self, boot: &str) -> anyhow::Result<Emulator> {
        let memory =
            format!("memory-backend-file,id=mem,size=16M,share=on,mem-path={}", self.flash.display());
        let kernel = built("mps2-an385", boot)?.display().to_string();
        let (line, console) = self.serial();
        self.start(&[
            &["-M", "mps2-an385,memory-backend=mem", "-object", &memory, "-kernel", &kernel],
            &["-chardev", &line, "-serial", "chardev:line", "-serial", &console],
            &["-device", "tmp105,id=t0,address=0x48", "-device", "tmp105,id=t1,address=0x49"],
            &["-device", "pca9552,id=inputs,address=0x60"],
        ])
        .await
    }

    /// Starts an LM3S6965 with EEPROM and clock on its bus.
    pub async fn lm3s6965(&self) -> anyhow::Result<Emulator> {
        let kernel = built("lm3s6965evb", "node.elf")?.display().to_string();
        let eeprom = format!("if=none,id=ee,format=raw,file={}", self.eeprom.display());
        let (line, console) = self.serial();
        self.start(&[
            &["-M", "lm3s6965evb", "-kernel", &kernel, "-chardev", &line, "-serial", "chardev:line"],
            &["-serial", &console, "-device", "tmp105,id=t0,address=0x48"],
            &["-device", "tmp105,id=t1,address=0x49", "-drive", &eeprom],
            &[
                "-device",
                "at24c-eeprom,rom-size=4096,address=0x50,drive=ee",
                "-device",
                "ds1338,address=0x68",
            ],
        ])
        .await
    }

    /// Starts a Netduino Plus 2: an STM32F405 with its UART and little more.
    pub async fn netduinoplus2(&self) -> anyhow::Result<Emulator> {
        let kernel = built("stm32f405", "smoke.elf")?.display().to_string();
        let (line, _) = self.serial();
        self.start(&[&[
            "-M",
            "netduinoplus2",
            "-kernel",
            &kernel,
            "-chardev",
            &line,
            "-serial",
            "chardev:line",
        ]])
        .await
    }

    fn serial(&self) -> (String, String) {
        let line = format!("serial,id=line,path={}", self.cable.server.display());
        (line, format!("file:{}", self.console.display()))
    }

    async fn start(&self, arguments: &[&[&str]]) -> anyhow::Result<Emulator> {
        let _ = std::fs::remove_file(&self.qmp);
        // A test that is killed drops nothing: the emulator then ends with the thread that started it.
        let child = Command::new(tool("setpriv", "util-linux")?)
            .args(["--pdeathsig", "KILL"])
            .arg(tool("qemu-system-arm", "qemu-system-arm")?)
            .args(["-display", "none", "-monitor", "none", "-qmp"])
            .arg(format!("unix:{},server=on,wait=off", self.qmp.display()))
            .args(arguments.concat())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(self.console.with_extension("err"))?)
            .spawn()?;
        let mut emulator = Starting(Some(child));
        let mut stream = None;
        eventually("QEMU starts", Duration::from_secs(60), || {
            stream = UnixStream::connect(&self.qmp).ok();
            stream.is_some()
        })
        .await
        .with_context(|| std::fs::read_to_string(self.console.with_extension("err")).unwrap_or_default())?;
        let stream = stream.context("no connection")?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut qmp = BufReader::new(stream);
        qmp.read_line(&mut String::new())?;
        let child = emulator.0.take().context("it was there")?;
        let mut emulator = Emulator { child, qmp };
        emulator.order("qmp_capabilities", json!({}))?;
        Ok(emulator)
    }
}

/// A child that does not outlive a failed start.
struct Starting(Option<Child>);

impl Drop for Starting {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

// === impl Emulator ===

impl Emulator {
    /// Sends a QMP command to QEMU. Returns its answer; an error of QEMU is an error.
    pub fn order(&mut self, command: &str, arguments: Value) -> anyhow::Result<Value> {
        let order = json!({"execute": command, "arguments": arguments});
        self.qmp.get_mut().write_all(format!("{order}\n").as_bytes())?;
        loop {
            let mut line = String::new();
            ensure!(self.qmp.read_line(&mut line)? > 0, "QEMU has gone");
            let answer: Value = serde_json::from_str(&line)?;
            if let Some(error) = answer.get("error") {
                bail!("{command}: {error}");
            }
            if let Some(answer) = answer.get("return") {
                return Ok(answer.clone());
            }
        }
    }

    /// Sets the temperature of a probe, in thousandths of a degree Celsius.
    pub fn warm(&mut self, probe: &str, millidegrees: i32) -> anyhow::Result<()> {
        let set = json!({"path": probe, "property": "temperature", "value": millidegrees});
        self.order("qom-set", set).map(drop)
    }

    /// Switches a digital input of the MPS2.
    pub fn switch(&mut self, input: usize, is_on: bool) -> anyhow::Result<()> {
        let value = if is_on { "on" } else { "off" };
        let set = json!({"path": "inputs", "property": format!("led{input}"), "value": value});
        self.order("qom-set", set).map(drop)
    }

    /// The states of the MPS2's relays, a bit each, read from its pins.
    pub fn relays(&mut self) -> anyhow::Result<u32> {
        let look = json!({"command-line": "xp /1wx 0x40028000"});
        let reported = self.order("human-monitor-command", look)?;
        let word =
            reported.as_str().and_then(|reported| reported.trim().rsplit(' ').next()).unwrap_or_default();
        Ok(u32::from_str_radix(word.trim_start_matches("0x"), 16)?)
    }

    /// Cuts the power at once.
    pub fn cut(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
