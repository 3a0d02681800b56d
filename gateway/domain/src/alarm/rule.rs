//! Alarm rules: a condition on a point, its delays and its priority.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Id;

/// Priority (ISA-18.2): how soon somebody must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Action within the day.
    Low,
    /// Action soon.
    Medium,
    /// Action at once.
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

/// The condition of an alarm.
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
    /// The point has no good value, or no sample arrives.
    Silent,
}

/// An alarm rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its id, unique in the centre.
    pub id: Id,
    /// The point.
    pub source: Source,
    /// The condition of an alarm.
    pub condition: Condition,
    /// On-delay: how long the condition must hold.
    pub on_delay: Duration,
    /// Off-delay: how long the condition must not hold.
    pub off_delay: Duration,
    /// Whether it latches until somebody resets it.
    pub is_latching: bool,
    /// How urgent it is.
    pub priority: Priority,
    /// Longest time it may be shelved; none when it may not.
    pub shelve_at_most: Option<Duration>,
    /// While that alarm is active, this one is suppressed by design.
    pub suppressed_by: Option<Id>,
    /// Group; the first raised alarm of a group is marked as the cause.
    pub group: Option<Id>,
    /// The message to people.
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
