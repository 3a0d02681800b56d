//! The record: what was done with nodes, by whom, and what came of it. Each line names the hash of
//! the one before, as the record of the mode switch does.

use std::collections::BTreeSet;

use linli_domain::Timestamp;
use linli_domain::audit::Chain;
use linli_store::{Documents, Entry};
use serde::{Deserialize, Serialize};

use crate::audit_log::{AuditLog, Audited};

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NodeEvent {
    /// Who asked, by which way.
    pub who: String,
    /// `flash`, `confirm`, `selftest`, `calibrate`, `provision`, `abort`, `restart`.
    pub action: String,
    /// `begun`, `done`, `failed`, `refused`, `stopped`.
    pub result: String,
    /// The device, or line and unit where it is no device yet.
    pub device: String,
    /// The node's serial number, hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub serial: Option<String>,
    /// What it was about: versions, the image, what was set.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub about: Option<String>,
    /// Why not, or more for a person.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub detail: Option<String>,
}

/// What is stored of the record beside its lines.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Stored {
    chain: Chain,
    /// Nodes whose update was begun and has no end yet.
    open: BTreeSet<String>,
}

/// Writes lines.
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
    type State = Stored;
}

// === impl Record ===

impl Record {
    /// Goes on with the chain as it was kept.
    pub async fn resume(book: &Documents) -> anyhow::Result<Self> {
        Ok(Self { log: AuditLog::resume(book).await? })
    }

    /// Nodes whose update was under way when the process ended.
    #[must_use]
    pub fn broken_off(&self) -> Vec<String> {
        self.log.state().open.iter().cloned().collect()
    }

    /// Makes a line durable, with what the district is told of it.
    pub async fn keep(
        &mut self,
        book: &Documents,
        at: Timestamp,
        what: NodeEvent,
        records: Vec<linli_domain::Record>,
    ) -> anyhow::Result<()> {
        let mut next = self.log.clone();
        let open = &mut next.state_mut().open;
        if what.action == "flash" {
            match what.result.as_str() {
                "begun" => open.insert(what.device.clone()),
                _ => open.remove(&what.device),
            };
        }
        let changes = vec![next.append(at, what), next.document(at)];
        book.keep(Entry { changes, records, ..Entry::default() }).await?;
        self.log = next;
        Ok(())
    }
}
