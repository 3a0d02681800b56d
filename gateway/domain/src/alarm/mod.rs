//! Alarms (ISA-18.2, IEC 62682; OPC UA Part 9).
//!
//! A **rule** puts a condition on a point; the **alarm** follows it through the states of the
//! standard. Time arrives as ticks of a clock that never jumps. What makes an alarm move is a
//! **transition**: one journal record each.

mod calm;
mod engine;
#[cfg(test)]
mod golden;
mod load;
mod rule;
mod state;
mod tracker;
pub mod usual;

pub use engine::{Action, Engine, Refused, Transition, View};
pub use load::{Flood, Load};
pub use rule::{Condition, Priority, Rule, Source};
pub use state::{Event, State};
pub use tracker::{Kept, Shelf};

use std::time::Duration;

/// Milliseconds of a monotonic clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Tick(pub u64);

// === impl Tick ===

impl Tick {
    /// Returns this time plus `by`.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)))
    }

    /// Returns the time since `earlier`; zero if it is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}
