//! mosquitto as broker, and `mosquitto_sub` as the independent subscriber.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use tokio::process::{Child, Command};

use crate::proof::{Proof, Received, parse};
use crate::workspace::{Workspace, eventually, free_port, tool};

/// A real broker with persistent sessions.
pub struct Broker {
    /// Its port, the same over restarts.
    pub port: u16,
    /// Its port for TLS with client certificates, where it has one.
    pub tls_port: u16,
    config: PathBuf,
    environment: Vec<(String, String)>,
    child: Option<Child>,
}

/// Records everything below `linli/` in a persistent session: what the broker acknowledged while
/// the subscriber or the broker was away is delivered afterwards.
pub struct Subscriber {
    file: PathBuf,
    _child: Child,
}

// === impl Broker ===

impl Broker {
    /// Starts a broker.
    pub async fn start(workspace: &Workspace) -> anyhow::Result<Self> {
        Self::start_with(workspace, 0, "").await
    }

    /// Starts one with these variables of the environment, such as those of another clock, and a log
    /// (`mosquitto.log`), each line of which begins with the broker's time in seconds.
    pub async fn start_under(
        workspace: &Workspace,
        environment: Vec<(String, String)>,
    ) -> anyhow::Result<Self> {
        let log = workspace.path("mosquitto.log");
        let more = format!("log_dest file {}\nlog_type all\n", log.display());
        Self::start_with_all(free_port()?, workspace, 0, (&more, environment)).await
    }

    /// Starts one that also listens for clients whose certificate `ca.pem` has signed.
    pub async fn start_tls(workspace: &Workspace, certs: &Path) -> anyhow::Result<Self> {
        let (port, dir) = (free_port()?, certs.display());
        let more = format!(
            "listener {port} 127.0.0.1\ncafile {dir}/ca.pem\ncertfile {dir}/broker.pem\n\
             keyfile {dir}/broker.key\nrequire_certificate true\n"
        );
        Self::start_with(workspace, port, &more).await
    }

    /// Starts one that takes no packet larger than that.
    pub async fn start_small(workspace: &Workspace, largest: usize) -> anyhow::Result<Self> {
        Self::start_small_on(free_port()?, workspace, largest).await
    }

    /// Starts one that knows these users, each with its name as password, and what each may read and write
    /// (`acl_file` of mosquitto.conf(5)).
    pub async fn start_with_rules(
        workspace: &Workspace,
        users: &[&str],
        rules: &str,
    ) -> anyhow::Result<Self> {
        let (passwords, acl) = (workspace.path("passwords"), workspace.path("acl"));
        std::fs::write(&passwords, "")?;
        for user in users {
            let made = Command::new(tool("mosquitto_passwd", "mosquitto")?)
                .arg("-b")
                .arg(&passwords)
                .args([user, user])
                .status()
                .await?;
            anyhow::ensure!(made.success(), "mosquitto_passwd failed");
        }
        std::fs::write(&acl, rules)?;
        let more = format!(
            "allow_anonymous false\npassword_file {}\nacl_file {}\n",
            passwords.display(),
            acl.display()
        );
        Self::start_on(free_port()?, workspace, 0, &more).await
    }

    /// Publishes one message at QoS 1 as one of its users.
    pub async fn publish_as(&self, user: &str, topic: &str, payload: &str) -> anyhow::Result<()> {
        let port = self.port.to_string();
        let mut command = Command::new(tool("mosquitto_pub", "mosquitto-clients")?);
        command.args(["-h", "127.0.0.1", "-p", &port, "-u", user, "-P", user, "-q", "1", "-V", "5"]);
        // What is refused is told here, and found in the database.
        let _ = command.args(["-t", topic, "-m", payload]).output().await?;
        Ok(())
    }

    /// The same on that port.
    pub async fn start_small_on(port: u16, workspace: &Workspace, largest: usize) -> anyhow::Result<Self> {
        Self::start_on(port, workspace, 0, &format!("max_packet_size {largest}\n")).await
    }

    async fn start_with(workspace: &Workspace, tls_port: u16, more: &str) -> anyhow::Result<Self> {
        Self::start_on(free_port()?, workspace, tls_port, more).await
    }

    async fn start_on(port: u16, workspace: &Workspace, tls_port: u16, more: &str) -> anyhow::Result<Self> {
        Self::start_with_all(port, workspace, tls_port, (more, Vec::new())).await
    }

    async fn start_with_all(
        port: u16,
        workspace: &Workspace,
        tls_port: u16,
        (more, environment): (&str, Vec<(String, String)>),
    ) -> anyhow::Result<Self> {
        let store = workspace.path("mosquitto");
        std::fs::create_dir_all(&store)?;
        let config = workspace.path("mosquitto.conf");
        let text = format!(
            "listener {port} 127.0.0.1\nallow_anonymous true\nuser root\npersistence true\n\
             persistence_location {}/\nautosave_interval 1800\nmax_queued_messages 0\nmax_inflight_messages 1000\n{more}",
            store.display()
        );
        std::fs::write(&config, text)?;
        let mut broker = Self { port, tls_port, config, environment, child: None };
        broker.begin().await?;
        Ok(broker)
    }

    /// Starts it again on the same port with what it kept.
    pub async fn begin(&mut self) -> anyhow::Result<()> {
        let mosquitto = tool("mosquitto", "mosquitto")?;
        let child = Command::new(mosquitto)
            .arg("-c")
            .arg(&self.config)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        self.child = Some(child);
        let port = self.port;
        eventually("mosquitto listens", Duration::from_secs(60), || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        })
        .await
    }

    /// Ends it; it keeps its sessions.
    pub async fn end(&mut self) -> anyhow::Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        crate::gateway::signal(&child, "-TERM").await?;
        child.wait().await?;
        Ok(())
    }

    /// Kills it: what it has not saved is gone.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill().await?;
        }
        Ok(())
    }

    /// Subscribes to everything and waits until that is known to the broker.
    pub async fn subscribe(&self, workspace: &Workspace) -> anyhow::Result<Subscriber> {
        let file = workspace.path("received.tsv");
        let output = std::fs::File::create(&file)?;
        let child = Command::new(tool("mosquitto_sub", "mosquitto-clients")?)
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-q", "1", "-c", "-i", "record"])
            .args(["-V", "5", "-x", "3600", "-t", "linli/#", "-t", "ready/#", "-F", "%t\t%p"])
            .stdout(output)
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let subscriber = Subscriber { file, _child: child };
        for _ in 0..100 {
            self.publish("ready/now", "1", false).await?;
            tokio::time::sleep(Duration::from_millis(50)).await;
            if std::fs::read_to_string(&subscriber.file)?.contains("ready/now") {
                return Ok(subscriber);
            }
        }
        anyhow::bail!("mosquitto_sub hears nothing")
    }

    /// Publishes one message at QoS 1.
    pub async fn publish(&self, topic: &str, payload: &str, retain: bool) -> anyhow::Result<()> {
        self.publish_bytes(topic, payload.as_bytes(), retain).await
    }

    /// Publishes a file again and again, as fast as the broker takes it, until the child is dropped.
    pub fn flood(&self, topic: &str, file: &Path) -> anyhow::Result<Child> {
        let mut command = Command::new(tool("mosquitto_pub", "mosquitto-clients")?);
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-q", "0", "-t", topic, "-f"]);
        command.arg(file).args(["--repeat", "100000000", "--repeat-delay", "0"]);
        Ok(command.kill_on_drop(true).stdout(Stdio::null()).spawn()?)
    }

    /// The same of any bytes.
    pub async fn publish_bytes(&self, topic: &str, payload: &[u8], retain: bool) -> anyhow::Result<()> {
        let mut command = Command::new(tool("mosquitto_pub", "mosquitto-clients")?);
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-q", "1", "-t", topic, "-s"]);
        if retain {
            command.arg("-r");
        }
        let mut child = command.stdin(Stdio::piped()).spawn()?;
        let mut input = child.stdin.take().context("no input")?;
        tokio::io::AsyncWriteExt::write_all(&mut input, payload).await?;
        drop(input);
        anyhow::ensure!(child.wait().await?.success(), "mosquitto_pub failed");
        Ok(())
    }
}

// === impl Subscriber ===

impl Subscriber {
    /// Everything received, once nothing is missing or nothing has come for ten seconds: a busy
    /// machine delivers late what the broker has long acknowledged.
    pub async fn settled(&self) -> anyhow::Result<Vec<Received>> {
        let (mut seen, mut still) = (0, 0);
        loop {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let received = self.received()?;
            still = if received.len() == seen { still + 1 } else { 0 };
            seen = received.len();
            let is_whole = Proof::of(&received).missing().is_empty();
            if (is_whole && still > 0) || still >= 20 {
                return Ok(received);
            }
        }
    }

    /// Everything received so far, in order.
    pub fn received(&self) -> anyhow::Result<Vec<Received>> {
        let text = String::from_utf8_lossy(&std::fs::read(&self.file)?).into_owned();
        // The last line may still be being written.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        Ok(whole.lines().filter_map(parse).collect())
    }
}
