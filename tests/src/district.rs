//! A district: many centres with a gateway each, one broker, and one building controller that
//! simulates the reading rooms of all centres.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use crate::gateway::Gateway;
use crate::link::Link;
use crate::room::{Centre, ENTER, commission, succeed, time_service};
use crate::workspace::{Workspace, free_port};

/// Unit of the first centre's reading room.
const FIRST: u8 = 11;

/// One of the centres.
pub struct DistrictCentre {
    /// Its name.
    pub name: String,
    /// Its reading room, as the controller numbers it.
    pub unit: u8,
    /// Its line to the district.
    pub uplink: Link,
    /// Its line to the controller.
    pub panel: Link,
    /// Its configuration.
    pub config: PathBuf,
    /// Its gateway.
    pub gateway: Gateway,
}

/// A district with its centres.
pub struct District {
    /// The configuration that each centre has a copy of, with the keys of the district's people.
    pub office: Centre,
    /// The centres.
    pub centres: Vec<DistrictCentre>,
    /// The controller's port.
    pub port: u16,
}

// === impl District ===

impl District {
    /// Starts that many centres; their clocks are synchronised.
    pub async fn new(workspace: &Workspace, count: u8, broker: u16) -> anyhow::Result<Self> {
        let office = Centre::named("office", Some(broker)).await?;
        let (port, wrapper) = (free_port()?, time_service(workspace)?);
        let words: Vec<&str> = wrapper.iter().map(String::as_str).collect();
        let mut centres = Vec::new();
        for number in 0..count {
            let name = format!("c{number:02}");
            let (uplink, panel) = (Link::to(broker).await?, Link::to(port).await?);
            let dir = workspace.path(&name);
            let (config, data) = (dir.join("config"), dir.join("data"));
            copy(&office.config, &config)?;
            // Each centre's people may have a plan of their own.
            if number % 5 == 3 {
                own_plan(&office, &config).await?;
            }
            let unit = FIRST + number;
            let lines = [
                ("facility.toml", "\"office\"", format!("\"{name}\"")),
                ("gateway.toml", &format!(":{broker}"), format!(":{}", uplink.port)),
                ("devices.toml", &format!(":{}", office.port), format!(":{}", panel.port)),
                ("devices.toml", "unit = 4\n", format!("unit = {unit}\n")),
                // Two cores serve all of them.
                ("devices.toml", "poll = \"100ms\"", "poll = \"300ms\"".to_owned()),
            ];
            for (file, from, to) in lines {
                rewrite(&config.join(file), from, &to)?;
            }
            commission(&config, &data).await?;
            let gateway = Gateway::start_under(&words, &config, &data).await?;
            centres.push(DistrictCentre { name, unit, uplink, panel, config, gateway });
        }
        for centre in &mut centres {
            centre.gateway.answering().await?;
        }
        Ok(Self { office, centres, port })
    }

    /// Writes one order for all centres, signed by two people. Returns its file.
    pub async fn order(&mut self, kind: &str, plan: &str) -> anyhow::Result<String> {
        let file = |centre: &DistrictCentre| centre.config.join(format!("plans/{plan}.toml"));
        let plans: Vec<String> =
            self.centres.iter().map(|centre| format!("{}:{}", centre.name, file(centre).display())).collect();
        let more: Vec<&str> = plans.iter().flat_map(|plan| ["--plan", plan.as_str()]).collect();
        self.office.order(kind, "actual", &more, &["wang", "li"]).await
    }
}

fn rewrite(file: &Path, from: &str, to: &str) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(file)?;
    ensure!(text.contains(from), "{} has no {from:?}", file.display());
    Ok(std::fs::write(file, text.replace(from, to))?)
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let there = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy(&entry.path(), &there)?,
            false => drop(std::fs::copy(entry.path(), &there).context("a file of the configuration")?),
        }
    }
    Ok(())
}

/// The same plan in other words: another file, another hash, signed anew.
async fn own_plan(office: &Centre, config: &Path) -> anyhow::Result<()> {
    let file = config.join(format!("plans/{ENTER}.toml"));
    rewrite(&file, "在上风侧", "在上风侧、靠窗")?;
    let file = file.to_string_lossy().into_owned();
    let _ = std::fs::remove_file(format!("{file}.sig"));
    succeed(&["order", "sign", &file, "--key", &office.key("wang")]).await.map(drop)
}
