//! Wall time as a label. Timers never use it.

use serde::{Deserialize, Serialize};

use crate::Civil;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

/// How far a time label can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockQuality {
    /// Disciplined by a time source.
    #[default]
    Synchronised,
    /// Plausible, but not disciplined by a time source.
    FreeRunning,
    /// Before the software was built: certainly wrong.
    Unset,
}

/// A time label together with its trustworthiness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stamp {
    /// The time.
    pub at: Timestamp,
    /// How far it can be trusted.
    pub clock: ClockQuality,
}

// === impl ClockQuality ===

impl ClockQuality {
    /// The word used in payloads.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Synchronised => "synchronised",
            Self::FreeRunning => "free_running",
            Self::Unset => "unset",
        }
    }
}

// === impl Timestamp ===

impl Timestamp {
    /// Start of the minute this instant lies in.
    #[must_use]
    pub const fn minute(self) -> Self {
        Self(self.0.div_euclid(60_000).saturating_mul(60_000))
    }

    /// Reads a time with its zone, `2026-11-24T08:00:00+08:00` (RFC 3339); none when the text is not one.
    #[must_use]
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|at| Self(at.as_millisecond()))
    }

    /// RFC 3339 text in UTC with milliseconds, for people and logs.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        let Civil { year, month, day, hour, minute, second } = Civil::of(self);
        let ms = self.0.rem_euclid(1000);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
    }
}
