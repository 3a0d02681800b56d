//! The states of an alarm and their transitions (ISA-18.2, IEC 62682).

use serde::{Deserialize, Serialize};

/// The state of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A: normal.
    #[default]
    Normal,
    /// B: active, not acknowledged.
    Unacknowledged,
    /// C: active, acknowledged.
    Acknowledged,
    /// D: returned to normal, not acknowledged.
    ReturnedUnacknowledged,
    /// E: latched, not acknowledged.
    LatchedUnacknowledged,
    /// F: latched, acknowledged; waits for a reset.
    LatchedAcknowledged,
    /// G: shelved by a person for a limited time.
    Shelved,
    /// H: suppressed by design.
    Suppressed,
    /// I: out of service.
    OutOfService,
}

/// An event that may change the state of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Its condition has held for the on-delay.
    Raised,
    /// Its condition has not held for the off-delay.
    Cleared,
    /// A person acknowledges it.
    Acknowledge,
    /// A person resets the latch.
    Reset,
    /// A person shelves it.
    Shelve,
    /// The shelving time ends, or a person ends it.
    Unshelve,
    /// The design suppresses it.
    Suppress,
    /// The suppression by design ends.
    Unsuppress,
    /// A person takes it out of service.
    TakeOut,
    /// A person returns it to service.
    PutBack,
}

// === impl State ===

impl State {
    /// The word in payloads.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Unacknowledged => "unacknowledged",
            Self::Acknowledged => "acknowledged",
            Self::ReturnedUnacknowledged => "returned_unacknowledged",
            Self::LatchedUnacknowledged => "latched_unacknowledged",
            Self::LatchedAcknowledged => "latched_acknowledged",
            Self::Shelved => "shelved",
            Self::Suppressed => "suppressed",
            Self::OutOfService => "out_of_service",
        }
    }

    /// Every state.
    pub const ALL: [Self; 9] = [
        Self::Normal,
        Self::Unacknowledged,
        Self::Acknowledged,
        Self::ReturnedUnacknowledged,
        Self::LatchedUnacknowledged,
        Self::LatchedAcknowledged,
        Self::Shelved,
        Self::Suppressed,
        Self::OutOfService,
    ];

    /// Whether it is not announced; it is still evaluated and journaled.
    #[must_use]
    pub const fn is_silent(self) -> bool {
        matches!(self, Self::Shelved | Self::Suppressed | Self::OutOfService)
    }

    /// Whether somebody should look at it.
    #[must_use]
    pub const fn is_standing(self) -> bool {
        !matches!(self, Self::Normal) && !self.is_silent()
    }

    /// Whether an acknowledgement is awaited.
    #[must_use]
    pub const fn is_unacknowledged(self) -> bool {
        matches!(self, Self::Unacknowledged | Self::ReturnedUnacknowledged | Self::LatchedUnacknowledged)
    }

    /// Returns the next state; `None` when the event does not apply. `is_active` says whether the
    /// condition holds now: it decides the state after shelving and suppression.
    #[must_use]
    pub const fn next(self, event: Event, is_latching: bool, is_active: bool) -> Option<Self> {
        use Event as E;
        let out_of_silence = if is_active { Self::Unacknowledged } else { Self::Normal };
        Some(match (self, event) {
            (Self::OutOfService, E::PutBack)
            | (Self::Shelved, E::Unshelve)
            | (Self::Suppressed, E::Unsuppress) => out_of_silence,
            (Self::OutOfService, _) => return None,
            (_, E::TakeOut) => Self::OutOfService,
            (Self::Shelved | Self::Suppressed, _) => return None,
            (_, E::Shelve) => Self::Shelved,
            (_, E::Suppress) => Self::Suppressed,
            (
                Self::Normal
                | Self::ReturnedUnacknowledged
                | Self::LatchedUnacknowledged
                | Self::LatchedAcknowledged,
                E::Raised,
            ) => Self::Unacknowledged,
            (Self::Unacknowledged, E::Cleared) if is_latching => Self::LatchedUnacknowledged,
            (Self::Unacknowledged, E::Cleared) => Self::ReturnedUnacknowledged,
            (Self::Acknowledged, E::Cleared) if is_latching => Self::LatchedAcknowledged,
            (Self::Acknowledged, E::Cleared) => Self::Normal,
            (Self::Unacknowledged, E::Acknowledge) => Self::Acknowledged,
            (Self::ReturnedUnacknowledged, E::Acknowledge) => Self::Normal,
            (Self::LatchedUnacknowledged, E::Acknowledge) => Self::LatchedAcknowledged,
            (Self::LatchedAcknowledged, E::Reset) if !is_active => Self::Normal,
            _ => return None,
        })
    }
}
