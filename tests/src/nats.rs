//! NATS JetStream with its MQTT listener.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use tokio::process::{Child, Command};

use crate::gateway::signal;
use crate::link::Link;
use crate::workspace::{Workspace, eventually, free_port, tool};

/// A server of its own; ports and streams stay over restarts.
pub struct Nats {
    /// Port of the NATS protocol.
    pub port: u16,
    /// Port of MQTT 3.1.1.
    pub mqtt: u16,
    config: PathBuf,
    environment: Vec<(String, String)>,
    child: Option<Child>,
}

/// The environment of a server of three on one machine: with as many threads as processors each, they would mostly wait for
/// each other.
fn of_three() -> Vec<(String, String)> {
    vec![("GOMAXPROCS".to_owned(), "1".to_owned())]
}

// === impl Nats ===

impl Nats {
    /// Starts a server.
    pub async fn start(workspace: &Workspace) -> anyhow::Result<Self> {
        let (port, mqtt) = (free_port()?, free_port()?);
        let config = workspace.path("nats.conf");
        let text = format!(
            "server_name: one\nlisten: 127.0.0.1:{port}\njetstream {{ store_dir: \"{}\" }}\n\
             mqtt {{ listen: 127.0.0.1:{mqtt} }}\n",
            workspace.path("nats").display()
        );
        std::fs::write(&config, text)?;
        let mut nats = Self { port, mqtt, config, environment: Vec::new(), child: None };
        nats.begin().await?;
        Ok(nats)
    }

    /// A server with the configuration that is made for its ports: that of NATS and that of MQTT. It is not started.
    pub fn configured(
        workspace: &Workspace,
        text: impl FnOnce((u16, u16)) -> String,
    ) -> anyhow::Result<Self> {
        let (port, mqtt) = (free_port()?, free_port()?);
        let config = workspace.path("nats.conf");
        std::fs::write(&config, text((port, mqtt)))?;
        Ok(Self { port, mqtt, config, environment: Vec::new(), child: None })
    }

    /// A variable of its environment, from its next start on.
    pub fn tell(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Has it read its configuration again.
    pub async fn reload(&self) -> anyhow::Result<()> {
        signal(self.child.as_ref().context("it does not run")?, "-HUP").await
    }

    /// Starts a cluster of three, each message on all of them.
    pub async fn cluster(workspace: &Workspace) -> anyhow::Result<Vec<Self>> {
        let mut ports = Vec::new();
        for _ in 0..3 {
            ports.push((free_port()?, free_port()?, free_port()?));
        }
        let routes: Vec<String> =
            ports.iter().map(|(_, _, route)| format!("\"nats://127.0.0.1:{route}\"")).collect();
        let mut nodes = Vec::new();
        for (nth, (port, mqtt, route)) in ports.iter().copied().enumerate() {
            let config = workspace.path(&format!("nats-{nth}.conf"));
            let text = format!(
                "server_name: node-{nth}\nlisten: 127.0.0.1:{port}\njetstream {{ store_dir: \"{}\" }}\n\
                 cluster {{ name: district, listen: 127.0.0.1:{route}, routes: [{}] }}\n\
                 mqtt {{ listen: 127.0.0.1:{mqtt}, stream_replicas: 3 }}\n",
                workspace.path(&format!("nats-{nth}")).display(),
                routes.join(", ")
            );
            std::fs::write(&config, text)?;
            nodes.push(Self { port, mqtt, config, environment: of_three(), child: None });
        }
        Self::begin_all(&mut nodes).await?;
        Ok(nodes)
    }

    /// Starts the servers of a cluster: they listen when most of them are there, so all are started before one is waited
    /// for.
    pub async fn begin_all(nodes: &mut [Self]) -> anyhow::Result<()> {
        for node in &mut *nodes {
            node.spawn()?;
        }
        for node in nodes {
            node.listening().await?;
        }
        Ok(())
    }

    /// The same with a link from each server to each other one, and with these folders for what they keep. Not started.
    /// Returns the links of each with their two ends.
    pub async fn linked(
        workspace: &Workspace,
        stores: &[PathBuf],
    ) -> anyhow::Result<(Vec<Self>, Vec<(usize, usize, Link)>)> {
        let mut ports = Vec::new();
        for _ in stores {
            ports.push((free_port()?, free_port()?, free_port()?));
        }
        let (mut nodes, mut links) = (Vec::new(), Vec::new());
        for (nth, (store, (port, mqtt, route))) in stores.iter().zip(ports.iter().copied()).enumerate() {
            let mut routes = Vec::new();
            for (other, (_, _, far)) in ports.iter().enumerate().filter(|(other, _)| *other != nth) {
                let link = Link::to(*far).await?;
                routes.push(format!("\"nats://127.0.0.1:{}\"", link.port));
                links.push((nth, other, link));
            }
            let config = workspace.path(&format!("nats-{nth}.conf"));
            // What it tells the others of itself leads nowhere: they have no way but the links.
            let text = format!(
                "server_name: node-{nth}\nlisten: 127.0.0.1:{port}\njetstream {{ store_dir: \"{}\", max_file_store: 4GB }}\n\
                 cluster {{ name: district, listen: 127.0.0.1:{route}, advertise: \"127.0.0.1:1\", no_advertise: true, \
                 routes: [{}] }}\nmqtt {{ listen: 127.0.0.1:{mqtt}, stream_replicas: 3 }}\nlogfile: \"{}\"\n",
                store.display(),
                routes.join(", "),
                workspace.path(&format!("nats-{nth}.log")).display()
            );
            std::fs::write(&config, text)?;
            nodes.push(Self { port, mqtt, config, environment: of_three(), child: None });
        }
        Ok((nodes, links))
    }

    /// Starts it again with what it kept, and waits until it listens.
    pub async fn begin(&mut self) -> anyhow::Result<()> {
        self.spawn()?;
        self.listening().await
    }

    /// Starts it with what it kept.
    pub fn spawn(&mut self) -> anyhow::Result<()> {
        let child = Command::new(tool("nats-server", "nats-server")?)
            .arg("-c")
            .arg(&self.config)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        self.child = Some(child);
        Ok(())
    }

    /// Waits until gateways can connect.
    pub async fn listening(&self) -> anyhow::Result<()> {
        let mqtt = self.mqtt;
        eventually("nats-server listens", Duration::from_secs(60), || {
            std::net::TcpStream::connect(("127.0.0.1", mqtt)).is_ok()
        })
        .await
    }

    /// Kills it: what it has not synchronised is gone.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill().await?;
        }
        Ok(())
    }
}
