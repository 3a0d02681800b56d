//! When the head of the audit record is published: with every change of a room, and every five minutes
//! while other entries were added. A receiver that keeps the heads can prove later that no entry was
//! changed.

use std::time::Duration;

use tokio::time::Instant;

/// Longest time between a new entry and the next head.
const EVERY: Duration = Duration::from_secs(300);

/// The last published head.
#[derive(Debug, Clone, Copy)]
pub struct Heads {
    /// Number of entries that it covers.
    pub(super) published: u64,
    at: Instant,
}

// === impl Heads ===

impl Heads {
    /// Assumes that the head of `count` entries was published before the restart; the next entry makes
    /// it due again.
    pub const fn resume(count: u64, now: Instant) -> Self {
        Self { published: count, at: now }
    }

    /// Returns when the head must be published; `None` without new entries.
    pub fn due(&self, count: u64) -> Option<Instant> {
        (count > self.published).then(|| self.at + EVERY)
    }

    /// Notes that a head of `count` entries was published.
    pub const fn note_published(&mut self, count: u64, now: Instant) {
        (self.published, self.at) = (count, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_head_is_published_every_five_minutes_while_anything_is_recorded() {
        let began = Instant::now();
        let mut heads = Heads::resume(7, began);
        assert_eq!(heads.due(7), None, "nothing was recorded");
        assert_eq!(heads.due(8), Some(began + EVERY));
        heads.note_published(8, began + EVERY);
        assert_eq!(heads.due(8), None);
        assert_eq!(heads.due(9), Some(began + EVERY * 2));
    }
}
