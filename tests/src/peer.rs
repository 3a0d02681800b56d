//! Modbus servers by pymodbus, and a serial connection between one of them and the gateway.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::workspace::{Workspace, eventually, tool};

/// A Modbus server with counters that increase.
pub struct Peer {
    _child: Child,
}

/// Two connected pseudo-terminals, by socat.
pub struct Cable {
    /// Device of the server.
    pub server: PathBuf,
    /// Device of the gateway.
    pub gateway: PathBuf,
    _child: Child,
}

/// Returns the Python interpreter that has the packages of the peers.
pub fn python() -> anyhow::Result<PathBuf> {
    let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/venv/bin/python");
    ensure!(
        venv.is_file(),
        "{} is missing: `cargo xtask test` creates it (python3-venv, pymodbus)",
        venv.display()
    );
    Ok(venv)
}

// === impl Peer ===

impl Peer {
    /// Starts a Modbus TCP server.
    pub async fn tcp(port: u16, units: usize, every_ms: u32) -> anyhow::Result<Self> {
        Self::counting(&["tcp", &port.to_string()], units, every_ms).await
    }

    /// Starts a server of RTU frames over TCP, as a serial device server does.
    pub async fn rtu_over_tcp(port: u16, units: usize, every_ms: u32) -> anyhow::Result<Self> {
        Self::counting(&["rtu_over_tcp", &port.to_string()], units, every_ms).await
    }

    /// Starts an RTU server on a serial port.
    pub async fn serial(path: &Path, units: usize, every_ms: u32) -> anyhow::Result<Self> {
        Self::counting(&["serial", &path.to_string_lossy()], units, every_ms).await
    }

    /// Starts a server of one unit, `kind` at `place`, whose counter goes on when it was read a few times: however
    /// slow the machine is, no change can be missed by a reader that loses nothing.
    pub async fn counting_reads(kind: &str, place: &str) -> anyhow::Result<Self> {
        Self::start("modbus_server.py", &[kind, place, "--every", "20", "--reads", "4"]).await
    }

    /// Starts thirty units on a serial port, some with the given faults.
    pub async fn bus_of_thirty(path: &Path, baud: u32, faults: &[&str]) -> anyhow::Result<Self> {
        let place = [path.to_string_lossy().into_owned(), baud.to_string()];
        let arguments = [&[place[0].as_str(), place[1].as_str()], faults].concat();
        Self::start("bus_of_thirty.py", &arguments).await
    }

    async fn counting(what: &[&str], units: usize, every_ms: u32) -> anyhow::Result<Self> {
        let numbers = [units.to_string(), every_ms.to_string()];
        let arguments = [what, &["--units", &numbers[0], "--every", &numbers[1]]].concat();
        Self::start("modbus_server.py", &arguments).await
    }

    async fn start(script: &str, arguments: &[&str]) -> anyhow::Result<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(script);
        let mut child = Command::new(python()?)
            .arg("-Wignore")
            .arg(script)
            .args(arguments)
            .args(["--parent", &std::process::id().to_string()])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let output = child.stdout.take().context("no output")?;
        let mut lines = BufReader::new(output).lines();
        let first = tokio::time::timeout(Duration::from_secs(20), lines.next_line()).await;
        ensure!(
            first.context("pymodbus does not start")??.as_deref() == Some("ready"),
            "pymodbus did not start"
        );
        Ok(Self { _child: child })
    }
}

// === impl Cable ===

impl Cable {
    /// Creates the pair of pseudo-terminals.
    pub async fn connect(workspace: &Workspace) -> anyhow::Result<Self> {
        let (server, gateway) = (workspace.path("tty-server"), workspace.path("tty-gateway"));
        let end = |path: &Path| format!("pty,raw,echo=0,link={}", path.display());
        let child = Command::new(tool("socat", "socat")?)
            .args([end(&server), end(&gateway)])
            .kill_on_drop(true)
            .spawn()?;
        let (a, b) = (server.clone(), gateway.clone());
        eventually("socat lays the cable", Duration::from_secs(60), || a.exists() && b.exists()).await?;
        Ok(Self { server, gateway, _child: child })
    }
}
