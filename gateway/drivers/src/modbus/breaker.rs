//! A circuit breaker per device: a dead device costs the others a bounded share of the line, not
//! a time-out per poll. Pure: time arrives as an argument.

use std::time::Duration;

use linli_domain::Reason;
use tokio::time::Instant;

use crate::exchange::Pause;

/// Consecutive failures before the breaker opens: one or two lost frames can be noise.
pub const TOLERATED: u32 = 3;

/// Longest pause between two probes of a dead device.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A device that returns is found within two polls, or within this part of its absence.
const PART_OF_ABSENCE: u32 = 60;

/// Most probe time that accumulates: one round of probes.
const SAVINGS: Duration = Duration::from_secs(5);

/// What the share's fractions lose in binary, in seconds: at [`ProbeBudget::allows_at`] a probe is allowed.
const ROUNDING: f64 = 1e-6;

/// Whether a device is polled or probed.
#[derive(Debug, Clone, PartialEq)]
pub enum Breaker {
    /// Closed: the device is polled.
    Closed {
        /// Consecutive failures.
        failures: u32,
    },
    /// Open: the device is probed.
    Open {
        /// When the next probe is due.
        probe_at: Instant,
        /// When it opened.
        since: Instant,
        /// Why it opened.
        reason: Reason,
    },
}

/// The line time that probes may take: a token bucket.
#[derive(Debug)]
pub struct ProbeBudget {
    share: f64,
    saved: f64,
    most: f64,
    since: Instant,
}

// === impl Breaker ===

impl Breaker {
    /// Returns a closed breaker.
    pub const CLOSED: Self = Self::Closed { failures: 0 };

    /// Whether the device is polled.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self, Self::Closed { .. })
    }

    /// When the next probe is due.
    #[must_use]
    pub const fn probe_at(&self) -> Option<Instant> {
        match self {
            Self::Closed { .. } => None,
            Self::Open { probe_at, .. } => Some(*probe_at),
        }
    }

    /// Failures in a row while it is closed, and the pause while it is open.
    #[must_use]
    pub const fn shown(&self) -> (u32, Option<Pause>) {
        match self {
            Self::Closed { failures } => (*failures, None),
            Self::Open { probe_at, since, reason } => {
                (TOLERATED, Some(Pause { since: *since, next: *probe_at, reason: *reason }))
            }
        }
    }

    /// Records an answer. Returns whether the breaker was open.
    pub fn answered(&mut self) -> bool {
        let was_open = !self.is_closed();
        *self = Self::CLOSED;
        was_open
    }

    /// Records a failure of a device with this poll period. Returns whether it opened the breaker.
    pub fn failed(&mut self, reason: Reason, poll: Duration, now: Instant) -> bool {
        match self {
            Self::Closed { failures } => {
                *failures += 1;
                // Repeating the request does not change the model of a device.
                let opens = *failures >= TOLERATED || reason == Reason::WrongDevice;
                if opens {
                    *self = Self::Open { probe_at: now + poll.min(LONGEST_PAUSE), since: now, reason };
                }
                opens
            }
            Self::Open { probe_at, since, reason: why } => {
                let away = now.saturating_duration_since(*since);
                *probe_at = now + (away / PART_OF_ABSENCE).max(poll * 2).min(LONGEST_PAUSE);
                let other = *why != reason && reason == Reason::WrongDevice;
                *why = reason;
                other
            }
        }
    }
}

// === impl ProbeBudget ===

impl ProbeBudget {
    /// Returns a budget of `percent` of the time, starting full.
    #[must_use]
    pub fn new(percent: u8, now: Instant) -> Self {
        Self { share: f64::from(percent) / 100.0, saved: 0.0, most: SAVINGS.as_secs_f64(), since: now }
    }

    /// Returns a budget that starts empty and accumulates nothing beyond one exchange.
    #[must_use]
    pub fn unsaved(percent: u8, now: Instant) -> Self {
        Self { most: 0.0, ..Self::new(percent, now) }
    }

    /// Whether a probe may begin.
    pub fn allows(&mut self, now: Instant) -> bool {
        self.fill(now);
        self.saved >= -ROUNDING
    }

    /// When a probe may begin at the earliest.
    #[must_use]
    pub fn allows_at(&self) -> Instant {
        self.since + Duration::from_secs_f64((-self.saved / self.share).max(0.0))
    }

    /// Charges the duration of a probe.
    pub fn spend(&mut self, took: Duration, now: Instant) {
        self.fill(now);
        self.saved -= took.as_secs_f64();
    }

    fn fill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.since).as_secs_f64();
        self.saved = (self.saved + passed * self.share).min(self.most);
        self.since = self.since.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_failures_open_and_one_answer_closes() {
        let now = Instant::now();
        let poll = Duration::from_secs(1);
        let mut breaker = Breaker::CLOSED;
        assert!(!breaker.failed(Reason::Silent, poll, now));
        assert!(!breaker.failed(Reason::Silent, poll, now));
        assert!(!breaker.answered());
        assert!(!breaker.failed(Reason::Silent, poll, now));
        assert!(!breaker.failed(Reason::Silent, poll, now));
        assert!(breaker.failed(Reason::Silent, poll, now));
        assert_eq!(breaker.probe_at(), Some(now + poll));
        let pause_after = |seconds: u64| {
            let (mut breaker, now) = (breaker.clone(), now + Duration::from_secs(seconds));
            breaker.failed(Reason::Silent, poll, now);
            (breaker.probe_at().expect("open") - now).as_secs()
        };
        assert_eq!([1, 60, 120, 600, 3600, 86_400].map(pause_after), [2, 2, 2, 10, 60, 60]);
        assert!(breaker.answered());
        assert!(breaker.is_closed());
    }

    #[test]
    fn a_probe_is_allowed_at_the_time_that_is_named() {
        let start = Instant::now();
        for micros in 1..2000 {
            let mut budget = ProbeBudget::unsaved(5, start);
            budget.spend(Duration::from_micros(micros * 977), start);
            assert!(budget.allows(budget.allows_at()), "{micros}");
        }
    }

    #[test]
    fn probes_take_their_share_and_no_more() {
        let start = Instant::now();
        let mut budget = ProbeBudget::new(5, start);
        let (mut now, mut probing) = (start, Duration::ZERO);
        let probe = Duration::from_secs(1);
        while now < start + Duration::from_secs(3600) {
            if budget.allows(now) {
                now += probe;
                probing += probe;
                budget.spend(probe, now);
            } else {
                now = budget.allows_at().max(now + Duration::from_millis(1));
            }
        }
        let share = probing.as_secs_f64() / 3600.0;
        assert!((0.045..=0.052).contains(&share), "{share}");
    }
}
