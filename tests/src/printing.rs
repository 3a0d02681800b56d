//! A real CUPS scheduler with a printer that says what the test wants, and a real SNMP agent.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::ensure;
use tokio::process::{Child, Command};

use crate::workspace::{Workspace, eventually, free_port, tool};

/// The scheduler, with one queue called `kiosk`.
pub struct Cups {
    /// Where it listens on loopback.
    pub port: u16,
    say: PathBuf,
    _child: Child,
}

/// An agent with a printer in it, as a network printer would have.
pub struct SnmpAgent {
    /// Where it listens on loopback.
    pub port: u16,
    _child: Child,
}

/// Takes jobs and prints none; what stands in the file goes to the scheduler. The scheduler is killed without its jobs: this
/// one ends when the workspace, and the script with it, is gone.
const BACKEND: &str = "#!/bin/sh\n[ $# -eq 0 ] && { echo 'direct linli \"Unknown\" \"linli\"'; exit 0; }\n\
                       while [ -f \"$0\" ]; do [ -f SAY ] && mv SAY SAY.reported && cat SAY.reported >&2; sleep 0.1; done\n";

const SCHEDULER: &str = "LogLevel warn\nDefaultAuthType None\nWebInterface No\nBrowsing No\n\
                         <Location />\nOrder allow,deny\nAllow all\n</Location>\n\
                         <Policy default>\n<Limit All>\nOrder allow,deny\nAllow all\n</Limit>\n</Policy>\n";

/// RFC 2790 and RFC 3805 as a printer fills them in; the error bits and the toner can be set.
const PRINTER: &str = "rwcommunity schreib 127.0.0.1\n\
    override 1.3.6.1.2.1.25.3.2.1.5.1 integer 2\n\
    override 1.3.6.1.2.1.25.3.5.1.1.1 integer 3\n\
    override -rw 1.3.6.1.2.1.25.3.5.1.2.1 octet_str 0x00\n\
    override 1.3.6.1.2.1.43.11.1.1.8.1.1 integer 200\n\
    override -rw 1.3.6.1.2.1.43.11.1.1.9.1.1 integer 120\n";

fn start(program: &str, package: &str, arguments: &[&str]) -> anyhow::Result<Child> {
    Ok(Command::new(tool(program, package)?)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?)
}

// === impl Cups ===

impl Cups {
    /// Starts it, with a job in the queue that never ends.
    pub async fn start(workspace: &Workspace) -> anyhow::Result<Self> {
        let (port, home, say) = (free_port()?, workspace.path("cups"), workspace.path("cups/say"));
        for dir in ["root", "spool", "cache", "state", "logs", "bin/backend", "bin/daemon", "data/mime"] {
            std::fs::create_dir_all(home.join(dir))?;
        }
        std::os::unix::fs::symlink("/usr/lib/cups/daemon/cups-exec", home.join("bin/daemon/cups-exec"))?;
        let backend = home.join("bin/backend/linli");
        std::fs::write(&backend, BACKEND.replace("SAY", &say.to_string_lossy()))?;
        // Nobody else may run it: then the scheduler runs it as root, who can read the workspace.
        std::fs::set_permissions(&backend, std::fs::Permissions::from_mode(0o700))?;
        std::fs::write(
            home.join("data/mime/mime.types"),
            "application/octet-stream\napplication/vnd.cups-raw\n",
        )?;
        let place = home.display();
        let mut files = format!("ServerBin {place}/bin\nDataDir {place}/data\nServerRoot {place}/root\n");
        files += &format!("RequestRoot {place}/spool\nCacheDir {place}/cache\nStateDir {place}/state\n");
        files += &format!(
            "AccessLog {place}/logs/access\nErrorLog {place}/logs/error\nPageLog {place}/logs/page\n"
        );
        files += "SystemGroup root\nUser lp\nGroup lp\n";
        let (scheduler, settings) = (home.join("cupsd.conf"), home.join("cups-files.conf"));
        std::fs::write(&settings, files)?;
        std::fs::write(&scheduler, format!("Listen 127.0.0.1:{port}\n{SCHEDULER}"))?;
        let (scheduler, settings) = (scheduler.to_string_lossy(), settings.to_string_lossy());
        let child = start("cupsd", "cups-daemon", &["-f", "-c", &scheduler, "-s", &settings])?;
        eventually("cupsd listens", Duration::from_secs(60), || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        })
        .await?;
        let server = format!("127.0.0.1:{port}");
        let queue = ["-h", &server, "-p", "kiosk", "-E", "-v", "linli:/paper", "-m", "raw"];
        let made = Command::new(tool("lpadmin", "cups-client")?).args(queue).output().await?;
        ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let job = home.join("job");
        std::fs::write(&job, "a page")?;
        let job = job.to_string_lossy();
        let print = ["-h", &server, "-d", "kiosk", "-o", "raw", &job];
        let sent = Command::new(tool("lp", "cups-client")?).args(print).output().await?;
        ensure!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
        Ok(Self { port, say, _child: child })
    }

    /// Sets the message of the printer, such as `STATE: +media-empty-error`.
    pub fn says(&self, line: &str) -> anyhow::Result<()> {
        let whole = self.say.with_extension("new");
        std::fs::write(&whole, format!("{line}\n"))?;
        Ok(std::fs::rename(whole, &self.say)?)
    }
}

// === impl SnmpAgent ===

impl SnmpAgent {
    /// Starts it. It is read with the community `geheim`.
    pub async fn start(workspace: &Workspace) -> anyhow::Result<Self> {
        Self::start_with(workspace, "rocommunity geheim 127.0.0.1\n").await
    }

    /// Starts one with these rules of who may read what, and more objects.
    pub async fn start_with(workspace: &Workspace, more: &str) -> anyhow::Result<Self> {
        let port = free_port()?;
        let config = workspace.path(&format!("snmpd-{port}.conf"));
        std::fs::write(&config, format!("agentaddress udp:127.0.0.1:{port}\n{PRINTER}{more}"))?;
        let child =
            start("snmpd", "snmpd", &["-f", "-Lo", "-C", "-c", &config.to_string_lossy(), "-I", "-smux"])?;
        let agent = Self { port, _child: child };
        for _ in 0..100 {
            if agent.set("1.3.6.1.2.1.43.11.1.1.9.1.1", "i", "120").await.is_ok() {
                return Ok(agent);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        anyhow::bail!("snmpd succeed not answer")
    }

    /// Sets an object, by net-snmp's own client.
    pub async fn set(&self, object: &str, kind: &str, value: &str) -> anyhow::Result<()> {
        let agent = format!("127.0.0.1:{}", self.port);
        let set = ["-v2c", "-c", "schreib", "-r", "0", "-t", "1", &agent, object, kind, value];
        let done = Command::new(tool("snmpset", "snmp")?).args(set).output().await?;
        ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        Ok(())
    }
}
