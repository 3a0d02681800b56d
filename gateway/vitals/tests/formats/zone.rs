//! Offsets from UTC.

use linli_vitals::Zone;

#[test]
fn offsets_of_the_configuration() {
    assert_eq!(
        (Zone::parse("+08:00"), Zone::parse("-05:30")),
        (Some(Zone::East(480)), Some(Zone::East(-330)))
    );
    assert_eq!((Zone::parse("8"), Zone::parse("+8:00"), Zone::parse("+15:00")), (None, None, None));
}
