//! How the store grows, and how long it lasts at that rate.

use std::collections::VecDeque;
use std::time::Duration;

use linli_store::GIVES_WAY_AT;
use tokio::time::Instant;

/// Interval at which the size of the store is noted.
pub const NOTED_EVERY: Duration = Duration::from_secs(600);

/// Sizes that are kept: a day and the one before.
const NOTED: usize = 145;

/// Shortest time that a rate is measured over; before, the beginning of the process would pass for a day.
const SHORTEST: Duration = Duration::from_secs(600);

/// A day in seconds.
const DAY_S: f64 = 86_400.0;

/// How the store has grown within the last day, as far as this process has seen it.
#[derive(Debug, Default)]
pub struct Growth {
    noted: VecDeque<(Instant, u64)>,
}

/// How long the store lasts at its present rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Forecast {
    /// Time that was measured.
    pub measured: Duration,
    /// Bytes a day; negative while it shrinks. `None` before enough time has passed.
    pub bytes_per_day: Option<f64>,
    /// Seconds until something gives way; `None` while it does not grow, or when that is unknown.
    pub lasts_s: Option<f64>,
}

// === impl Growth ===

impl Growth {
    /// Notes how many bytes are in use.
    pub fn note(&mut self, now: Instant, used: u64) {
        if self.noted.len() == NOTED {
            self.noted.pop_front();
        }
        self.noted.push_back((now, used));
    }

    /// Computes the forecast for a store of `max` bytes of which `used` are in use.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "bytes of a disk, shown in megabytes")]
    pub fn forecast(&self, now: Instant, used: u64, max: u64) -> Forecast {
        let Some((since, before)) = self.noted.front() else {
            return Forecast { measured: Duration::ZERO, bytes_per_day: None, lasts_s: None };
        };
        let measured = now.saturating_duration_since(*since);
        if measured < SHORTEST {
            return Forecast { measured, bytes_per_day: None, lasts_s: None };
        }
        let per_second = (used as f64 - *before as f64) / measured.as_secs_f64();
        let left = (max / 100 * GIVES_WAY_AT) as f64 - used as f64;
        let lasts_s = (per_second > 0.0).then(|| (left / per_second).max(0.0));
        Forecast { measured, bytes_per_day: Some(per_second * DAY_S), lasts_s }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MB: u64 = 1 << 20;

    #[test]
    fn a_store_that_grows_lasts_as_long_as_its_rate_says() {
        let start = Instant::now();
        let mut growth = Growth::default();
        growth.note(start, 100 * MB);
        let early = growth.forecast(start + Duration::from_secs(599), 200 * MB, 512 * MB);
        assert_eq!((early.bytes_per_day, early.lasts_s), (None, None), "too early to say");
        let day = start + Duration::from_secs(86_400);
        let forecast = growth.forecast(day, 140 * MB, 500 * MB);
        let rate = forecast.bytes_per_day.unwrap();
        assert!((rate - (40 * MB) as f64).abs() < 1.0, "{rate}");
        // Nine tenths of 500 MB less 140 MB, at 40 MB a day.
        let days = forecast.lasts_s.unwrap() / DAY_S;
        assert!((days - 7.75).abs() < 0.01, "{days}");
    }

    #[test]
    fn a_store_that_shrinks_lasts_and_a_full_one_does_not() {
        let start = Instant::now();
        let mut growth = Growth::default();
        growth.note(start, 100 * MB);
        let later = start + Duration::from_secs(7200);
        assert_eq!(growth.forecast(later, 90 * MB, 500 * MB).lasts_s, None);
        assert_eq!(growth.forecast(later, 490 * MB, 500 * MB).lasts_s, Some(0.0));
        assert_eq!(Growth::default().forecast(later, 90 * MB, 500 * MB).bytes_per_day, None);
    }

    #[test]
    fn only_a_day_is_kept() {
        let start = Instant::now();
        let mut growth = Growth::default();
        for at in 0..400_u32 {
            growth.note(start + NOTED_EVERY * at, u64::from(at));
        }
        let forecast = growth.forecast(start + NOTED_EVERY * 399, 399, MB);
        assert_eq!(forecast.measured, NOTED_EVERY * 144);
    }
}
