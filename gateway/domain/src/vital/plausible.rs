//! Plausibility of measurements: an impossible value is taken out and costs none beside it, doubtful ones are marked.
//! Independent of alarms and reference ranges: a fever of 40 °C is plausible.

use super::{Caveat, Measurement, NoReading, Quantity};
use crate::Timestamp;

/// Devices whose clock is further off are marked.
const SKEW_MS: i64 = 5 * 60 * 1000;

/// Nothing was measured further in the future than this, whatever the time zone is.
const FUTURE_MS: i64 = 24 * 3600 * 1000;

/// 2000-01-01T00:00:00Z: before it a device's clock was never set.
const OLDEST: Timestamp = Timestamp(946_684_800_000);

/// Smallest believable difference between systolic and diastolic pressure.
const PULSE_PRESSURE: f64 = 10.0;

/// Largest difference between two pulse rates taken together.
const PULSE_DIFFERENCE: f64 = 20.0;

/// Largest difference between a device's body mass index and the one of its weight and height.
const BMI_DIFFERENCE: f64 = 0.2;

/// Why a value is taken out, or a measurement rejected.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Implausible {
    /// A value that no living person has.
    #[error("{} of {value} {} cannot be: {low} to {high} is possible{hint}", quantity.english(), quantity.unit())]
    Value {
        /// The quantity.
        quantity: Quantity,
        /// The value.
        value: f64,
        /// Least possible.
        low: f64,
        /// Most possible.
        high: f64,
        /// A likely cause, for the message.
        hint: &'static str,
    },
    /// Diastolic not below systolic.
    #[error("systolic {systolic} and diastolic {diastolic} mm[Hg] do not belong together")]
    PressuresCrossed {
        /// Systolic.
        systolic: f64,
        /// Diastolic.
        diastolic: f64,
    },
    /// It has no reading.
    #[error("there is no reading in it")]
    Empty,
}

// === impl Implausible ===

impl Implausible {
    /// What to look at, without the values: they may be a person's.
    #[must_use]
    pub fn advice(&self) -> String {
        match self {
            Self::Value { quantity, low, high, hint, .. } => {
                let (name, unit) = (quantity.english(), quantity.unit());
                format!("{name}: {low} to {high} {unit} is possible{hint}; look at the unit the device sends")
            }
            Self::PressuresCrossed { .. } => {
                "systolic is not above diastolic; look at their order".to_owned()
            }
            Self::Empty => self.to_string(),
        }
    }
}

/// Possible, and what such devices measure well: `(reject below, reject above, doubt below, doubt above)`.
const fn bounds(quantity: Quantity) -> (f64, f64, f64, f64) {
    match quantity {
        Quantity::Systolic => (40.0, 300.0, 60.0, 260.0),
        Quantity::Diastolic => (20.0, 200.0, 40.0, 160.0),
        Quantity::MeanArterial => (20.0, 300.0, 40.0, 200.0),
        Quantity::PulseRate => (20.0, 300.0, 30.0, 250.0),
        // Accuracy of pulse oximeters is stated from 70 % up.
        Quantity::OxygenSaturation => (1.0, 100.0, 70.0, 100.0),
        Quantity::RespirationRate => (2.0, 100.0, 6.0, 60.0),
        Quantity::Temperature => (25.0, 45.0, 34.0, 42.0),
        Quantity::Weight => (1.0, 300.0, 20.0, 200.0),
        Quantity::Height => (30.0, 250.0, 100.0, 220.0),
        Quantity::BodyMassIndex => (5.0, 100.0, 12.0, 60.0),
        Quantity::Glucose => (0.5, 50.0, 1.1, 33.3),
        Quantity::WaistCircumference => (30.0, 250.0, 45.0, 180.0),
    }
}

/// What a value out of bounds may be instead; it is never converted silently.
const fn hint(quantity: Quantity, value: f64) -> &'static str {
    match quantity {
        Quantity::Temperature if value >= 90.0 && value <= 110.0 => "; it looks like °F",
        Quantity::Glucose if value > 50.0 => "; it looks like mg/dL",
        Quantity::Height if value < 3.0 => "; it looks like metres",
        _ => "",
    }
}

/// Numbers that devices send in place of a value.
const PLACEHOLDERS: [f64; 8] = [127.0, 255.0, 511.0, 2047.0, 32_767.0, 32_768.0, 65_535.0, 8_388_607.0];

/// Whether a device sends the number `sent` because it has no value: zero, a negative number, all nines, the largest
/// of a type, and `value`, the same in the quantity's own unit, is one that no living person has. 99.9 °F is a fever.
#[must_use]
pub fn is_placeholder(quantity: Quantity, sent: f64, value: f64) -> bool {
    let (low, high) = possible(quantity);
    let digits = sent.to_string().replace('.', "");
    let is_nines = digits.len() >= 3 && digits.bytes().all(|digit| digit == b'9');
    !(low..=high).contains(&value) && (sent <= 0.0 || is_nines || PLACEHOLDERS.contains(&sent))
}

/// The least and the largest value that a living person can have.
#[must_use]
pub const fn possible(quantity: Quantity) -> (f64, f64) {
    let (low, high, ..) = bounds(quantity);
    (low, high)
}

/// As [`sift`], for values that a person or a poll gives: what is impossible rejects them all.
pub fn check(measurement: &mut Measurement) -> Result<(), Implausible> {
    match sift(measurement).into_iter().next() {
        Some(impossible) => Err(impossible),
        None => Ok(()),
    }
}

/// Takes out what no living person has, keeps the readings beside it, and adds caveats to doubtful ones. Returns what
/// was taken out and why.
pub fn sift(measurement: &mut Measurement) -> Vec<Implausible> {
    if measurement.readings.is_empty() && measurement.attachments.is_empty() {
        return vec![Implausible::Empty];
    }
    times(measurement);
    let mut impossible = Vec::new();
    for reading in &mut measurement.readings {
        let Ok(value) = reading.value else { continue };
        let (low, high, doubt_low, doubt_high) = bounds(reading.quantity);
        // No device measures to a millionth; what is finer is noise of the conversion.
        let value = (value * 1e6).round() / 1e6;
        reading.value = Ok(value);
        let ends = [Some(value), reading.upper];
        let outside = ends.into_iter().flatten().find(|end| *end < low || *end > high);
        if !value.is_finite() {
            reading.refuse(NoReading::NotANumber);
        } else if let Some(value) = outside {
            let (quantity, hint) = (reading.quantity, hint(reading.quantity, value));
            impossible.push(Implausible::Value { quantity, value, low, high, hint });
            reading.refuse(NoReading::Error);
        } else if value < doubt_low || value > doubt_high {
            reading.doubt(Caveat::Unusual);
        }
    }
    impossible.extend(pressures(measurement));
    pulses(measurement);
    body_mass(measurement);
    impossible
}

/// A stamp that cannot be the time of measuring is never taken for it: one of a clock that was never set, or of the
/// future. One that is merely wrong by the gateway's clock is kept beside the time of arrival.
fn times(measurement: &mut Measurement) {
    let Some(device) = measurement.taken.device else { return };
    let ahead = device.0.saturating_sub(measurement.taken.at.0);
    let is_stored = measurement.readings.iter().any(|r| r.caveats.contains(&Caveat::FromStorage));
    let mut doubt = |caveat| measurement.readings.iter_mut().for_each(|reading| reading.doubt(caveat));
    if ahead > FUTURE_MS || device < OLDEST {
        doubt(Caveat::TimeUnclear);
    }
    if device < OLDEST {
        measurement.taken.device = None;
    } else if ahead.abs() > SKEW_MS && !is_stored {
        doubt(Caveat::ClockSkew);
    }
}

/// Two pressures that exclude each other: neither can be trusted.
fn pressures(measurement: &mut Measurement) -> Option<Implausible> {
    let systolic = measurement.value(Quantity::Systolic)?;
    let diastolic = measurement.value(Quantity::Diastolic)?;
    let is_crossed = systolic - diastolic < PULSE_PRESSURE;
    for reading in &mut measurement.readings {
        match reading.quantity {
            Quantity::Systolic | Quantity::Diastolic if is_crossed => reading.refuse(NoReading::Error),
            Quantity::MeanArterial
                if reading.value.is_ok_and(|mean| !(diastolic..=systolic).contains(&mean)) =>
            {
                reading.doubt(Caveat::Inconsistent);
            }
            _ => {}
        }
    }
    is_crossed.then_some(Implausible::PressuresCrossed { systolic, diastolic })
}

fn pulses(measurement: &mut Measurement) {
    let rates: Vec<f64> = measurement
        .readings
        .iter()
        .filter(|reading| reading.quantity == Quantity::PulseRate)
        .filter_map(|reading| reading.value.ok())
        .collect();
    let spread = rates.iter().fold(f64::NEG_INFINITY, |a, b| a.max(*b))
        - rates.iter().fold(f64::INFINITY, |a, b| a.min(*b));
    if spread > PULSE_DIFFERENCE {
        let pulses = measurement.readings.iter_mut().filter(|r| r.quantity == Quantity::PulseRate);
        pulses.for_each(|reading| reading.doubt(Caveat::Inconsistent));
    }
}

fn body_mass(measurement: &mut Measurement) {
    let (Some(weight), Some(height)) =
        (measurement.value(Quantity::Weight), measurement.value(Quantity::Height))
    else {
        return;
    };
    let computed = weight / (height / 100.0).powi(2);
    for reading in &mut measurement.readings {
        if reading.quantity == Quantity::BodyMassIndex
            && reading.value.is_ok_and(|told| (told - computed).abs() > BMI_DIFFERENCE)
        {
            reading.doubt(Caveat::Inconsistent);
        }
    }
}
