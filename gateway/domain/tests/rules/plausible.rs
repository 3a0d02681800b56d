//! Measurements that no body gives.

use linli_domain::vital::{
    Caveat, Implausible, Measurement, Patient, Quantity, Reading, Taken, check, convert,
};
use linli_domain::{ClockQuality, Timestamp};

const NOW: Timestamp = Timestamp(1_795_428_000_000);

fn of(readings: &[(Quantity, f64)]) -> Measurement {
    Measurement {
        taken: Taken { at: NOW, clock: ClockQuality::Synchronised, device: None },
        readings: readings.iter().map(|(quantity, value)| Reading::of(*quantity, *value)).collect(),
        key: None,
        key_reused: false,
        amends: Vec::new(),
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
    skewed.taken.device = Some(Timestamp(NOW.0 + 30 * 3_600_000));
    assert_eq!(check(&mut skewed), Err(Implausible::Future { hours: 30 }));
    let mut unset = of(&[(Quantity::PulseRate, 70.0)]);
    unset.taken.device = Some(Timestamp(0));
    check(&mut unset).unwrap();
    assert_eq!(unset.taken.device, None);
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
