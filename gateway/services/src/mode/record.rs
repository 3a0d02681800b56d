//! The audit record: one entry for each decision, stored in the same transaction.

use std::sync::Arc;

use linli_domain::Timestamp;
use linli_domain::audit::{Chain, Head};
use linli_mode::checkpoint::CheckpointSigner;
use linli_mode::record::ModeEvent;
use linli_store::{Change, Documents};
use serde::Serialize;

use crate::audit_log::{AuditLog, Audited};

/// The head of the audit record, as it is published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Signed {
    #[serde(flatten)]
    head: Head,
    /// The head as a checkpoint signed by the gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint: Option<String>,
}

/// Adds entries to the audit record and signs its head.
#[derive(Debug, Clone)]
pub struct Record {
    log: AuditLog<ModeEvent>,
    signer: Option<Arc<CheckpointSigner>>,
}

// === impl ModeEvent ===

impl Audited for ModeEvent {
    const ENTRY: &'static str = "mode-line";
    const CHAIN: &'static str = "mode-chain";
    type State = Chain;
}

// === impl Record ===

impl Record {
    /// Restores the hash chain from the store.
    pub async fn resume(
        documents: &Documents,
        signer: Option<Arc<CheckpointSigner>>,
    ) -> anyhow::Result<Self> {
        Ok(Self { log: AuditLog::resume(documents).await?, signer })
    }

    /// Adds an entry; returns the change that stores it.
    pub fn append(&mut self, at: Timestamp, event: ModeEvent) -> Change {
        self.log.append(at, event)
    }

    /// Returns the change that stores the state of the hash chain, to be stored with its entries.
    pub fn document(&self, at: Timestamp) -> Change {
        self.log.document(at)
    }

    /// Returns the current head, signed if there is a signer.
    pub fn head(&self) -> Signed {
        let head = self.log.head();
        let checkpoint = self.signer.as_ref().map(|signer| signer.sign(&head));
        Signed { head, checkpoint }
    }

    /// Returns the key that verifies checkpoints.
    pub fn verifier(&self) -> Option<String> {
        self.signer.as_ref().map(|signer| signer.verifier().to_string())
    }

    /// Returns the number of entries, which is the number of the next one.
    pub fn count(&self) -> u64 {
        self.log.count()
    }
}
