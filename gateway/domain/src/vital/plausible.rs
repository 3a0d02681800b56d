//! Plausibility of measurements: rejects impossible values and marks doubtful ones. Independent of alarms and
//! reference ranges: a fever of 40 °C is plausible.

use super::{Caveat, Measurement, NoReading, Quantity};
use crate::Timestamp;

/// Devices whose clock is further off are marked.
const SKEW_MS: i64 = 5 * 60 * 1000;

/// Nothing was measured further in the future than this, whatever the time zone.
const FUTURE_MS: i64 = 24 * 3600 * 1000;

/// 2000-01-01T00:00:00Z: before it a device's clock was never set.
const OLDEST: Timestamp = Timestamp(946_684_800_000);

/// Smallest believable difference between systolic and diastolic pressure.
const PULSE_PRESSURE: f64 = 10.0;

/// Largest difference between two pulse rates taken together.
const PULSE_DIFFERENCE: f64 = 20.0;

/// Largest difference between a device's body mass index and the one of its weight and height.
const BMI_DIFFERENCE: f64 = 0.2;

/// Why a measurement is rejected.
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
    /// Measured in the future.
    #[error("measured {hours} hours in the future by the sender's clock; set the clock and send again")]
    Future {
        /// Hours in the future.
        hours: i64,
    },
    /// It has no reading.
    #[error("there is no reading in it")]
    Empty,
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
pub(super) const fn possible(quantity: Quantity) -> (f64, f64) {
    let (low, high, ..) = bounds(quantity);
    (low, high)
}

/// Rejects impossible measurements and adds caveats to doubtful readings.
pub fn check(measurement: &mut Measurement) -> Result<(), Implausible> {
    if measurement.readings.is_empty() {
        return Err(Implausible::Empty);
    }
    times(measurement)?;
    for reading in &mut measurement.readings {
        let Ok(value) = reading.value else { continue };
        let (low, high, doubt_low, doubt_high) = bounds(reading.quantity);
        // No device measures to a millionth; what is finer is noise of the conversion.
        let value = (value * 1e6).round() / 1e6;
        reading.value = Ok(value);
        if !value.is_finite() {
            reading.value = Err(NoReading::NotANumber);
        } else if value < low || value > high {
            let (quantity, hint) = (reading.quantity, hint(reading.quantity, value));
            return Err(Implausible::Value { quantity, value, low, high, hint });
        } else if value < doubt_low || value > doubt_high {
            reading.doubt(Caveat::Unusual);
        }
    }
    pressures(measurement)?;
    pulses(measurement);
    body_mass(measurement);
    Ok(())
}

fn times(measurement: &mut Measurement) -> Result<(), Implausible> {
    let Some(device) = measurement.taken.device else { return Ok(()) };
    let ahead = device.0.saturating_sub(measurement.taken.at.0);
    if ahead > FUTURE_MS {
        return Err(Implausible::Future { hours: ahead / 3_600_000 });
    }
    if device < OLDEST {
        measurement.taken.device = None;
    }
    let is_stored = measurement.readings.iter().any(|r| r.caveats.contains(&Caveat::FromStorage));
    if ahead.abs() > SKEW_MS && !is_stored {
        measurement.readings.iter_mut().for_each(|reading| reading.doubt(Caveat::ClockSkew));
    }
    Ok(())
}

fn pressures(measurement: &mut Measurement) -> Result<(), Implausible> {
    let (Some(systolic), Some(diastolic)) =
        (measurement.value(Quantity::Systolic), measurement.value(Quantity::Diastolic))
    else {
        return Ok(());
    };
    if systolic - diastolic < PULSE_PRESSURE {
        return Err(Implausible::PressuresCrossed { systolic, diastolic });
    }
    for reading in &mut measurement.readings {
        if reading.quantity == Quantity::MeanArterial
            && reading.value.is_ok_and(|mean| !(diastolic..=systolic).contains(&mean))
        {
            reading.doubt(Caveat::Inconsistent);
        }
    }
    Ok(())
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
