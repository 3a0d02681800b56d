//! Pauses before a port or connection is opened again.

use std::time::Duration;

use tokio::time::Instant;

/// First pause after a port or connection could not be opened.
const SHORTEST: Duration = Duration::from_millis(500);

/// Longest pause: a cable plugged in again is noticed within this.
const LONGEST: Duration = Duration::from_secs(15);

/// A line that was up this long is opened again at once.
const STABLE: Duration = Duration::from_secs(10);

/// Pauses between attempts, doubling. One line talks to one peer: there is no herd to scatter.
#[derive(Debug, Default)]
pub struct Backoff {
    pause: Duration,
    opened: Option<Instant>,
}

// === impl Backoff ===

impl Backoff {
    /// It is open.
    pub fn opened(&mut self) {
        self.opened = Some(Instant::now());
    }

    /// The pause before the next attempt.
    pub fn next(&mut self) -> Duration {
        let was_stable = self.opened.take().is_some_and(|opened| opened.elapsed() >= STABLE);
        if was_stable {
            self.pause = Duration::ZERO;
            return Duration::ZERO;
        }
        self.pause = (self.pause * 2).clamp(SHORTEST, LONGEST);
        self.pause
    }
}
