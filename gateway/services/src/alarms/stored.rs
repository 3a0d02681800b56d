//! What is kept of an alarm beside the engine's part.

use std::time::Duration;

use linli_domain::alarm::Kept;
use linli_domain::{Id, Timestamp};
use serde::{Deserialize, Serialize};

/// A wait goes on over a restart that took no longer, milliseconds.
const WAIT_KEPT: i64 = 120_000;

/// As it stands in the database.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoredAlarm {
    pub kept: Kept,
    pub at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Receivers that were told once more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub escalated: Vec<Id>,
}

// === impl StoredAlarm ===

impl StoredAlarm {
    /// As it is after the time in between: a shelf runs out while nobody runs.
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
