//! An HL7 client that is not ours, beside a gateway that listens for it.

use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;
use tokio::io::AsyncWriteExt;

use crate::peer::python;
use crate::workspace::{eventually, free_port};

/// A monitor's connection.
pub struct Hl7Monitor {
    /// Where the gateway listens for it.
    pub port: u16,
}

// === impl Lab ===

impl Hl7Monitor {
    /// On a port of its own.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self::on(free_port()?))
    }

    /// On that port.
    #[must_use]
    pub const fn on(port: u16) -> Self {
        Self { port }
    }

    /// Its line and device in devices.toml, in a room or in none.
    #[must_use]
    pub fn device(&self, room: Option<&str>) -> String {
        let room = room.map(|room| format!("room = \"{room}\"\n")).unwrap_or_default();
        format!(
            "[[line]]\nid = \"lab\"\nkind = \"mllp\"\nlisten = \"127.0.0.1:{}\"\n\n\
             [[device]]\nid = \"monitor-1\"\n{room}line = \"lab\"\nprofile = \"hl7/oru-r01\"\nclass = \"vital\"\n\n",
            self.port
        )
    }

    /// Waits until the gateway listens.
    pub async fn listening(&self) -> anyhow::Result<()> {
        let port = self.port;
        eventually("it listens", Duration::from_secs(60), || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        })
        .await
    }

    /// Sends messages; gives each acknowledgement as code, control and reason.
    pub async fn send(&self, messages: &[String]) -> anyhow::Result<Vec<Value>> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/hl7_client.py");
        let mut child = tokio::process::Command::new(python()?)
            .args([script, &self.port.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut input = child.stdin.take().context("no input")?;
        let lines: Result<Vec<String>, _> = messages.iter().map(serde_json::to_string).collect();
        let mut lines = lines?.join("\n");
        lines.push('\n');
        // Its answers are read meanwhile: a full pipe would hold it up, and with it the rest of the messages.
        let told = async move { input.write_all(lines.as_bytes()).await };
        let (told, output) = tokio::join!(told, child.wait_with_output());
        let output = output?;
        told?;
        anyhow::ensure!(output.status.success(), "the client failed");
        let answers: Result<Vec<Value>, _> =
            String::from_utf8_lossy(&output.stdout).lines().map(serde_json::from_str).collect();
        Ok(answers?)
    }
}
