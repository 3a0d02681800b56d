//! Limits of vital signs.

use linli_domain::vital::{GlucoseTime, Limits, Quantity, assess};

fn flag(values: &[(Quantity, f64)], time: Option<GlucoseTime>) -> Option<&'static str> {
    assess(values, time, &Limits::default()).first().map(|(_, assessment)| assessment.flag)
}

#[test]
fn the_higher_grade_of_the_two_pressures_counts() {
    let of =
        |systolic, diastolic| flag(&[(Quantity::Systolic, systolic), (Quantity::Diastolic, diastolic)], None);
    assert_eq!(of(119.0, 79.0), Some("normal"));
    assert_eq!(of(120.0, 79.0), Some("high_normal"));
    assert_eq!(of(119.0, 80.0), Some("high_normal"));
    assert_eq!(of(140.0, 89.0), Some("isolated_systolic"));
    assert_eq!(of(139.0, 90.0), Some("grade_1"));
    assert_eq!(of(140.0, 100.0), Some("grade_2"));
    assert_eq!(of(180.0, 60.0), Some("grade_3"));
    assert_eq!(flag(&[(Quantity::Systolic, 140.0)], None), None, "one pressure alone says nothing");
}

#[test]
fn glucose_is_classified_only_with_its_time() {
    let of = |value, time| flag(&[(Quantity::Glucose, value)], time);
    assert_eq!(of(6.5, None), None);
    assert_eq!(of(6.0, Some(GlucoseTime::Fasting)), Some("normal"));
    assert_eq!(of(6.1, Some(GlucoseTime::Fasting)), Some("impaired"));
    assert_eq!(of(7.0, Some(GlucoseTime::Fasting)), Some("high"));
    assert_eq!(of(7.7, Some(GlucoseTime::AfterMeal)), Some("normal"));
    assert_eq!(of(11.0, Some(GlucoseTime::Random)), Some("normal"));
    assert_eq!(of(11.1, Some(GlucoseTime::Random)), Some("high"));
    assert_eq!(of(2.7, Some(GlucoseTime::Random)), Some("low"));
}

#[test]
fn saturation_and_temperature() {
    let of = |quantity, value| flag(&[(quantity, value)], None);
    assert_eq!(of(Quantity::OxygenSaturation, 95.0), Some("normal"));
    assert_eq!(of(Quantity::OxygenSaturation, 94.0), Some("low"));
    assert_eq!(of(Quantity::OxygenSaturation, 89.0), Some("hypoxaemia"));
    assert_eq!(of(Quantity::Temperature, 37.3), Some("fever"));
    assert_eq!(of(Quantity::Temperature, 37.2), Some("normal"));
}

#[test]
fn low_is_low() {
    let pressure =
        |systolic, diastolic| flag(&[(Quantity::Systolic, systolic), (Quantity::Diastolic, diastolic)], None);
    for (systolic, diastolic) in [(72.0, 44.0), (89.0, 60.0), (90.0, 59.0), (125.0, 55.0)] {
        assert_eq!(pressure(systolic, diastolic), Some("low"), "{systolic}/{diastolic}");
    }
    assert_eq!(pressure(90.0, 60.0), Some("normal"));
    assert_eq!(pressure(150.0, 55.0), Some("isolated_systolic"));
    assert_eq!(flag(&[(Quantity::Systolic, 72.0)], None), Some("low"), "a lone pressure may be low");
    assert_eq!(flag(&[(Quantity::Diastolic, 44.0)], None), Some("low"));
    assert_eq!(flag(&[(Quantity::Systolic, 201.0)], None), Some("grade_3"));
    let of = |quantity, value| flag(&[(quantity, value)], None);
    for (quantity, bands) in [
        (Quantity::Temperature, &[(32.0, "low"), (34.9, "low"), (35.0, "normal"), (36.6, "normal")][..]),
        (Quantity::OxygenSaturation, &[(84.0, "hypoxaemia"), (90.0, "low"), (95.0, "normal")]),
        (
            Quantity::PulseRate,
            &[(38.0, "low"), (59.0, "low"), (60.0, "normal"), (100.0, "normal"), (101.0, "high")],
        ),
        (Quantity::RespirationRate, &[(8.0, "low"), (12.0, "normal"), (20.0, "normal"), (24.0, "high")]),
        (Quantity::BodyMassIndex, &[(18.4, "low"), (18.5, "normal"), (24.0, "overweight"), (28.0, "obese")]),
    ] {
        for (value, expected) in bands {
            assert_eq!(of(quantity, *value), Some(*expected), "{quantity:?} {value}");
        }
    }
    assert_eq!(of(Quantity::Glucose, 2.6), Some("low"), "at any time");
    assert_eq!(flag(&[(Quantity::Glucose, 3.5)], Some(GlucoseTime::Fasting)), Some("low"));
}

#[test]
fn a_value_is_judged_as_it_is_read() {
    let of = |quantity, value| flag(&[(quantity, value)], None);
    assert_eq!(of(Quantity::Temperature, 37.3 - 1e-9), Some("fever"));
    assert_eq!(of(Quantity::OxygenSaturation, 94.6), Some("normal"));
    assert_eq!(of(Quantity::PulseRate, 100.4), Some("normal"));
}

#[test]
fn what_is_no_exact_number_is_judged_only_if_all_it_can_be_is_called_the_same() {
    use linli_domain::vital::{Comparator, Reading, judge};
    let of = |quantity, value, comparator, upper| {
        let reading = Reading { comparator, upper, ..Reading::of(quantity, value) };
        let found = judge(&[reading], Some(GlucoseTime::Random), &Limits::default());
        found.first().map(|(_, found)| found.flag)
    };
    let (above, below) = (Some(Comparator::Above), Some(Comparator::Below));
    assert_eq!(of(Quantity::Glucose, 33.3, above, None), Some("high"));
    assert_eq!(of(Quantity::Glucose, 1.1, below, None), Some("low"));
    assert_eq!(of(Quantity::OxygenSaturation, 70.0, below, None), Some("hypoxaemia"));
    assert_eq!(of(Quantity::OxygenSaturation, 90.0, below, None), Some("hypoxaemia"), "89 at most");
    assert_eq!(of(Quantity::OxygenSaturation, 90.0, Some(Comparator::AtMost), None), None);
    assert_eq!(of(Quantity::Systolic, 85.0, above, None), None, "it may be normal, or high");
    assert_eq!(of(Quantity::RespirationRate, 10.0, None, Some(11.0)), Some("low"));
    assert_eq!(of(Quantity::RespirationRate, 10.0, None, Some(14.0)), None);
    assert_eq!(of(Quantity::RespirationRate, 13.0, None, Some(14.0)), Some("normal"));
}

#[test]
fn no_range_is_applied_to_a_test_or_to_the_skin() {
    use linli_domain::vital::{Caveat, Reading, Site, judge};
    let flags = |reading: Reading| judge(&[reading], None, &Limits::default()).len();
    let cold = |site| Reading { site, ..Reading::of(Quantity::Temperature, 33.0) };
    assert_eq!([None, Some(Site::Oral), Some(Site::Body)].map(|site| flags(cold(site))), [1, 1, 1]);
    assert_eq!([Site::Skin, Site::Finger, Site::Toe].map(|site| flags(cold(Some(site)))), [0, 0, 0]);
    for mark in [Caveat::Demonstration, Caveat::ControlSolution] {
        let mut tested = Reading::of(Quantity::Systolic, 201.0);
        assert_eq!(flags(tested.clone()), 1);
        tested.doubt(mark);
        assert_eq!(flags(tested), 0, "{mark:?}");
    }
}
