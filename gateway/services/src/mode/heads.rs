//! What stands for the record is reported with every change of a room, and every five minutes while
//! anything else was recorded: whoever keeps it can prove later that nothing was changed.

use std::time::Duration;

use tokio::time::Instant;

/// Told this often while anything was recorded.
const EVERY: Duration = Duration::from_secs(300);

/// What was reported.
#[derive(Debug, Clone, Copy)]
pub struct Heads {
    /// How many lines stood behind it.
    pub(super) reported: u64,
    /// When.
    at: Instant,
}

// === impl Heads ===

impl Heads {
    /// What was reported before the process ended is not known; it is reported again with the next line.
    pub const fn resume(count: u64, now: Instant) -> Self {
        Self { reported: count, at: now }
    }

    /// When it is reported again, if anything was recorded since.
    pub fn due(&self, count: u64) -> Option<Instant> {
        (count > self.reported).then(|| self.at + EVERY)
    }

    /// It was reported.
    pub const fn tell(&mut self, count: u64, now: Instant) {
        (self.reported, self.at) = (count, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_head_is_told_every_five_minutes_while_anything_is_recorded() {
        let began = Instant::now();
        let mut heads = Heads::resume(7, began);
        assert_eq!(heads.due(7), None, "nothing was recorded");
        assert_eq!(heads.due(8), Some(began + EVERY));
        heads.tell(8, began + EVERY);
        assert_eq!(heads.due(8), None);
        assert_eq!(heads.due(9), Some(began + EVERY * 2));
    }
}
