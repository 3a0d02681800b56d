//! Which days a sheet is about.

use jiff::ToSpan;
use jiff::civil::Date;
use serde::Deserialize;

/// How many days a sheet is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// The day
    #[default]
    Day,
    /// From the Monday before it, seven days
    Week,
    /// Its month of the calendar
    Month,
}

// === impl Span ===

impl Span {
    /// The days that it is about, up to `today`.
    #[must_use]
    pub fn days(self, of: Date, today: Date) -> Vec<Date> {
        let (first, last) = match self {
            Self::Day => (of, of),
            Self::Week => {
                let since_monday = i64::from(of.weekday().to_monday_zero_offset());
                let first = of.checked_sub(since_monday.days()).unwrap_or(of);
                (first, first.checked_add(6.days()).unwrap_or(of))
            }
            Self::Month => (of.first_of_month(), of.last_of_month()),
        };
        first.series(1.day()).take_while(|day| *day <= last && (*day <= today || *day == first)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_week_begins_on_a_monday_and_no_sheet_goes_beyond_today() {
        let today = date(2026, 11, 25);
        let days = |span: Span, of: Date| {
            let days = span.days(of, today);
            (days[0].to_string(), days.len())
        };
        assert_eq!(days(Span::Day, date(2026, 11, 24)), ("2026-11-24".to_owned(), 1));
        assert_eq!(days(Span::Week, date(2026, 11, 25)), ("2026-11-23".to_owned(), 3));
        assert_eq!(days(Span::Week, date(2026, 11, 22)), ("2026-11-16".to_owned(), 7), "a Sunday");
        assert_eq!(days(Span::Month, date(2026, 11, 10)), ("2026-11-01".to_owned(), 25));
        assert_eq!(days(Span::Month, date(2026, 2, 10)), ("2026-02-01".to_owned(), 28));
        assert_eq!(days(Span::Week, date(2026, 12, 30)).1, 1, "ahead there is nothing");
    }
}
