//! What the gateway knows of the time when it judges an order.

use std::time::Duration;

use linli_domain::Timestamp;

/// An order that was signed longer ago is refused, whatever its validity: whoever carries it on a
/// stick has a week.
pub const LONGEST_AGE: Duration = Duration::from_secs(7 * 86_400);

/// The time as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownTime {
    /// The time; while there is a doubt, it is at least this late.
    pub at: Timestamp,
    /// Why the clock is not trusted; `None` when it is.
    pub doubt: Option<ClockDoubt>,
}

/// Why a clock is not trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClockDoubt {
    /// It was never set: it shows a time before this program was made, such as 1970.
    #[error("the gateway's clock was never set")]
    Unset,
    /// It was not synchronised since the gateway started.
    #[error("the gateway's clock was not synchronised")]
    NotSynchronised,
    /// It shows a time that the gateway has passed already.
    #[error("the gateway's clock went back behind a time that it had reached")]
    WentBack,
}

// === impl KnownTime ===

impl KnownTime {
    /// The time of a clock that is trusted.
    #[must_use]
    pub const fn trusted(at: Timestamp) -> Self {
        Self { at, doubt: None }
    }
}
