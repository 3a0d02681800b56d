//! The stored state of an alarm: that of the engine, and who changed it last.

use std::time::Duration;

use linli_domain::alarm::Kept;
use linli_domain::{Id, Timestamp};
use serde::{Deserialize, Serialize};

/// Longest interruption after which a running delay continues, milliseconds.
const WAIT_KEPT: i64 = 120_000;

/// The state of an alarm as the store holds it, as JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoredAlarm {
    pub kept: Kept,
    pub at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Receivers that were notified again because nobody acknowledged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub escalated: Vec<Id>,
}

// === impl StoredAlarm ===

impl StoredAlarm {
    /// The state at `now`: shelving runs out also while the gateway does not run.
    #[must_use]
    pub fn aged(mut self, now: Timestamp) -> Self {
        if let Some(shelf) = &mut self.kept.shelf {
            let passed = Duration::from_millis(now.0.saturating_sub(self.at.0).max(0).cast_unsigned());
            shelf.span = shelf.span.saturating_sub(passed);
        }
        // After a longer time nobody knows whether the condition went on.
        if now.0.saturating_sub(self.at.0) > WAIT_KEPT {
            self.kept.waited = None;
        }
        self
    }
}
