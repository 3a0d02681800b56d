//! Reading a payload from front to back.

use super::float::{Real, float, sfloat};

/// The payload ends before its flags say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the payload ends before its flags say")]
pub struct Truncated;

/// Date and time of the device, unknown parts zero (Date Time, 0x2A08).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateTime {
    /// Zero when unknown.
    pub year: u16,
    /// Zero when unknown.
    pub month: u8,
    /// Zero when unknown.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
}

/// What is left of a payload.
pub(super) struct Payload<'a>(pub &'a [u8]);

// === impl Payload ===

impl Payload<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Truncated> {
        let (head, rest) = self.0.split_at_checked(N).ok_or(Truncated)?;
        self.0 = rest;
        head.try_into().map_err(|_| Truncated)
    }

    pub fn u8(&mut self) -> Result<u8, Truncated> {
        Ok(self.take::<1>()?[0])
    }

    pub fn u16(&mut self) -> Result<u16, Truncated> {
        Ok(u16::from_le_bytes(self.take()?))
    }

    pub fn i16(&mut self) -> Result<i16, Truncated> {
        Ok(i16::from_le_bytes(self.take()?))
    }

    pub fn u24(&mut self) -> Result<u32, Truncated> {
        let [a, b, c] = self.take()?;
        Ok(u32::from_le_bytes([a, b, c, 0]))
    }

    pub fn sfloat(&mut self) -> Result<Real, Truncated> {
        Ok(sfloat(self.u16()?))
    }

    pub fn float(&mut self) -> Result<Real, Truncated> {
        Ok(float(u32::from_le_bytes(self.take()?)))
    }

    pub fn date_time(&mut self) -> Result<DateTime, Truncated> {
        let year = self.u16()?;
        let [month, day, hour, minute, second] = self.take()?;
        Ok(DateTime { year, month, day, hour, minute, second })
    }

    /// Reads what a flag promises.
    pub fn when<T>(
        &mut self,
        is_there: bool,
        read: impl FnOnce(&mut Self) -> Result<T, Truncated>,
    ) -> Result<Option<T>, Truncated> {
        is_there.then(|| read(self)).transpose()
    }
}

// === impl DateTime ===

impl DateTime {
    /// Milliseconds since 1970 of the same wall reading, if every part is there and possible.
    #[must_use]
    pub fn wall_ms(self) -> Option<i64> {
        let Self { year, month, day, hour, minute, second } = self;
        let known = year >= 1582 && (1..=12).contains(&month) && day >= 1;
        if !known || day > days_in(year, month) || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let seconds = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
        Some((days_since_1970(i64::from(year), i64::from(month), i64::from(day)) * 86_400 + seconds) * 1000)
    }
}

fn days_in(year: u16, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days of the civil calendar (Hinnant, "chrono-compatible low-level date algorithms").
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_published_date_and_impossible_ones() {
        let time = Payload(&[0xE2, 0x07, 0x04, 0x11, 0x0F, 0x33, 0x00]).date_time().unwrap();
        assert_eq!((time.year, time.month, time.day, time.hour, time.minute), (2018, 4, 17, 15, 51));
        assert_eq!(time.wall_ms(), Some(1_523_980_260_000));
        assert_eq!(DateTime { year: 0, ..time }.wall_ms(), None);
        assert_eq!(DateTime { month: 2, day: 30, ..time }.wall_ms(), None);
        assert_eq!(DateTime { hour: 24, ..time }.wall_ms(), None);
        let leap = DateTime { year: 2000, month: 2, day: 29, hour: 0, minute: 0, second: 0 };
        assert_eq!(leap.wall_ms(), Some(951_782_400_000));
    }
}
