//! The record: one entry for everything that was decided, in the transaction that makes it so.

use std::sync::Arc;

use linli_domain::Timestamp;
use linli_domain::audit::{Chain, Head};
use linli_mode::checkpoint::CheckpointSigner;
use linli_mode::record::ModeEvent;
use linli_store::{Change, Documents};
use serde::Serialize;

use crate::audit_log::{AuditLog, Audited};

/// What stands for the record, as it is reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Signed {
    #[serde(flatten)]
    head: Head,
    /// The same as a checkpoint that the gateway signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint: Option<String>,
}

/// Writes lines.
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
    /// Goes on with the chain as it was kept.
    pub async fn resume(book: &Documents, signer: Option<Arc<CheckpointSigner>>) -> anyhow::Result<Self> {
        Ok(Self { log: AuditLog::resume(book).await?, signer })
    }

    /// The next line, and the page that it becomes.
    pub fn write(&mut self, at: Timestamp, what: ModeEvent) -> Change {
        self.log.append(at, what)
    }

    /// The chain's state, to be kept with its lines.
    pub fn page(&self, at: Timestamp) -> Change {
        self.log.document(at)
    }

    /// What stands for everything so far.
    pub fn head(&self) -> Signed {
        let head = self.log.head();
        let checkpoint = self.signer.as_ref().map(|signer| signer.sign(&head));
        Signed { head, checkpoint }
    }

    /// What its checkpoints are checked with.
    pub fn verifier(&self) -> Option<String> {
        self.signer.as_ref().map(|signer| signer.verifier().to_string())
    }

    /// The number of the next line.
    pub fn count(&self) -> u64 {
        self.log.count()
    }
}
