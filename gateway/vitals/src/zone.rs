//! Time zones of device clocks that name none.

use linli_domain::{Civil, Timestamp, timezone};

/// The time zone of a clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Zone {
    /// Minutes east of UTC, all year.
    East(i32),
    /// A time zone with its summer time.
    Of(timezone::Zone),
}

// === impl Zone ===

impl Zone {
    /// Parses an offset such as `+08:00`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (hours, minutes) = text.split_once(':')?;
        if hours.len() == 3 { Self::digits(&format!("{hours}{minutes}")) } else { None }
    }

    /// Parses an offset such as `+0800`.
    pub(super) fn digits(text: &str) -> Option<Self> {
        let (sign, digits) = text.split_at_checked(1)?;
        if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let (hours, minutes): (i32, i32) = (digits[..2].parse().ok()?, digits[2..].parse().ok()?);
        let minutes = (hours <= 14 && minutes < 60).then_some(hours * 60 + minutes)?;
        Some(Self::East(if sign == "-" { -minutes } else { minutes }))
    }

    /// Returns the instant at which a clock of this zone shows `shown`; the first of two in the hour that the end of
    /// summer time repeats.
    #[must_use]
    pub fn timestamp(&self, shown: Civil) -> Option<Timestamp> {
        match self {
            Self::East(minutes) => Some(Timestamp(shown.timestamp()?.0 - i64::from(*minutes) * 60_000)),
            Self::Of(zone) => zone.instant(shown),
        }
    }
}
