//! A printer that speaks IPP: `ippeveprinter` of CUPS, with the bus and the service directory that it insists on.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use tokio::process::{Child, Command};

use crate::workspace::{Workspace, eventually, free_port, lock, tool};

/// Prints into a directory. While the file `empty` is there it has no paper: the job waits, and the printer says why.
const PAPER: &str = "#!/bin/sh\n\
    while [ -f DIR/empty ]; do echo 'STATE: +media-empty' >&2; touch DIR/waiting; sleep 0.1; done\n\
    echo 'STATE: -media-empty' >&2\n\
    cp \"$1\" DIR/new.part && mv DIR/new.part \"DIR/printed-$(ls DIR | grep -c '^printed-').pdf\"\n";

/// The printer.
pub struct IppPrinter {
    /// Its address for the configuration.
    pub uri: String,
    paper: PathBuf,
    port: u16,
    formats: &'static str,
    bus: String,
    printer: Option<Child>,
    _others: [Child; 2],
    _turn: std::fs::File,
}

/// Starts the service directory. The one of the test before may not be quite gone: then it is tried again.
async fn directory(workspace: &Workspace, bus: &str) -> anyhow::Result<Child> {
    let log = workspace.path("avahi.log");
    for _ in 0..100 {
        let mut child = Command::new(tool("avahi-daemon", "avahi-daemon")?)
            .args(["--no-drop-root", "--no-rlimits", "--no-chroot", "-f"])
            .arg(workspace.path("avahi.conf"))
            .env("DBUS_SYSTEM_BUS_ADDRESS", bus)
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log)?)
            .kill_on_drop(true)
            .spawn()?;
        loop {
            if std::fs::read_to_string(&log).unwrap_or_default().contains("startup complete") {
                return Ok(child);
            }
            if child.try_wait()?.is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("avahi-daemon: {}", std::fs::read_to_string(&log).unwrap_or_default())
}

// === impl IppPrinter ===

impl IppPrinter {
    /// Starts a printer that takes these formats, such as `application/pdf`.
    ///
    /// # Errors
    /// When a program is missing, or it does not listen.
    pub async fn start(workspace: &Workspace, formats: &'static str) -> anyhow::Result<Self> {
        let paper = workspace.path("paper");
        std::fs::create_dir_all(&paper)?;
        let command = paper.join("print");
        std::fs::write(&command, PAPER.replace("DIR", &paper.to_string_lossy()))?;
        std::fs::set_permissions(&command, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
        let socket = workspace.path("printer-bus");
        let bus = format!("unix:path={}", socket.display());
        let daemon = Command::new(tool("dbus-daemon", "dbus-daemon")?)
            .args(["--session", "--nofork", "--nopidfile", "--address", &bus])
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        eventually("the bus of the printer", Duration::from_secs(60), || socket.exists()).await?;
        // Of the service directory there can be one on a machine: it has one file for its number.
        let mut turn = None;
        eventually("the end of another test's printer", Duration::from_secs(300), || {
            turn = lock("avahi").ok();
            turn.is_some()
        })
        .await?;
        let turn = turn.context("the lock was taken")?;
        let settings = workspace.path("avahi.conf");
        std::fs::write(&settings, "[server]\nallow-interfaces=lo\nuse-ipv6=no\n")?;
        let directory = directory(workspace, &bus).await?;
        let port = free_port()?;
        let uri = format!("ipp://127.0.0.1:{port}/ipp/print");
        let mut printer =
            Self { uri, paper, port, formats, bus, printer: None, _others: [daemon, directory], _turn: turn };
        printer.switch_on().await?;
        Ok(printer)
    }

    /// Starts it again, or for the first time.
    ///
    /// # Errors
    /// When it does not listen.
    pub async fn switch_on(&mut self) -> anyhow::Result<()> {
        let spool = self.paper.join("spool");
        std::fs::create_dir_all(&spool)?;
        let child = Command::new(tool("ippeveprinter", "cups-ipp-utils")?)
            .args(["-p", &self.port.to_string(), "-f", self.formats, "-c"])
            .arg(self.paper.join("print"))
            .arg("-d")
            .arg(&spool)
            .arg(format!("linli {}", self.port))
            .env("DBUS_SYSTEM_BUS_ADDRESS", &self.bus)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        self.printer = Some(child);
        let port = self.port;
        eventually("the printer listens", Duration::from_secs(60), || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        })
        .await
    }

    /// Ends it: nobody answers.
    ///
    /// # Errors
    /// When it cannot be ended.
    pub async fn switch_off(&mut self) -> anyhow::Result<()> {
        if let Some(mut printer) = self.printer.take() {
            printer.kill().await?;
        }
        Ok(())
    }

    /// Takes the paper out, or puts some in.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn paper(&self, is_there: bool) -> anyhow::Result<()> {
        let empty = self.paper.join("empty");
        if is_there {
            let _ = std::fs::remove_file(&empty);
        } else {
            std::fs::write(&empty, "")?;
        }
        Ok(())
    }

    /// What it has printed.
    #[must_use]
    pub fn printed(&self) -> Vec<PathBuf> {
        let files = std::fs::read_dir(&self.paper).into_iter().flatten().flatten().map(|entry| entry.path());
        let is_printed = |path: &PathBuf| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("printed-"))
        };
        let mut all: Vec<PathBuf> = files.filter(is_printed).collect();
        all.sort();
        all
    }
}
