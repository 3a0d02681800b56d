//! The record: one line for everything that was decided, in the transaction that makes it so.

use std::collections::BTreeSet;
use std::sync::Arc;

use linli_domain::audit::{Chain, Head};
use linli_domain::checkpoint::CheckpointSigner;
use linli_domain::mode::{Channel, Effect, Event, Stage, State};
use linli_domain::{Id, Timestamp};
use linli_store::{Book, Change, Page};
use serde::{Deserialize, Serialize};

use super::evidence::Evidence;

/// Kind of the pages that are lines.
pub const LINE: &str = "mode-line";

/// The page with the chain's state.
const CHAIN: &str = "mode-chain";

/// A line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Its number, from 0.
    pub n: u64,
    /// Hash of the line before.
    pub prev: String,
    /// When, Unix milliseconds UTC.
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum What {
    /// The gateway started.
    Started {
        /// Of linli.
        version: String,
        /// Which start of the machine.
        boot: String,
    },
    /// A plan as it will be run: the record can be followed without the configuration's files.
    Plan {
        /// `id@version`.
        plan: String,
        /// SHA-256 of the file.
        hash: String,
        /// The file.
        text: String,
    },
    /// An order arrived.
    Order {
        /// `accepted`, `refused`, `quarantined`.
        result: String,
        /// Why not.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        reason: Option<String>,
        /// Its id, where it could be read.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        order: Option<String>,
        /// Who signed.
        signers: Vec<Id>,
        /// By which way it came.
        via: String,
        /// The bytes, hexadecimal; anybody can verify them again. Nothing of what is no order.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        envelope: Option<String>,
    },
    /// A message proposes an order.
    Message {
        /// Its identifier.
        identifier: String,
        /// What it proposes.
        proposes: Option<String>,
        /// By which way it came.
        via: String,
    },
    /// A room goes on from a state that does not follow from what was on record.
    Reset {
        /// The room.
        room: Id,
        /// Why.
        why: String,
        /// The state.
        state: Box<State>,
    },
    /// A room took a step.
    Step {
        /// The room.
        room: Id,
        /// The plan that it was decided by.
        plan: String,
        /// What happened.
        event: Event,
        /// Who asked for it, by which way.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        by: Option<String>,
        /// What a claim rests on.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        evidence: Option<Evidence>,
        /// Where the room was.
        from: Stage,
        /// Where it is now.
        to: Stage,
        /// What follows.
        effects: Vec<Effect>,
        /// Steps of the plan that changed.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        steps: Vec<Moved>,
        /// Hash of the state now, hexadecimal.
        state: String,
    },
    /// Another room takes the place of one that cannot be used, under the same order.
    Alternate {
        /// The room that cannot be used.
        room: Id,
        /// The plan that begins instead.
        plan: String,
        /// The order that covers it.
        order: String,
        /// Who decided so, by which way.
        by: String,
        /// Why.
        why: String,
    },
    /// Something that was found in a drill or a switch, and who mends it until when.
    Finding {
        /// The order.
        order: String,
        /// Who found it.
        by: Id,
        /// Who mends it.
        owner: String,
        /// Until that day.
        due: String,
        /// What it is.
        text: String,
    },
    /// Somebody asked for something that was refused.
    Refused {
        /// The room.
        room: Id,
        /// What was asked.
        event: Event,
        /// Who asked, by which way.
        by: Option<String>,
        /// Why not.
        why: String,
    },
}

/// A step that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// The step.
    pub step: Id,
    /// What it is now.
    pub state: String,
    /// By which way it is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub channel: Option<Channel>,
    /// Who waived it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub by: Option<Id>,
    /// Who did it.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub done_by: BTreeSet<Id>,
}

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
    keeper: Option<Arc<CheckpointSigner>>,
}

/// The page of a line; of none before the first.
#[must_use]
pub fn line_id(n: Option<u64>) -> String {
    n.map_or_else(|| format!("{LINE}/"), |n| format!("{LINE}/{n:012}"))
}

// === impl Record ===

impl Record {
    /// Goes on with the chain as it was kept.
    pub async fn resume(book: &Book, keeper: Option<Arc<CheckpointSigner>>) -> anyhow::Result<Self> {
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
        Change::Page(Page { id: line_id(Some(n)), kind: LINE.to_owned(), at, body })
    }

    /// The chain's state, to be kept with its lines.
    pub fn page(&self, at: Timestamp) -> Change {
        let body = serde_json::to_string(&self.chain).expect("a chain is made of JSON values");
        Change::Page(Page { id: CHAIN.to_owned(), kind: CHAIN.to_owned(), at, body })
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
