//! Alarm load: floods and chattering alarms (ISA-18.2, EEMUA 191).

use std::collections::VecDeque;
use std::time::Duration;

use serde::Serialize;

use super::Tick;

/// The window in which announcements are counted.
const WINDOW: Duration = Duration::from_secs(600);

/// A flood begins with so many announcements in the window, and ends below the other.
const BEGINS: usize = 10;
const ENDS: usize = 5;

/// An alarm chatters when it is announced so often in so long.
const CHATTERS: (usize, Duration) = (3, Duration::from_secs(60));

/// Whether there is an alarm flood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Flood {
    /// No flood.
    #[default]
    None,
    /// A flood.
    Flooding,
}

/// Counts recent announcements.
#[derive(Debug, Default)]
pub struct Load {
    announced: VecDeque<(Tick, usize)>,
    /// Whether there is a flood.
    pub flood: Flood,
    /// Announcements since the beginning.
    pub total: u64,
}

// === impl Load ===

impl Load {
    pub(super) fn announced(&mut self, now: Tick, alarm: usize) {
        self.total += 1;
        self.announced.push_back((now, alarm));
        self.forget(now);
    }

    pub(super) fn forget(&mut self, now: Tick) {
        while self.announced.front().is_some_and(|(at, _)| now.since(*at) >= WINDOW) {
            self.announced.pop_front();
        }
        self.flood = match (self.flood, self.announced.len()) {
            (Flood::None, count) if count >= BEGINS => Flood::Flooding,
            (Flood::Flooding, count) if count < ENDS => Flood::None,
            (as_before, _) => as_before,
        };
    }

    /// Announcements of the last ten minutes.
    #[must_use]
    pub fn in_window(&self) -> usize {
        self.announced.len()
    }

    /// Alarms that chatter.
    #[must_use]
    pub fn chattering(&self, now: Tick) -> usize {
        let (often, span) = CHATTERS;
        let mut recent: Vec<usize> =
            self.announced.iter().filter(|(at, _)| now.since(*at) < span).map(|(_, alarm)| *alarm).collect();
        recent.sort_unstable();
        recent.chunk_by(|a, b| a == b).filter(|times| times.len() >= often).count()
    }
}
