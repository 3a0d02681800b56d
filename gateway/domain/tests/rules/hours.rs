//! Hours of the day and days of the week.

use linli_domain::hours::{Hours, Opening};

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
