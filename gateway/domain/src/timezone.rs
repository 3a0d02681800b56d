//! The centre's own time: days begin at its midnight, people sleep in its night.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::hours::{Hours, Opening};
use crate::{Civil, Timestamp};

/// A time zone of the IANA database, which is part of the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

// === impl Zone ===

impl Zone {
    /// By its name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        TimeZone::get(name).ok().map(Self)
    }

    /// Coordinated universal time.
    #[must_use]
    pub const fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    fn local(&self, at: Timestamp) -> jiff::civil::DateTime {
        let at = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
        self.0.to_datetime(at)
    }

    /// When a clock there shows this: the first of two instants where summer time ends, and where it begins, what a
    /// clock that was not yet moved shows. None for what no calendar has.
    #[must_use]
    pub fn instant(&self, shown: Civil) -> Option<Timestamp> {
        let utc = jiff::Timestamp::from_millisecond(shown.timestamp()?.0).ok()?;
        let ambiguous = self.0.to_ambiguous_timestamp(TimeZone::UTC.to_datetime(utc));
        ambiguous.compatible().ok().map(|at| Timestamp(at.as_millisecond()))
    }

    /// The day it is then.
    #[must_use]
    pub fn day(&self, at: Timestamp) -> Date {
        self.local(at).date()
    }

    /// The day and time, as people write it: `2026-11-24 09:30:00`.
    #[must_use]
    pub fn shown(&self, at: Timestamp) -> String {
        self.local(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// When that day begins and when it is over.
    #[must_use]
    pub fn bounds(&self, day: Date) -> (Timestamp, Timestamp) {
        let begins = |day: Date| {
            let zoned = day.to_zoned_datetime(self.0.clone());
            Timestamp(zoned.map(|zoned| zoned.timestamp().as_millisecond()).unwrap_or_default())
        };
        (begins(day), day.tomorrow().map(begins).unwrap_or(Timestamp(i64::MAX)))
    }

    fn minute(&self, at: Timestamp) -> u16 {
        let local = self.local(at);
        u16::try_from(i32::from(local.hour()) * 60 + i32::from(local.minute())).unwrap_or_default()
    }

    /// Whether one of them is open then; always, when there are none.
    #[must_use]
    pub fn is_open(&self, openings: &[Opening], at: Timestamp) -> bool {
        let day = usize::try_from(self.day(at).weekday().to_monday_zero_offset()).unwrap_or_default();
        let minute = self.minute(at);
        openings.is_empty() || openings.iter().any(|opening| opening.is_open(day, minute))
    }

    /// When the hours that it lies in are over; none when it lies outside.
    #[must_use]
    pub fn end_of(&self, hours: Hours, at: Timestamp) -> Option<Timestamp> {
        let minute = self.minute(at);
        let left = hours.contains(minute).then(|| hours.left(minute))?;
        let whole = at.0.div_euclid(60_000) * 60_000;
        Some(Timestamp(whole + i64::from(left) * 60_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_read_in_summer_and_in_winter() {
        let zone = Zone::find("Europe/Berlin").unwrap();
        let shown = |month, day, hour, minute| Civil { year: 2026, month, day, hour, minute, second: 0 };
        let utc = |month, day, hour, minute| shown(month, day, hour, minute).timestamp();
        for (clock, instant) in [
            (shown(1, 15, 12, 0), utc(1, 15, 11, 0)),
            (shown(7, 15, 12, 0), utc(7, 15, 10, 0)),
            (shown(10, 25, 2, 30), utc(10, 25, 0, 30)),
            (shown(3, 29, 2, 30), utc(3, 29, 1, 30)),
        ] {
            assert_eq!(zone.instant(clock), instant);
            assert!(instant.is_some());
        }
    }

    #[test]
    fn the_centre_s_day_is_not_the_world_s() {
        let zone = Zone::find("Asia/Shanghai").unwrap();
        // 2026-11-23T17:30:00Z
        let at = Timestamp(1_795_455_000_000);
        assert_eq!(zone.day(at).to_string(), "2026-11-24");
        assert_eq!(zone.shown(at), "2026-11-24 01:30:00");
        let (begins, ends) = zone.bounds(zone.day(at));
        assert_eq!((at.0 - begins.0, ends.0 - begins.0), (90 * 60_000, 86_400_000));
        let night = Hours::parse("22:00-06:00").unwrap();
        assert_eq!(zone.end_of(night, at).map(|end| end.0 - at.0), Some(270 * 60_000));
        assert_eq!(zone.end_of(night, Timestamp(at.0 + 8 * 3_600_000)), None);
        assert_eq!(Zone::find("Asia/Nowhere"), None);
        assert_eq!(zone.instant(Civil::of(Timestamp(at.0 + 8 * 3_600_000))), Some(at));
        // Tuesday.
        let open = [Opening::parse("tue 01:00-02:00").unwrap()];
        assert!(zone.is_open(&open, at) && !zone.is_open(&open, ends));
    }
}
