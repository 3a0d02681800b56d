//! Hours of the day and days of the week: when a centre is open, when people are not to be woken.

/// A span of the day, in minutes since midnight; it may reach over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    from: u16,
    to: u16,
}

/// Hours on some days of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// Monday first.
    days: [bool; 7],
    hours: Hours,
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Minutes of a day.
const DAY: u16 = 24 * 60;

// === impl Hours ===

impl Hours {
    /// From `22:00-06:00`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (from, to) = text.split_once('-')?;
        let (from, to) = (minute(from)?, minute(to)?);
        (from != to && from < DAY).then_some(Self { from, to })
    }

    /// Whether a minute of the day lies in them.
    #[must_use]
    pub const fn contains(self, minute: u16) -> bool {
        if self.from < self.to {
            self.from <= minute && minute < self.to
        } else {
            self.from <= minute || minute < self.to
        }
    }

    /// Minutes until they end, seen from a minute inside.
    #[must_use]
    pub const fn left(self, minute: u16) -> u16 {
        if minute < self.to { self.to - minute } else { DAY - minute + self.to }
    }
}

// === impl Opening ===

impl Opening {
    /// From `mon-fri 08:30-17:30` or `sat,sun 09:00-12:00` or `08:00-20:00` (every day).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (days, hours) = text.rsplit_once(' ').unwrap_or(("mon-sun", text));
        let hours = Hours::parse(hours)?;
        if hours.from >= hours.to {
            return None;
        }
        let mut open = [false; 7];
        for part in days.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (day(first)?, day(last)?);
            if first > last {
                return None;
            }
            open[first..=last].fill(true);
        }
        Some(Self { days: open, hours })
    }

    /// Whether it is open then; `day` counts from Monday.
    #[must_use]
    pub fn is_open(&self, day: usize, minute: u16) -> bool {
        self.days.get(day).copied().unwrap_or_default() && self.hours.contains(minute)
    }
}

fn day(word: &str) -> Option<usize> {
    DAYS.iter().position(|day| *day == word.trim())
}

fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let is_two = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    if !is_two(hour) || !is_two(minute) {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60 || (hour, minute) == (24, 0)).then_some(hour * 60 + minute)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_night_reaches_over_midnight() {
        let night = Hours::parse("22:00-06:00").unwrap();
        assert!(night.contains(22 * 60) && night.contains(0) && night.contains(5 * 60 + 59));
        assert!(!night.contains(6 * 60) && !night.contains(12 * 60));
        assert_eq!((night.left(23 * 60), night.left(60)), (7 * 60, 5 * 60));
        for wrong in ["22:00", "22-06", "25:00-06:00", "8:00-9:00", "08:00-08:00", "24:00-06:00", ""] {
            assert_eq!(Hours::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn open_on_weekdays() {
        let week = Opening::parse("mon-fri 08:30-17:30").unwrap();
        assert!(week.is_open(0, 8 * 60 + 30) && week.is_open(4, 17 * 60 + 29));
        assert!(!week.is_open(5, 12 * 60) && !week.is_open(0, 17 * 60 + 30));
        let end = Opening::parse("sat,sun 09:00-24:00").unwrap();
        assert!(end.is_open(6, 23 * 60 + 59) && !end.is_open(4, 600));
        assert!(Opening::parse("08:00-20:00").unwrap().is_open(6, 8 * 60));
        for wrong in ["fri-mon 08:00-09:00", "monday 08:00-09:00", "mon 20:00-08:00", "mon", ""] {
            assert_eq!(Opening::parse(wrong), None, "{wrong}");
        }
    }
}
