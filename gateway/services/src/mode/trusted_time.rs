//! How late it is at least, whatever the clock shows: orders expire by it. A clock that is synchronised is
//! trusted, unless it goes back; for a week afterwards the time goes on by the clock that nobody can
//! set.

use std::time::Duration;

use linli_domain::{ClockQuality, Stamp, Timestamp};
use linli_mode::order::{ClockDoubt, KnownTime};
use tokio::time::Instant;

/// This program was made later: 2026-11-01T00:00:00Z.
const MADE: Timestamp = Timestamp(1_793_491_200_000);

/// Clocks may go back by this much when they are synchronised.
const SKEW: i64 = 120_000;

/// How long the time counts as known after the last synchronisation: with a quartz of 100 ppm it is
/// then one minute wrong.
const HOLD_OVER: Duration = Duration::from_secs(7 * 86_400);

/// What is known of the time.
#[derive(Debug, Clone, Copy)]
pub struct TrustedTime {
    /// The highest time of a synchronised clock.
    trusted: Timestamp,
    /// The earliest time that it could be, and when that was so.
    reached: (Timestamp, Instant),
    /// The last reading of a synchronised clock since the start.
    synchronised: Option<(Timestamp, Instant)>,
}

fn after((at, since): (Timestamp, Instant), now: Instant) -> Timestamp {
    let passed = i64::try_from((now - since).as_millis()).unwrap_or(i64::MAX);
    Timestamp(at.0.saturating_add(passed))
}

// === impl TrustedTime ===

impl TrustedTime {
    /// Goes on from what was known before a restart.
    pub fn resume(trusted: Timestamp, reached: Timestamp, now: Instant) -> Self {
        Self { trusted, reached: (reached.max(trusted).max(MADE), now), synchronised: None }
    }

    /// What is known of the time when the clock shows that.
    pub fn known(&self, stamp: Stamp, now: Instant) -> KnownTime {
        let reached = after(self.reached, now);
        let held = self.synchronised.filter(|(_, since)| now - *since <= HOLD_OVER);
        let doubt = |at, doubt| KnownTime { at, doubt: Some(doubt) };
        match stamp.clock {
            ClockQuality::Synchronised if stamp.at.0.saturating_add(SKEW) < self.trusted.0 => {
                doubt(reached.max(self.trusted), ClockDoubt::WentBack)
            }
            ClockQuality::Synchronised => KnownTime::trusted(stamp.at),
            ClockQuality::FreeRunning | ClockQuality::Unset if held.is_some() => {
                KnownTime::trusted(held.map_or(reached, |held| after(held, now)))
            }
            ClockQuality::FreeRunning => doubt(reached.max(stamp.at), ClockDoubt::NotSynchronised),
            ClockQuality::Unset => doubt(reached, ClockDoubt::Unset),
        }
    }

    /// Notes what the clock shows; returns what is known of the time.
    pub fn note(&mut self, stamp: Stamp, now: Instant) -> KnownTime {
        let known = self.known(stamp, now);
        self.reached = (known.at, now);
        if known.doubt.is_none() {
            self.trusted = self.trusted.max(known.at);
            if stamp.clock == ClockQuality::Synchronised {
                self.synchronised = Some((known.at, now));
            }
        }
        known
    }

    /// The highest time of a synchronised clock.
    pub const fn trusted(&self) -> Timestamp {
        self.trusted
    }

    /// The earliest time that it could be when a time was noted last.
    pub const fn reached(&self) -> Timestamp {
        self.reached.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_428_000_000);
    const DAY: i64 = 86_400_000;

    fn stamp(at: i64, clock: ClockQuality) -> Stamp {
        Stamp { at: Timestamp(at), clock }
    }

    #[tokio::test(start_paused = true)]
    async fn time_never_goes_back_behind_what_was_reached() {
        let now = Instant::now();
        let mut time = TrustedTime::resume(Timestamp(0), Timestamp(0), now);
        let unset = time.note(stamp(1000, ClockQuality::Unset), now);
        assert_eq!(unset, KnownTime { at: MADE, doubt: Some(ClockDoubt::Unset) });
        let free = time.note(stamp(NOW.0, ClockQuality::FreeRunning), now);
        assert_eq!(free, KnownTime { at: NOW, doubt: Some(ClockDoubt::NotSynchronised) });
        // Somebody sets it back, and a minute passes.
        let later = now + Duration::from_secs(60);
        let set_back = time.note(stamp(NOW.0 - 400 * DAY, ClockQuality::FreeRunning), later);
        assert_eq!(set_back.at, Timestamp(NOW.0 + 60_000));
        // The next process knows what this one had reached.
        let next = TrustedTime::resume(time.trusted(), time.reached(), later);
        assert_eq!(next.known(stamp(0, ClockQuality::Unset), later).at, Timestamp(NOW.0 + 60_000));
    }

    #[tokio::test(start_paused = true)]
    async fn a_synchronised_clock_is_trusted_unless_it_goes_back() {
        let now = Instant::now();
        let mut time = TrustedTime::resume(Timestamp(0), Timestamp(NOW.0 + 1000 * DAY), now);
        // A clock that nobody vouched for had been years ahead.
        assert_eq!(time.note(stamp(NOW.0, ClockQuality::Synchronised), now), KnownTime::trusted(NOW));
        assert_eq!(time.reached(), NOW);
        let slewed = time.note(stamp(NOW.0 - 100_000, ClockQuality::Synchronised), now);
        assert_eq!(slewed.doubt, None);
        let back = time.note(stamp(NOW.0 - 130_000, ClockQuality::Synchronised), now);
        assert_eq!(back.doubt, Some(ClockDoubt::WentBack));
        assert!(back.at >= NOW);
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_goes_on_for_a_week_without_the_time_service() {
        let now = Instant::now();
        let mut time = TrustedTime::resume(Timestamp(0), Timestamp(0), now);
        time.note(stamp(NOW.0, ClockQuality::Synchronised), now);
        let later = now + HOLD_OVER;
        // What the clock shows meanwhile does not matter.
        let held = time.note(stamp(5, ClockQuality::Unset), later);
        assert_eq!(held, KnownTime::trusted(Timestamp(NOW.0 + 7 * DAY)));
        let over = time.note(stamp(NOW.0, ClockQuality::FreeRunning), later + Duration::from_millis(1));
        assert_eq!(over.doubt, Some(ClockDoubt::NotSynchronised));
        assert_eq!(over.at, Timestamp(NOW.0 + 7 * DAY + 1));
    }
}
