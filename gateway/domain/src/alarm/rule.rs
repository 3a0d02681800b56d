//! What makes an alarm: a condition on a point, how long it must hold, how urgent it is.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Id;

/// How soon somebody must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Within the day.
    Low,
    /// Soon.
    Medium,
    /// Now.
    High,
}

/// A point of a device.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Source {
    /// The device.
    pub device: Id,
    /// Its point.
    pub point: Id,
}

/// What must hold.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// The value is at or above the limit; over when it is below by the dead-band.
    High {
        /// In the point's unit.
        limit: f64,
        /// In the point's unit.
        deadband: f64,
    },
    /// The value is at or below the limit; over when it is above by the dead-band.
    Low {
        /// In the point's unit.
        limit: f64,
        /// In the point's unit.
        deadband: f64,
    },
    /// The point has this state.
    Is(bool),
    /// The value changes by this much or more per minute, up (positive) or down (negative).
    Rate {
        /// In the point's unit, per minute.
        per_minute: f64,
    },
    /// The value differs from another probe's by the limit or more.
    Deviation {
        /// The other probe.
        from: Source,
        /// In the point's unit.
        limit: f64,
        /// In the point's unit.
        deadband: f64,
    },
    /// Nothing is heard of the point, or it has no good value.
    Silent,
}

/// A rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its id, unique in the centre.
    pub id: Id,
    /// The point.
    pub source: Source,
    /// What must hold.
    pub condition: Condition,
    /// How long it must hold.
    pub on_delay: Duration,
    /// How long it must not hold.
    pub off_delay: Duration,
    /// Whether it stays until somebody resets it.
    pub is_latching: bool,
    /// How urgent it is.
    pub priority: Priority,
    /// Longest time it may be shelved; none when it may not.
    pub shelve_at_most: Option<Duration>,
    /// While that alarm is active, this one is silent by design.
    pub suppressed_by: Option<Id>,
    /// Of a group the first one to be raised is the cause: it says so.
    pub group: Option<Id>,
    /// What people are told.
    pub text: String,
}

// === impl Condition ===

impl Condition {
    /// Whether it holds for a value; `share` of the dead-band still counts. `None` when the value
    /// says nothing about it.
    #[must_use]
    pub fn holds(&self, value: f64, other: Option<f64>, share: f64) -> Option<bool> {
        let beyond = |value: f64, limit: f64, deadband: f64| value >= limit - deadband * share;
        Some(match self {
            Self::High { limit, deadband } => beyond(value, *limit, *deadband),
            Self::Low { limit, deadband } => beyond(-value, -*limit, *deadband),
            Self::Deviation { limit, deadband, .. } => beyond((value - other?).abs(), *limit, *deadband),
            Self::Is(wanted) => (value != 0.0) == *wanted,
            Self::Rate { .. } | Self::Silent => return None,
        })
    }

    /// The limit as it stands in messages.
    #[must_use]
    pub const fn limit(&self) -> Option<f64> {
        match self {
            Self::High { limit, .. } | Self::Low { limit, .. } | Self::Deviation { limit, .. } => {
                Some(*limit)
            }
            Self::Rate { per_minute } => Some(*per_minute),
            Self::Is(_) | Self::Silent => None,
        }
    }
}
