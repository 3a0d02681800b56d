//! Hours of the day and days of the week: opening hours and quiet hours.

/// A span of the day, in minutes since midnight; it may extend over midnight.
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
    /// Parses a span such as `22:00-06:00`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (from, to) = text.split_once('-')?;
        let (from, to) = (minute(from)?, minute(to)?);
        (from != to && from < DAY).then_some(Self { from, to })
    }

    /// Whether the span contains a minute of the day.
    #[must_use]
    pub const fn contains(self, minute: u16) -> bool {
        if self.from < self.to {
            self.from <= minute && minute < self.to
        } else {
            self.from <= minute || minute < self.to
        }
    }

    /// Returns the minutes from `minute` to the end of the span.
    #[must_use]
    pub const fn left(self, minute: u16) -> u16 {
        if minute < self.to { self.to - minute } else { DAY - minute + self.to }
    }
}

// === impl Opening ===

impl Opening {
    /// Parses `mon-fri 08:30-17:30`, `sat,sun 09:00-12:00` or `08:00-20:00` (every day).
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
