//! Dates of the proleptic Gregorian calendar, as devices tell them and people read them.

use jiff::civil::DateTime;
use jiff::tz::Offset;

use crate::Timestamp;

/// A date and time without a zone. Parts that a device does not know are zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Civil {
    /// Year.
    pub year: i64,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
}

/// The Gregorian calendar begins in October of this year; no device is older.
const FIRST_YEAR: i64 = 1582;

// === impl Civil ===

impl Civil {
    /// What a clock in UTC shows, to the second. Years before -9999 and after 9999 are shown as the
    /// first or last instant that the calendar of [`jiff`] has.
    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        let limit = if at.0 < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
        let at = jiff::Timestamp::from_second(at.0.div_euclid(1000)).unwrap_or(limit);
        let shown = Offset::UTC.to_datetime(at);
        let small = |part: i8| part.unsigned_abs();
        Self {
            year: shown.year().into(),
            month: small(shown.month()),
            day: small(shown.day()),
            hour: small(shown.hour()),
            minute: small(shown.minute()),
            second: small(shown.second()),
        }
    }

    /// When a clock in UTC shows it; none when a part is unknown or impossible.
    #[must_use]
    pub fn timestamp(self) -> Option<Timestamp> {
        let year = i16::try_from(self.year).ok().filter(|_| self.year >= FIRST_YEAR)?;
        let small = |part: u8| i8::try_from(part).ok();
        let (month, day) = (small(self.month)?, small(self.day)?);
        let (hour, minute, second) = (small(self.hour)?, small(self.minute)?, small(self.second)?);
        let shown = DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
        let at = Offset::UTC.to_timestamp(shown).ok()?;
        Some(Timestamp(at.as_millisecond()))
    }
}

impl std::fmt::Display for Civil {
    /// `2026-11-24T09:30:00`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { year, month, day, hour, minute, second } = self;
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
    }
}
