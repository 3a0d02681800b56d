//! Measurements that no body gives.

use linli_domain::vital::{
    Caveat, Implausible, Measurement, NoReading, Patient, Quantity, Reading, Taken, check, convert, sift,
};
use linli_domain::{ClockQuality, Timestamp};

const NOW: Timestamp = Timestamp(1_795_428_000_000);

fn of(readings: &[(Quantity, f64)]) -> Measurement {
    Measurement {
        taken: Taken { at: NOW, clock: ClockQuality::Synchronised, device: None },
        readings: readings.iter().map(|(quantity, value)| Reading::of(*quantity, *value)).collect(),
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

fn checked(readings: &[(Quantity, f64)]) -> Result<Vec<Caveat>, Implausible> {
    let mut measurement = of(readings);
    check(&mut measurement)?;
    Ok(measurement.readings.into_iter().flat_map(|reading| reading.caveats).collect())
}

#[test]
fn a_person_passes_and_a_feverish_one_too() {
    let well = [(Quantity::Systolic, 128.0), (Quantity::Diastolic, 82.0), (Quantity::PulseRate, 71.0)];
    assert_eq!(checked(&well), Ok(vec![]));
    assert_eq!(checked(&[(Quantity::Temperature, 40.2)]), Ok(vec![]));
}

#[test]
fn the_impossible_is_rejected_with_a_hint() {
    let told = |quantity, value| checked(&[(quantity, value)]).unwrap_err().to_string();
    assert!(told(Quantity::Temperature, 98.6).contains("°F"));
    assert!(told(Quantity::Glucose, 100.0).contains("mg/dL"));
    assert!(told(Quantity::Height, 1.7).contains("metres"));
    assert!(told(Quantity::OxygenSaturation, 127.0).contains("1 to 100"));
    assert!(told(Quantity::Diastolic, 201.0).contains("20 to 200"));
    let crossed = checked(&[(Quantity::Systolic, 80.0), (Quantity::Diastolic, 120.0)]);
    assert!(matches!(crossed, Err(Implausible::PressuresCrossed { .. })));
    assert_eq!(checked(&[]), Err(Implausible::Empty));
}

#[test]
fn the_unusual_and_the_inconsistent_are_marked() {
    assert_eq!(checked(&[(Quantity::OxygenSaturation, 66.0)]), Ok(vec![Caveat::Unusual]));
    let pulses = [(Quantity::PulseRate, 60.0), (Quantity::PulseRate, 95.0)];
    assert_eq!(checked(&pulses), Ok(vec![Caveat::Inconsistent; 2]));
    let body = [(Quantity::Weight, 60.0), (Quantity::Height, 170.0), (Quantity::BodyMassIndex, 24.0)];
    assert_eq!(checked(&body), Ok(vec![Caveat::Inconsistent]));
    let mean = [(Quantity::Systolic, 120.0), (Quantity::Diastolic, 80.0), (Quantity::MeanArterial, 130.0)];
    assert_eq!(checked(&mean), Ok(vec![Caveat::Inconsistent]));
}

#[test]
fn clocks_are_compared_and_never_corrected() {
    let mut skewed = of(&[(Quantity::PulseRate, 70.0)]);
    skewed.taken.device = Some(Timestamp(NOW.0 - 3_600_000));
    check(&mut skewed).unwrap();
    assert_eq!(skewed.taken.device, Some(Timestamp(NOW.0 - 3_600_000)));
    assert_eq!(skewed.readings[0].caveats, [Caveat::ClockSkew]);
    assert_eq!(skewed.when(), NOW, "the time of arrival is shown");
}

#[test]
fn a_stamp_that_cannot_be_is_never_the_time_and_is_not_averaged() {
    let stamped = |device: i64, caveat: Option<Caveat>| {
        let mut measurement = of(&[(Quantity::PulseRate, 70.0)]);
        measurement.taken.device = Some(Timestamp(device));
        measurement.readings[0].caveats.extend(caveat);
        assert_eq!(check(&mut measurement), Ok(()), "{device}: no value is lost for its time");
        measurement
    };
    let day = 24 * 3_600_000;
    for never_set in [0, -62_135_596_800_000, 946_684_799_999] {
        let measurement = stamped(never_set, None);
        assert_eq!(measurement.readings[0].caveats, [Caveat::TimeUnclear], "{never_set}");
        assert_eq!((measurement.taken.device, measurement.when()), (None, NOW), "{never_set}");
        assert_eq!(measurement.certain(Quantity::PulseRate), None, "{never_set}");
    }
    for future in [NOW.0 + day + 1, NOW.0 + 30 * 365 * day] {
        let measurement = stamped(future, None);
        assert_eq!(measurement.readings[0].caveats, [Caveat::TimeUnclear, Caveat::ClockSkew]);
        assert_eq!((measurement.taken.device, measurement.when()), (Some(Timestamp(future)), NOW));
        assert_eq!(measurement.certain(Quantity::PulseRate), None);
        assert!(
            stamped(future, Some(Caveat::FromStorage)).readings[0].caveats.contains(&Caveat::TimeUnclear)
        );
    }
    assert_eq!(stamped(NOW.0 + day, None).readings[0].caveats, [Caveat::ClockSkew]);
    assert_eq!(
        stamped(NOW.0 - 30 * day, Some(Caveat::FromStorage)).readings[0].caveats,
        [Caveat::FromStorage]
    );
}

#[test]
fn an_impossible_value_costs_no_neighbour() {
    let sifted = |readings: &[(Quantity, f64)]| {
        let mut measurement = of(readings);
        let impossible = sift(&mut measurement);
        let values: Vec<_> = measurement.readings.iter().map(|reading| reading.value).collect();
        (impossible, values)
    };
    for quantity in Quantity::ALL {
        for value in [-40.0, 1e9, f64::INFINITY] {
            let beside = if quantity == Quantity::Weight { Quantity::PulseRate } else { Quantity::Weight };
            let (impossible, values) = sifted(&[(quantity, value), (beside, 71.0)]);
            assert_eq!(values[1], Ok(71.0), "{quantity:?} {value}");
            assert!(values[0].is_err(), "{quantity:?} {value}");
            assert_eq!(impossible.len(), usize::from(value.is_finite()), "{quantity:?} {value}");
            assert!(impossible.iter().all(|why| !why.advice().contains("1000000000")), "never in a log");
        }
    }
    let crossed = [(Quantity::Systolic, 80.0), (Quantity::Diastolic, 120.0), (Quantity::PulseRate, 70.0)];
    let (impossible, values) = sifted(&crossed);
    assert!(matches!(impossible[..], [Implausible::PressuresCrossed { .. }]));
    assert_eq!(values, [Err(NoReading::Error), Err(NoReading::Error), Ok(70.0)]);
    let mut range = of(&[(Quantity::RespirationRate, 14.0)]);
    range.readings[0].upper = Some(400.0);
    assert_eq!(sift(&mut range).len(), 1, "neither end may be impossible");
    assert_eq!((range.readings[0].value, range.readings[0].upper), (Err(NoReading::Error), None));
}

#[test]
fn the_noise_of_a_conversion_is_no_digit() {
    for (quantity, noisy, clean) in [
        (Quantity::Temperature, (98.6 - 32.0) / 1.8, 37.0),
        (Quantity::Height, 1.1 * 100.0, 110.0),
        (Quantity::Glucose, 0.0056 * 1e3, 5.6),
    ] {
        let mut measurement = of(&[(quantity, noisy)]);
        check(&mut measurement).unwrap();
        assert_eq!(measurement.value(quantity), Some(clean));
    }
}

#[test]
fn what_devices_send_for_no_value_is_known() {
    let is_placeholder = |quantity, value| linli_domain::vital::is_placeholder(quantity, value, value);
    for value in [0.0, -1.0, -999.0, 999.0, 999.9, 9999.0, 32_767.0, 65_535.0] {
        assert!(
            is_placeholder(Quantity::Systolic, value) && is_placeholder(Quantity::Temperature, value),
            "{value}"
        );
    }
    assert!(is_placeholder(Quantity::OxygenSaturation, 127.0) && !is_placeholder(Quantity::Systolic, 127.0));
    assert!(!is_placeholder(Quantity::Systolic, 1380.0) && !is_placeholder(Quantity::Temperature, 98.6));
    assert!(!is_placeholder(Quantity::OxygenSaturation, 99.0) && !is_placeholder(Quantity::Systolic, 99.9));
    for (quantity, sent, unit) in [
        (Quantity::Temperature, 99.9, "[degF]"),
        (Quantity::Glucose, 127.0, "mg/dL"),
        (Quantity::Glucose, 255.0, "mg/dL"),
        (Quantity::Weight, 99.9, "[lb_av]"),
    ] {
        let value = convert(quantity, sent, unit).unwrap();
        assert!(!linli_domain::vital::is_placeholder(quantity, sent, value), "{sent} {unit} is a value");
        let none = convert(quantity, -999.0, unit).unwrap();
        assert!(linli_domain::vital::is_placeholder(quantity, -999.0, none), "-999 {unit} is none");
    }
}
