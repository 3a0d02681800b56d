//! Measurements that are told twice.

use linli_domain::vital::{Measurement, Patient, Quantity, Reading, Taken, settle};
use linli_domain::{ClockQuality, Timestamp};

fn pressure(systolic: f64, diastolic: f64) -> Measurement {
    Measurement {
        taken: Taken { at: Timestamp(0), clock: ClockQuality::Synchronised, device: None },
        readings: vec![
            Reading::of(Quantity::Systolic, systolic),
            Reading::of(Quantity::Diastolic, diastolic),
        ],
        key: None,
        key_reused: false,
        user: None,
        patient: Patient::default(),
    }
}

#[test]
fn the_first_of_three_does_not_count() {
    let (a, b, c) = (pressure(150.0, 95.0), pressure(140.0, 88.0), pressure(136.0, 86.0));
    assert_eq!(settle(&[]), None);
    assert_eq!(settle(&[&a]), Some((150.0, 95.0, 1)));
    assert_eq!(settle(&[&a, &b, &c]), Some((138.0, 87.0, 2)));
}
