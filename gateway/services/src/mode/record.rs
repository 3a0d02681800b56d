//! The audit record: one entry for each decision, stored in the same transaction.

use std::sync::Arc;

use linli_domain::Timestamp;
use linli_domain::audit::{Chain, Head};
use linli_mode::checkpoint::CheckpointSigner;
use linli_mode::order::Numbers;
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
    /// The highest accepted number of orders, by authority and class; the checkpoint has them too.
    #[serde(skip_serializing_if = "Numbers::is_empty")]
    orders: Numbers,
}

/// Adds entries to the audit record and signs its head.
#[derive(Debug, Clone)]
pub struct Record {
    log: AuditLog<ModeEvent>,
    signer: Option<Arc<CheckpointSigner>>,
    orders: Numbers,
}

// === impl ModeEvent ===

impl Audited for ModeEvent {
    const ENTRY: &'static str = "mode-line";
    const CHAIN: &'static str = "mode-chain";
    const BASE: &'static str = "mode-base";
    type State = Chain;
}

// === impl Record ===

impl Record {
    /// Restores the hash chain from the store.
    pub async fn resume(
        documents: &Documents,
        signer: Option<Arc<CheckpointSigner>>,
    ) -> anyhow::Result<Self> {
        Ok(Self { log: AuditLog::resume(documents).await?, signer, orders: Numbers::new() })
    }

    /// Sets the highest accepted numbers of orders, which are published with each head.
    pub fn set_order_numbers(&mut self, numbers: Numbers) {
        self.orders = numbers;
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
        let lines: Vec<String> =
            self.orders.iter().map(|(series, number)| format!("order {series} {number}")).collect();
        let checkpoint = self.signer.as_ref().map(|signer| signer.sign(&head, &lines));
        Signed { head, checkpoint, orders: self.orders.clone() }
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
