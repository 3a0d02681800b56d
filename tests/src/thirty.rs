//! Thirty devices on one serial line, some of them faulty, under a gateway.

use std::fmt::Write;
use std::time::Duration;

use serde_json::Value;

use crate::devices::STORE;
use crate::gateway::{Gateway, device};
use crate::peer::{Cable, Peer};
use crate::workspace::Workspace;

/// Devices on the line.
pub const UNITS: usize = 30;

/// The line and its gateway.
pub struct Thirty {
    /// The gateway.
    pub gateway: Gateway,
    _bus: Peer,
    _cable: Cable,
    _workspace: Workspace,
}

const WORDS: &str = r#"vendor = "generic"
model = "words"
title = "Four words"
title_zh = "四个寄存器"
source = "the simulator of this test"

[[point]]
name = "w"
repeat = 4
holding = 0
type = "u16"
unit = "1"

[[test]]
holding = { 0 = "0001 0002 0003 0004" }
expect = { w-1 = 1, w-2 = 2, w-3 = 3, w-4 = 4 }
"#;

// === impl Thirty ===

impl Thirty {
    /// Starts them; `faults` are arguments of `peers/bus_of_thirty.py`.
    pub async fn start(faults: &[&str]) -> anyhow::Result<Self> {
        let workspace = Workspace::new()?;
        let cable = Cable::connect(&workspace).await?;
        let bus = Peer::bus_of_thirty(&cable.server, 38_400, faults).await?;
        let mut devices = format!(
            "[[line]]\nid = \"bus\"\nkind = \"modbus_rtu\"\nport = \"{}\"\nbaud = 38400\ntimeout = \"200ms\"\n\n",
            cable.gateway.display()
        );
        for unit in 1..=UNITS {
            let _ = write!(
                devices,
                "[[device]]\nid = \"u{unit}\"\nline = \"bus\"\nunit = {unit}\nprofile = \"generic/words\"\npoll = \"700ms\"\n\n"
            );
        }
        let config = workspace.configure_with("", STORE, &devices)?;
        std::fs::create_dir_all(config.join("devices/generic"))?;
        std::fs::write(config.join("devices/generic/words.toml"), WORDS)?;
        let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
        gateway.answering().await?;
        Ok(Self { gateway, _bus: bus, _cable: cable, _workspace: workspace })
    }

    /// How often each unit was read so far, unit 1 first.
    pub fn reads(&self) -> anyhow::Result<Vec<u64>> {
        Ok(reads(&serde_json::from_str(&self.gateway.get("/api/v1/status")?)?))
    }

    /// Reads of each unit within a time, once the line has settled.
    pub async fn rates(&self, settle: Duration, measure: Duration) -> anyhow::Result<Vec<u64>> {
        tokio::time::sleep(settle).await;
        let before = self.reads()?;
        tokio::time::sleep(measure).await;
        Ok(self.reads()?.iter().zip(before).map(|(after, before)| after - before).collect())
    }
}

/// How often each unit was read, by a status.
#[must_use]
pub fn reads(status: &Value) -> Vec<u64> {
    let ok = |unit: usize| device(status, &format!("u{unit}")).and_then(|device| device["ok"].as_u64());
    (1..=UNITS).map(|unit| ok(unit).unwrap_or_default()).collect()
}
