//! The state and counters of the store.

use linli_domain::Timestamp;
use serde::Serialize;

use crate::schema::TABLES;

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
    /// Rises with every iteration of the writer; the watchdog watches it.
    pub turns: u64,
    /// Databases set aside as damaged since the process began.
    pub set_aside: u64,
    /// Transactions that failed because of the device since the process began.
    pub device_failures: u64,
    /// Rows that cannot be decoded and are kept, including those found by earlier processes.
    pub undecodable: u64,
}

// === impl Status ===

impl Status {
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
