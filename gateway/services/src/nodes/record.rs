//! The record: what was done with nodes, by whom, and what came of it. Each line names the hash of
//! the one before, as the record of the mode switch does.

use std::collections::BTreeSet;

use linli_domain::Timestamp;
use linli_domain::audit::Chain;
use linli_store::{Change, Document, Documents, Entry};
use serde::{Deserialize, Serialize};

/// Kind of the pages that are lines.
pub const LINE: &str = "node-line";

/// The page with the chain's state.
const CHAIN: &str = "node-chain";

/// A line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its number, from 0.
    pub n: u64,
    /// Hash of the line before.
    pub prev: String,
    /// When, Unix milliseconds UTC.
    pub at: Timestamp,
    /// What was done.
    #[serde(flatten)]
    pub what: What,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct What {
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

/// Writes lines.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Record {
    chain: Chain,
    /// Nodes whose update was begun and has no end yet.
    open: BTreeSet<String>,
}

/// The page of a line; of none before the first.
#[must_use]
pub fn line_id(n: Option<u64>) -> String {
    n.map_or_else(|| format!("{LINE}/"), |n| format!("{LINE}/{n:012}"))
}

// === impl Record ===

impl Record {
    /// Goes on with the chain as it was kept.
    pub async fn resume(book: &Documents) -> anyhow::Result<Self> {
        match book.get(CHAIN).await? {
            Some(page) => Ok(serde_json::from_str(&page.body)?),
            None => Ok(Self::default()),
        }
    }

    /// Nodes whose update was under way when the process ended.
    #[must_use]
    pub fn broken_off(&self) -> Vec<String> {
        self.open.iter().cloned().collect()
    }

    /// Makes a line durable, with what the district is told of it.
    pub async fn keep(
        &mut self,
        book: &Documents,
        at: Timestamp,
        what: What,
        records: Vec<linli_domain::Record>,
    ) -> anyhow::Result<()> {
        let mut next = self.clone();
        if what.action == "flash" {
            match what.result.as_str() {
                "begun" => next.open.insert(what.device.clone()),
                _ => next.open.remove(&what.device),
            };
        }
        let (n, prev) = next.chain.next();
        let body = serde_json::to_string(&Line { n, prev, at, what })?;
        next.chain.append(&body);
        let line = Document { id: line_id(Some(n)), kind: LINE.to_owned(), at, body };
        let kept = serde_json::to_string(&next)?;
        let state = Document { id: CHAIN.to_owned(), kind: CHAIN.to_owned(), at, body: kept };
        let changes = vec![Change::Document(line), Change::Document(state)];
        book.keep(Entry { changes, records, ..Entry::default() }).await?;
        *self = next;
        Ok(())
    }
}
