//! Access to nodes while no gateway runs: opens their line, and writes the maintenance record.

use std::sync::Arc;

use linli_drivers::modbus::maintenance::{self, MaintenanceHandle};
use linli_drivers::modbus::plan::{Medium, ModbusPlan, Timing};
use linli_drivers::node;
use linli_store::Store;

use linli_config::Checked;
use linli_domain::audit::number_after;
use linli_nodes::{NodeEvent, Record, Target};
use linli_services::audit_log::entries_after;

/// Number of lines read at a time.
const PAGE: u32 = 1000;

/// A configured node.
pub struct Found {
    /// Id of its line.
    pub line: String,
    medium: Medium,
    timing: Timing,
    device: String,
    unit: u8,
    serial: Option<u64>,
    kind: u16,
}

/// The maintenance record; without a configuration nothing is recorded.
pub struct Offline {
    open: Option<(Store, Record)>,
    who: String,
}

// === impl Found ===

impl Found {
    /// Opens the line of the node.
    pub async fn open_line(&self) -> anyhow::Result<MaintenanceHandle> {
        maintenance::open(self.medium.clone(), self.timing).await.map_err(|why| anyhow::anyhow!(why))
    }

    /// The node as a target of requests through the handle.
    #[must_use]
    pub fn target(self, maintenance: MaintenanceHandle) -> Target {
        let Self { device, unit, serial, kind, .. } = self;
        Target {
            device,
            unit,
            maintenance,
            serial,
            kind: Some(kind),
            afterwards: None,
            now: crate::cli::now(),
        }
    }
}

/// Finds a node by its device id.
pub fn find(config: &Checked, device: &str) -> anyhow::Result<Found> {
    let mut nodes = Vec::new();
    for line in &config.lines {
        let Some(plan) = line.plan.as_any().downcast_ref::<ModbusPlan>() else { continue };
        for planned in &plan.devices {
            let Some(kind) = node::kind_of(&planned.layout.profile) else { continue };
            let id = planned.layout.device.as_str();
            if id == device {
                return Ok(Found {
                    line: plan.line.to_string(),
                    medium: plan.medium.clone(),
                    timing: plan.timing,
                    device: device.to_owned(),
                    unit: planned.unit,
                    serial: planned.serial,
                    kind: kind.id,
                });
            }
            nodes.push(id);
        }
    }
    let nodes = if nodes.is_empty() { "none".to_owned() } else { nodes.join(", ") };
    anyhow::bail!("no node {device:?}; nodes of the configuration are: {nodes}")
}

// === impl Offline ===

impl Offline {
    /// Opens the record of the configured gateway. Without a configuration a warning is printed, and
    /// nothing is recorded.
    pub async fn open(config: Option<&Checked>) -> Self {
        let who = format!("local:{}, without the gateway", rustix::process::getuid().as_raw());
        let open = match config {
            None => Err(anyhow::anyhow!("there is no configuration here")),
            Some(config) => Self::record(config).await,
        };
        let open = open.map_err(|why| eprintln!("linli: this is not written into a record: {why:#}")).ok();
        Self { open, who }
    }

    async fn record(config: &Checked) -> anyhow::Result<(Store, Record)> {
        crate::runtime::state_dir::keep_to_ourselves();
        if let Some(dir) = config.store.path.parent() {
            std::fs::create_dir_all(dir)?;
        }
        let now: linli_store::Now = Arc::new(crate::cli::now);
        let (store, _) = Store::open(config.store.clone(), now).await?;
        let record = Record::resume(&store.documents()).await?;
        Ok((store, record))
    }

    /// Records an action.
    pub async fn note(
        &mut self,
        action: &str,
        result: &str,
        target: &Target,
        about: Option<String>,
        detail: Option<String>,
    ) {
        let what = NodeEvent {
            action: action.to_owned(),
            result: result.to_owned(),
            device: target.device.clone(),
            serial: target.serial.map(|serial| format!("{serial:016x}")),
            about,
            detail,
            ..NodeEvent::default()
        };
        self.keep(what).await;
    }

    /// Records a refusal before any node was reached.
    pub async fn refused(&mut self, action: &str, device: &str, why: &str) {
        let (action, device) = (action.to_owned(), device.to_owned());
        let (result, detail) = ("refused".to_owned(), Some(why.to_owned()));
        self.keep(NodeEvent { action, result, device, detail, ..NodeEvent::default() }).await;
    }

    /// Records an event, with the user.
    pub async fn keep(&mut self, what: NodeEvent) {
        let Some((store, record)) = &mut self.open else { return };
        let what = NodeEvent { who: self.who.clone(), ..what };
        if let Err(error) = record.append(&store.documents(), crate::cli::now(), what, Vec::new()).await {
            eprintln!("linli: the record cannot be written: {error:#}");
        }
    }

    /// Name of the user.
    #[must_use]
    pub fn who(&self) -> &str {
        &self.who
    }

    /// Waits until the record is on the disk.
    pub async fn close(self) {
        if let Some((store, _)) = self.open {
            store.close().await;
        }
    }
}

/// Reads the whole maintenance record from the database.
pub async fn lines(config: &Checked) -> anyhow::Result<Vec<String>> {
    let (store, _) = Offline::record(config).await?;
    let mut lines: Vec<String> = Vec::new();
    loop {
        let last = lines.last().and_then(|last| number_after(last)?.checked_sub(1));
        let more = entries_after::<NodeEvent>(&store.documents(), last, PAGE).await?;
        if more.is_empty() {
            break;
        }
        lines.extend(more);
    }
    store.close().await;
    Ok(lines)
}
