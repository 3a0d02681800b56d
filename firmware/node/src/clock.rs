//! Time that does not wrap.
//!
//! A board counts milliseconds in 32 bits, which start over after 49.7 days. Everything inside the
//! node uses 64 bits; this is the only place that knows of the difference.

use linli_wire::clock::{EARLIEST, Source};

/// Milliseconds since the node started.
pub type Ms = u64;

/// Makes 64 bits of 32, as long as it is asked at least once in 49 days.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    last: u32,
    now: Ms,
}

/// The time of day, while it is known.
#[derive(Debug, Clone, Copy)]
pub struct Wall {
    /// Unix seconds when the node started, by what was told.
    started: Option<u32>,
    source: Source,
    news: bool,
}

// === impl Wall ===

impl Wall {
    /// Not known yet.
    #[must_use]
    pub const fn unknown() -> Self {
        Self { started: None, source: Source::Unknown, news: false }
    }

    /// Somebody knows the time. Says whether that was worth an entry in the log: `None` if the time is
    /// not plausible.
    pub fn set(&mut self, uptime_s: u32, unix_s: u32, source: Source) -> Option<bool> {
        if unix_s < EARLIEST {
            return None;
        }
        let before = self.now(uptime_s);
        self.started = Some(unix_s.saturating_sub(uptime_s));
        self.source = source;
        self.news |= source == Source::Line;
        Some(before.is_none_or(|before| before.abs_diff(unix_s) > 2))
    }

    /// Unix seconds, while they are known.
    #[must_use]
    pub fn now(&self, uptime_s: u32) -> Option<u32> {
        self.started.map(|started| started.saturating_add(uptime_s))
    }

    /// Where it comes from.
    #[must_use]
    pub const fn source(&self) -> Source {
        self.source
    }

    /// Whether it was set over the line since this was asked last: then a clock chip wants to know.
    pub fn take_news(&mut self) -> bool {
        core::mem::take(&mut self.news)
    }
}

// === impl Clock ===

impl Clock {
    /// The node starts when the board's counter shows this.
    #[must_use]
    pub const fn new(board_ms: u32) -> Self {
        Self { last: board_ms, now: 0 }
    }

    /// What the board's counter shows now. A counter that goes back a little (two readings that
    /// overtook each other) does not turn into 49 days.
    pub fn at(&mut self, board_ms: u32) -> Ms {
        let passed = board_ms.wrapping_sub(self.last);
        if passed < u32::MAX / 2 {
            self.now += Ms::from(passed);
            self.last = board_ms;
        }
        self.now
    }

    /// The last time asked for.
    #[must_use]
    pub const fn now(&self) -> Ms {
        self.now
    }

    /// Whole seconds since the node started.
    #[must_use]
    pub const fn uptime_s(&self) -> u32 {
        (self.now / 1000) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_on_when_the_board_s_counter_starts_over() {
        let start = u32::MAX - 1500;
        let mut clock = Clock::new(start);
        assert_eq!(clock.at(start.wrapping_add(1000)), 1000);
        assert_eq!(clock.at(start.wrapping_add(3000)), 3000);
        assert_eq!(clock.uptime_s(), 3);
    }

    #[test]
    fn a_hundred_days_are_a_hundred_days() {
        let mut clock = Clock::new(7);
        let hours = 100 * 24_u32;
        for hour in 1..=u64::from(hours) {
            clock.at(7_u32.wrapping_add((hour * 3_600_000) as u32));
        }
        assert_eq!(clock.uptime_s(), hours * 3600);
    }

    #[test]
    fn the_time_of_day_goes_on_and_small_corrections_are_no_news_for_the_log() {
        let mut wall = Wall::unknown();
        assert_eq!(wall.set(10, EARLIEST - 1, Source::Line), None);
        assert_eq!(wall.now(10), None);
        assert_eq!(wall.set(10, EARLIEST + 100, Source::Rtc), Some(true));
        assert!(!wall.take_news());
        assert_eq!(wall.now(70), Some(EARLIEST + 160));
        assert_eq!(wall.set(70, EARLIEST + 161, Source::Line), Some(false));
        assert_eq!((wall.now(70), wall.source()), (Some(EARLIEST + 161), Source::Line));
        assert!(wall.take_news() && !wall.take_news());
    }

    #[test]
    fn a_step_back_is_no_step() {
        let mut clock = Clock::new(100);
        assert_eq!(clock.at(200), 100);
        assert_eq!(clock.at(199), 100);
        assert_eq!(clock.at(201), 101);
    }
}
