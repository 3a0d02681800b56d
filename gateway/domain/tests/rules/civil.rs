//! Dates of the calendar.

use linli_domain::{Civil, Timestamp};
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
