//! The record: one line for everything that was decided, in the transaction that makes it so.

use std::sync::Arc;

use linli_domain::Timestamp;
use linli_domain::audit::{Chain, Head};
use linli_domain::checkpoint::Keeper;
use linli_domain::mode::record::{Line, What};
use linli_store::{Change, Document, Documents};
use serde::Serialize;

/// Kind of the pages that are lines.
pub const LINE: &str = "mode-line";

/// The page with the chain's state.
const CHAIN: &str = "mode-chain";

/// What stands for the record, as it is told.
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
    chain: Chain,
    keeper: Option<Arc<Keeper>>,
}

/// The page of a line; of none before the first.
#[must_use]
pub fn line_id(n: Option<u64>) -> String {
    n.map_or_else(|| format!("{LINE}/"), |n| format!("{LINE}/{n:012}"))
}

// === impl Record ===

impl Record {
    /// Goes on with the chain as it was kept.
    pub async fn resume(book: &Documents, keeper: Option<Arc<Keeper>>) -> anyhow::Result<Self> {
        let chain = match book.get(CHAIN).await? {
            Some(page) => serde_json::from_str(&page.body)?,
            None => Chain::default(),
        };
        Ok(Self { chain, keeper })
    }

    /// The next line, and the page that it becomes.
    pub fn write(&mut self, at: Timestamp, what: What) -> Change {
        let (n, prev) = self.chain.next();
        let body = serde_json::to_string(&Line { n, prev, at, what }).expect("a line is made of JSON values");
        self.chain.append(&body);
        Change::Document(Document { id: line_id(Some(n)), kind: LINE.to_owned(), at, body })
    }

    /// The chain's state, to be kept with its lines.
    pub fn page(&self, at: Timestamp) -> Change {
        let body = serde_json::to_string(&self.chain).expect("a chain is made of JSON values");
        Change::Document(Document { id: CHAIN.to_owned(), kind: CHAIN.to_owned(), at, body })
    }

    /// What stands for everything so far.
    pub fn head(&self) -> Signed {
        let head = self.chain.head();
        let checkpoint = self.keeper.as_ref().map(|keeper| keeper.sign(&head));
        Signed { head, checkpoint }
    }

    /// What its checkpoints are checked with.
    pub fn verifier(&self) -> Option<String> {
        self.keeper.as_ref().map(|keeper| keeper.verifier().to_string())
    }

    /// The number of the next line.
    pub const fn count(&self) -> u64 {
        self.chain.count
    }
}
