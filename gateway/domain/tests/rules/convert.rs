//! Units of measurements.

use linli_domain::vital::{Quantity, convert};

fn near(quantity: Quantity, value: f64, unit: &str, expect: f64) {
    let got = convert(quantity, value, unit).unwrap();
    assert!((got - expect).abs() < 0.05, "{value} {unit} is {got}, expected {expect}");
}

#[test]
fn known_conversions() {
    near(Quantity::Systolic, 18.9, "kPa", 141.8);
    near(Quantity::Diastolic, 11.0, "kPa", 82.5);
    near(Quantity::Temperature, 98.6, "[degF]", 37.0);
    near(Quantity::Glucose, 100.0, "mg/dL", 5.55);
    near(Quantity::Glucose, 0.0056, "mol/L", 5.6);
    near(Quantity::Glucose, 0.001, "kg/L", 5.55);
    near(Quantity::Weight, 154.0, "[lb_av]", 69.85);
    near(Quantity::Weight, 61_300.0, "g", 61.3);
    near(Quantity::Height, 1.68, "m", 168.0);
    near(Quantity::Height, 66.0, "[in_i]", 167.64);
}

#[test]
fn a_unit_of_something_else_is_refused_with_the_right_one() {
    let error = convert(Quantity::Temperature, 36.6, "mm[Hg]").unwrap_err();
    assert!(error.to_string().contains("Cel"), "{error}");
    assert!(convert(Quantity::Glucose, 5.6, "").is_err());
}

#[test]
fn units_as_devices_write_them() {
    for unit in ["mg/dl", "mg/dL", "MG/DL", "mg / dL", "264274", "MDC_DIM_MILLI_G_PER_DL"] {
        near(Quantity::Glucose, 100.0, unit, 5.55);
    }
    for (quantity, value, units) in [
        (Quantity::Glucose, 5.6, &["mmol/l", "mmol/L", "MMOL/L", "266866"][..]),
        (Quantity::Systolic, 120.0, &["mmHg", "mm[Hg]", "mm Hg", "MMHG", "266016", "MDC_DIM_MMHG"]),
        (Quantity::Temperature, 36.6, &["C", "°C", "℃", "Cel", "268192"]),
        (Quantity::PulseRate, 72.0, &["bpm", "/min", "次/分", "264864"]),
        (Quantity::RespirationRate, 16.0, &["/min", "brpm", "MDC_DIM_RESP_PER_MIN"]),
        (Quantity::OxygenSaturation, 97.0, &["%", "％", "262688", "MDC_DIM_PERCENT"]),
        (Quantity::Weight, 61.5, &["kg", "KG", "公斤", "263875"]),
    ] {
        for unit in units {
            assert_eq!(convert(quantity, value, unit), Ok(value), "{quantity:?} {unit}");
        }
    }
}
