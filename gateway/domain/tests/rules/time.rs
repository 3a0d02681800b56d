//! Wall time as a label.

use linli_domain::Timestamp;

#[test]
fn dates_are_those_of_the_calendar() {
    for (ms, expect) in [
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (1_795_428_000_123, "2026-11-23T10:00:00.123Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
    ] {
        assert_eq!(Timestamp(ms).to_rfc3339(), expect);
    }
}

#[test]
fn a_minute_begins_below_also_before_1970() {
    assert_eq!(Timestamp(61_000).minute(), Timestamp(60_000));
    assert_eq!(Timestamp(-1).minute(), Timestamp(-60_000));
    assert_eq!(Timestamp(i64::MIN).minute(), Timestamp(i64::MIN), "nothing lies before");
}
