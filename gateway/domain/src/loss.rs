//! The loss ledger: which data was discarded, and why.

use serde::{Deserialize, Serialize};

use crate::{DeviceClass, Message, Timestamp, Topic};

/// Why data was discarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossReason {
    /// The store reached its configured size; the oldest data of the lowest class was evicted.
    SizeCap,
    /// Older than the configured age.
    AgeCap,
    /// The file system was full.
    DiskFull,
    /// The queue in front of the store was full; the data was never accepted.
    IntakeFull,
    /// The database was damaged and set aside under the name given.
    Damaged,
    /// The broker rejects this message permanently (too large, not authorised, malformed).
    DeadLetter,
}

/// One entry of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// The reason.
    pub reason: LossReason,
    /// The class; `None` when it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<DeviceClass>,
    /// The epoch the sequence numbers belong to.
    pub of_epoch: String,
    /// First and last sequence number; `None` when none had been assigned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<(u64, u64)>,
    /// Number of messages; `None` when it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<u64>,
    /// First and last source time of the lost messages, when known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub between: Option<(Timestamp, Timestamp)>,
    /// More detail for people: a file name, the broker's reason.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub detail: String,
}

// === impl LossReason ===

impl LossReason {
    /// The word used in payloads and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SizeCap => "size_cap",
            Self::AgeCap => "age_cap",
            Self::DiskFull => "disk_full",
            Self::IntakeFull => "intake_full",
            Self::Damaged => "damaged",
            Self::DeadLetter => "dead_letter",
        }
    }
}

// === impl Loss ===

impl Loss {
    /// Returns the `event/ledger` message.
    #[must_use]
    pub fn message(&self, at: Timestamp) -> Message {
        let body = match serde_json::to_value(self) {
            Ok(serde_json::Value::Object(mut body)) => {
                body.insert("at".to_owned(), at.0.into());
                body
            }
            _ => serde_json::Map::new(),
        };
        Message { topic: Topic::LedgerEvent, class: DeviceClass::Vital, at, body }
    }
}
