//! Pauses before a port or connection is opened again.

use std::time::Duration;

use tokio::time::Instant;

/// First pause after a port or connection could not be opened.
const SHORTEST: Duration = Duration::from_millis(500);

/// Longest pause: a cable that is plugged in again is noticed within this time.
const LONGEST: Duration = Duration::from_secs(15);

/// A line that was open for this long is opened again without a pause.
const STABLE: Duration = Duration::from_secs(10);

/// Exponential backoff. Without jitter, because each line has a peer of its own.
#[derive(Debug, Default)]
pub struct Backoff {
    pause: Duration,
    opened: Option<Instant>,
}

// === impl Backoff ===

impl Backoff {
    /// Records that the port or connection is open.
    pub fn opened(&mut self) {
        self.opened = Some(Instant::now());
    }

    /// Returns the pause before the next attempt: zero after a stable connection, else twice the last one.
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
