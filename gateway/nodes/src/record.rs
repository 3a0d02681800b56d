//! The record of nodes: who did what with which node, and the result. Each entry contains the hash of the
//! entry before.

use std::collections::BTreeSet;

use linli_domain::Timestamp;
use linli_domain::audit::Chain;
use linli_store::{Documents, Entry};
use serde::{Deserialize, Serialize};

use linli_services::audit_log::{AuditLog, Audited};

/// An entry of the record.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NodeEvent {
    /// Account that requested it.
    pub who: String,
    /// `flash`, `confirm`, `selftest`, `calibrate`, `provision`, `abort`, `restart`, `retry`.
    pub action: String,
    /// `begun`, `done`, `failed`, `refused`, `stopped`.
    pub result: String,
    /// Id of the device, or line and unit id.
    pub device: String,
    /// The node's serial number, hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub serial: Option<String>,
    /// Details of the action: version and image, settings, offset.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub about: Option<String>,
    /// The error, or a remark for people.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub detail: Option<String>,
}

/// State that is stored with the entries.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Stored {
    chain: Chain,
    /// Devices with an update that has begun and not ended.
    open: BTreeSet<String>,
}

/// Writes the record.
#[derive(Debug, Clone)]
pub struct Record {
    log: AuditLog<NodeEvent>,
}

// === impl Stored ===

impl AsRef<Chain> for Stored {
    fn as_ref(&self) -> &Chain {
        &self.chain
    }
}

impl AsMut<Chain> for Stored {
    fn as_mut(&mut self) -> &mut Chain {
        &mut self.chain
    }
}

// === impl NodeEvent ===

impl Audited for NodeEvent {
    const ENTRY: &'static str = "node-line";
    const CHAIN: &'static str = "node-chain";
    const BASE: &'static str = "node-base";
    type State = Stored;
}

// === impl Record ===

impl Record {
    /// Resumes the stored chain.
    pub async fn resume(documents: &Documents) -> anyhow::Result<Self> {
        Ok(Self { log: AuditLog::resume(documents).await? })
    }

    /// Devices whose update had not ended when the process did.
    #[must_use]
    pub fn interrupted(&self) -> Vec<String> {
        self.log.state().open.iter().cloned().collect()
    }

    /// Appends an entry, and stores it in one transaction with `records` for the uplink.
    pub async fn append(
        &mut self,
        documents: &Documents,
        at: Timestamp,
        event: NodeEvent,
        records: Vec<linli_domain::Record>,
    ) -> anyhow::Result<()> {
        let mut next = self.log.clone();
        let open = &mut next.state_mut().open;
        if event.action == "flash" {
            match event.result.as_str() {
                "begun" => open.insert(event.device.clone()),
                _ => open.remove(&event.device),
            };
        }
        let changes = vec![next.append(at, event), next.document(at)];
        documents.keep(Entry { changes, records, ..Entry::default() }).await?;
        self.log = next;
        Ok(())
    }
}
