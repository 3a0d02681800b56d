//! Dates of the proleptic Gregorian calendar, as devices tell them and people read them.

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

/// Days from 0000-03-01 to 1970-01-01. Counting from March puts the leap day last, so that
/// months have a linear length.
const EPOCH: i64 = 719_468;

/// Days in 400 years.
const ERA: i64 = 146_097;

// === impl Civil ===

impl Civil {
    /// What a clock in UTC shows.
    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        let seconds = at.0.div_euclid(1000);
        let (days, of_day) = (seconds.div_euclid(86_400) + EPOCH, seconds.rem_euclid(86_400));
        let (era, of_era) = (days.div_euclid(ERA), days.rem_euclid(ERA));
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * of_year + 2) / 153;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let small = |part: i64| u8::try_from(part).unwrap_or(0);
        Self {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month: small(month),
            day: small(of_year - (153 * from_march + 2) / 5 + 1),
            hour: small(of_day / 3600),
            minute: small(of_day / 60 % 60),
            second: small(of_day % 60),
        }
    }

    /// When a clock in UTC shows it; none when a part is unknown or impossible.
    #[must_use]
    pub fn timestamp(self) -> Option<Timestamp> {
        let Self { year, month, day, hour, minute, second } = self;
        let is_known = year >= 1582 && (1..=12).contains(&month) && day >= 1;
        if !is_known || day > days_in(year, month) || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let shifted = if month <= 2 { year - 1 } else { year };
        let (era, of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
        let from_march = if month > 2 { month - 3 } else { month + 9 };
        let of_year = (153 * i64::from(from_march) + 2) / 5 + i64::from(day) - 1;
        let days = era * ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - EPOCH;
        let seconds = days * 86_400 + i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
        Some(Timestamp(seconds * 1000))
    }
}

impl std::fmt::Display for Civil {
    /// `2026-11-24T09:30:00`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { year, month, day, hour, minute, second } = self;
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
    }
}

fn days_in(year: i64, month: u8) -> u8 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn impossible_and_unknown_dates_are_none() {
        let good = Civil { year: 2018, month: 4, day: 17, hour: 15, minute: 51, second: 0 };
        assert_eq!(good.timestamp(), Some(Timestamp(1_523_980_260_000)));
        for bad in [
            Civil { year: 0, ..good },
            Civil { month: 0, ..good },
            Civil { month: 2, day: 30, ..good },
            Civil { year: 1900, month: 2, day: 29, ..good },
            Civil { hour: 24, ..good },
        ] {
            assert_eq!(bad.timestamp(), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn there_and_back(seconds in -10_000_000_000_i64..100_000_000_000) {
            let at = Timestamp(seconds * 1000);
            prop_assert_eq!(Civil::of(at).timestamp(), Some(at));
        }
    }
}
