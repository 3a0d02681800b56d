//! Measurements that are told twice.

use linli_domain::vital::{Caveat, Comparator, Measurement, Patient, Quantity, Reading, Taken, settle};
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
        sent: None,
        amends: Vec::new(),
        attachments: Vec::new(),
        attached: Vec::new(),
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

#[test]
fn what_is_doubtful_or_no_exact_number_is_never_averaged() {
    let doubtful = |caveat| {
        let mut loose = pressure(200.0, 120.0);
        loose.readings[0].doubt(caveat);
        loose
    };
    let (a, b) = (pressure(140.0, 88.0), pressure(136.0, 86.0));
    for caveat in [Caveat::CuffLoose, Caveat::BodyMovement, Caveat::Preliminary, Caveat::Inconsistent] {
        let loose = doubtful(caveat);
        assert_eq!(settle(&[&a, &loose, &b]), Some((138.0, 87.0, 2)), "{caveat:?}");
        assert_eq!(settle(&[&a, &loose]), Some((140.0, 88.0, 1)), "{caveat:?}");
        assert_eq!(settle(&[&loose]), None, "{caveat:?}");
    }
    assert_eq!(
        settle(&[&a, &doubtful(Caveat::ClockSkew)]),
        Some((170.0, 104.0, 2)),
        "only its time is doubtful"
    );
    let mut beyond = pressure(260.0, 88.0);
    beyond.readings[0].comparator = Some(Comparator::Above);
    assert_eq!(settle(&[&a, &beyond]), Some((140.0, 88.0, 1)));
    let mut range = pressure(130.0, 88.0);
    range.readings[1].upper = Some(92.0);
    assert_eq!(settle(&[&range, &b]), Some((136.0, 86.0, 1)));
}
