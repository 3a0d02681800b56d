//! Thermal disinfection of dishes: temperature and holding time of every cycle.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Kept;
use crate::Timestamp;
use crate::alarm::Tick;

/// A cycle begins and ends this far below the limit.
const BEGINS: f64 = 15.0;
const ENDS: f64 = 20.0;

/// A finished cycle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cycle {
    /// When it began.
    pub from: Timestamp,
    /// When it ended.
    pub to: Timestamp,
    /// Highest temperature, °C.
    pub highest: f64,
    /// The longest time at or above the limit without a break, milliseconds.
    pub held: u64,
    /// Whether it met the limit.
    pub is_clean: bool,
}

/// Detects the cycles of a machine.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wash {
    running: Option<Running>,
}

#[derive(Debug, Clone, PartialEq)]
struct Running {
    from: Timestamp,
    highest: f64,
    hot_since: Option<Tick>,
    held: u64,
}

/// Returns the required temperature and holding time.
#[must_use]
pub const fn wanted(kept: Kept) -> Option<(f64, Duration)> {
    match kept {
        Kept::DishMachine => Some((85.0, Duration::from_secs(40))),
        Kept::Steam => Some((100.0, Duration::from_secs(600))),
        Kept::Infrared => Some((120.0, Duration::from_secs(600))),
        Kept::Cold | Kept::Frozen | Kept::Hot | Kept::Samples => None,
    }
}

// === impl Wash ===

impl Wash {
    /// Adds a sample. Returns the cycle when it has ended. A missing value interrupts the holding time.
    pub fn see(&mut self, kept: Kept, now: Tick, at: Timestamp, value: Option<f64>) -> Option<Cycle> {
        let (limit, long) = wanted(kept)?;
        let Some(value) = value else {
            if let Some(running) = &mut self.running {
                running.hot_since = None;
            }
            return None;
        };
        if self.running.is_none() && value >= limit - BEGINS {
            self.running = Some(Running { from: at, highest: value, hot_since: None, held: 0 });
        }
        let running = self.running.as_mut()?;
        running.highest = running.highest.max(value);
        if value >= limit {
            let since = *running.hot_since.get_or_insert(now);
            running.held = running.held.max(now.0.saturating_sub(since.0));
        } else {
            running.hot_since = None;
        }
        if value >= limit - ENDS {
            return None;
        }
        let Running { from, highest, held, .. } = self.running.take()?;
        Some(Cycle { from, to: at, highest, held, is_clean: Duration::from_millis(held) >= long })
    }
}
