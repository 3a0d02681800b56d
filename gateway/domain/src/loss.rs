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
    /// Takes another loss into this one if both are of one reason, class and epoch, have the same detail,
    /// and either both have sequence numbers or neither has. Returns whether it did. The range then
    /// covers both; numbers in it that were delivered are not lost, as `messages` shows.
    pub fn absorb(&mut self, other: &Self) -> bool {
        let is_alike = (self.reason, self.class, &self.of_epoch, &self.detail)
            == (other.reason, other.class, &other.of_epoch, &other.detail)
            && self.range.is_some() == other.range.is_some();
        if is_alike {
            self.range = self.range.zip(other.range).map(|(a, b)| (a.0.min(b.0), a.1.max(b.1)));
            self.messages = self.messages.zip(other.messages).map(|(a, b)| a.saturating_add(b));
            self.between = match (self.between, other.between) {
                (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
                (a, b) => a.or(b),
            };
        }
        is_alike
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    fn loss(range: Option<(u64, u64)>, messages: u64, detail: &str) -> Loss {
        Loss {
            reason: LossReason::SizeCap,
            class: Some(DeviceClass::Telemetry),
            of_epoch: "e".to_owned(),
            range,
            messages: Some(messages),
            between: range
                .map(|(first, last)| (Timestamp(first.cast_signed()), Timestamp(last.cast_signed()))),
            detail: detail.to_owned(),
        }
    }

    #[test]
    fn losses_of_one_class_and_reason_become_one_that_counts_both() {
        let mut first = loss(Some((1, 10)), 8, "");
        assert!(first.absorb(&loss(Some((11, 40)), 20, "")));
        assert_eq!(
            first,
            Loss { between: Some((Timestamp(1), Timestamp(40))), ..loss(Some((1, 40)), 28, "") }
        );
    }

    #[test]
    fn an_unknown_count_stays_unknown() {
        let mut first = loss(Some((1, 10)), 8, "");
        assert!(first.absorb(&Loss { messages: None, ..loss(Some((11, 12)), 0, "") }));
        assert_eq!(first.messages, None);
    }

    #[test]
    fn what_differs_stays_apart() {
        let first = loss(Some((1, 10)), 8, "");
        for other in [
            Loss { reason: LossReason::AgeCap, ..first.clone() },
            Loss { class: None, ..first.clone() },
            Loss { of_epoch: "f".to_owned(), ..first.clone() },
            loss(Some((11, 12)), 2, "the broker's reason"),
            loss(None, 2, ""),
        ] {
            let mut kept = first.clone();
            assert!(!kept.absorb(&other), "{other:?}");
            assert_eq!(kept, first);
        }
    }
}
