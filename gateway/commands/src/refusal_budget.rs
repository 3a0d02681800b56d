//! A token bucket that limits the answers to refused requests, so that invalid requests cannot fill the disk or
//! the broker.

use std::time::Duration;

use tokio::time::Instant;

/// Refusals answered in a burst; a flood of rubbish must not fill the urgent lane.
const REFUSALS_AT_ONCE: f64 = 50.0;

/// Refusals answered per second in the long run.
const REFUSALS_PER_SECOND: f64 = 5.0;

/// A token bucket over the answers to refused requests.
#[derive(Debug)]
pub struct RefusalBudget {
    left: f64,
    since: Option<Instant>,
    at_once: f64,
    per_second: f64,
}

impl Default for RefusalBudget {
    fn default() -> Self {
        Self::of(REFUSALS_AT_ONCE, REFUSALS_PER_SECOND)
    }
}

impl RefusalBudget {
    /// A budget of so many in a burst, and so many per second in the long run.
    #[must_use]
    pub const fn of(at_once: f64, per_second: f64) -> Self {
        Self { left: at_once, since: None, at_once, per_second }
    }

    /// Whether one more refusal may be answered.
    pub fn spend(&mut self, now: Instant) -> bool {
        let passed = self.since.map_or(Duration::ZERO, |since| now - since);
        self.since = Some(now);
        self.left = (self.left + passed.as_secs_f64() * self.per_second).min(self.at_once);
        if self.left < 1.0 {
            return false;
        }
        self.left -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_rubbish_is_not_answered_for_ever() {
        let mut budget = RefusalBudget::default();
        let answered = (0..1000).filter(|_| budget.spend(Instant::now())).count();
        assert_eq!(answered, 50);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!((0..100).filter(|_| budget.spend(Instant::now())).count(), 5);
    }
}
