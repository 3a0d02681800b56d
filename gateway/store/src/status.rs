//! The state and counters of the store.

use std::time::Duration;

use linli_domain::Timestamp;
use serde::Serialize;
use tokio::time::Instant;

use crate::quota::{KINDS, Kind};
use crate::schema::TABLES;

/// A writer that spends longer than this in one transaction or one loop counts as hung.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The state of the store, renewed after every commit.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Status {
    /// Whether the last transaction succeeded.
    pub writable: bool,
    /// Why it failed.
    #[serde(rename = "trouble", skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Whether it was the device: an I/O error other than "no space".
    pub device_failed: bool,
    /// The disk is nearly full: the database does not grow, new records replace the oldest.
    pub disk_full: bool,
    /// The database's epoch.
    pub epoch: String,
    /// Rows per outbox table, in the order of `schema::TABLES`.
    pub rows: [u64; TABLES.len()],
    /// Bytes in use, history included.
    pub used_bytes: u64,
    /// Bytes allowed.
    pub max_bytes: u64,
    /// Records committed since the process began.
    pub committed: u64,
    /// Records acknowledged by the broker since the process began.
    pub acknowledged: u64,
    /// Records evicted, dead-lettered or lost since the process began; each is in the loss ledger.
    pub given_up: u64,
    /// Records refused because a queue was full.
    pub refused: u64,
    /// Transactions since the process began.
    pub commits: u64,
    /// Duration of the latest transaction in microseconds.
    pub commit_us: u64,
    /// Bytes of record bodies written since the process began.
    pub body_bytes: u64,
    /// When the latest transaction ended.
    pub at: Timestamp,
    /// Rises with every iteration of the writer.
    pub turns: u64,
    /// When the latest iteration of the writer ended.
    #[serde(skip)]
    pub turned: Option<Instant>,
    /// The kinds of documents of which new ones are refused now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub full: Vec<Kind>,
    /// The whole store is full: only what is most urgent is taken.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_over: bool,
    /// Refusals because of a full kind since the process began, in the order of [`Kind::ALL`].
    #[serde(skip)]
    pub full_refusals: [u64; KINDS],
    /// Databases set aside as damaged since the process began.
    pub set_aside: u64,
    /// Transactions that failed because of the device since the process began.
    pub device_failures: u64,
    /// Rows that cannot be decoded and are kept, including those found by earlier processes.
    pub undecodable: u64,
}

// === impl Status ===

impl Status {
    /// How long the writer has been in one transaction or one loop, if that is longer than [`PATIENCE`]: it
    /// counts as hung. `None` also when it has not begun.
    #[must_use]
    pub fn hung_for(&self, now: Instant) -> Option<Duration> {
        let since = now.saturating_duration_since(self.turned?);
        (since > PATIENCE).then_some(since)
    }

    /// Rows waiting for delivery.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.rows.iter().sum()
    }

    /// The names of the outbox tables, for metric labels.
    #[must_use]
    pub const fn tables() -> [&'static str; TABLES.len()] {
        TABLES
    }
}
