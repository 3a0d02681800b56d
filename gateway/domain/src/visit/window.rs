//! When a measurement can have been taken that arrived just now.

use std::time::Duration;

use super::Unassigned;
use crate::ClockQuality;
use crate::vital::{Caveat, Measurement, Quantity};

/// A device's time of measuring may differ this much from the time of arrival.
const TOLD_WITHIN: Duration = Duration::from_secs(5 * 60);

/// Shortest and longest time that a measurement takes. Quantities that are measured together take as long as the
/// longest of them.
pub(super) fn takes(measurement: &Measurement) -> (Duration, Duration) {
    let all = || measurement.readings.iter().map(|reading| of(reading.quantity));
    let shortest = all().map(|(shortest, _)| shortest).max().unwrap_or_default();
    (shortest, all().map(|(_, longest)| longest).max().unwrap_or_default())
}

const fn of(quantity: Quantity) -> (Duration, Duration) {
    let (shortest, longest) = match quantity {
        // Cuff up and down.
        Quantity::Systolic | Quantity::Diastolic | Quantity::MeanArterial => (20, 60),
        // A stream is steady for five seconds before it counts.
        Quantity::OxygenSaturation | Quantity::PulseRate => (5, 15),
        Quantity::RespirationRate => (15, 60),
        Quantity::Temperature => (1, 60),
        Quantity::Glucose => (5, 60),
        Quantity::Weight | Quantity::Height | Quantity::BodyMassIndex => (1, 15),
        Quantity::WaistCircumference => (5, 60),
    };
    (Duration::from_secs(shortest), Duration::from_secs(longest))
}

/// How long the device may have kept it before sending. An error if that is not known: it comes out of the
/// device's memory, or the two clocks do not agree. Of a message without a time of measuring that does not name the
/// visit itself (its resident may have been measured at an earlier one), the time at which it was made counts; when it
/// is a correction that names nobody, nothing does.
pub(super) fn delay(
    measurement: &Measurement,
    is_identified: bool,
    names_visit: bool,
) -> Result<Duration, Unassigned> {
    const UNCLEAR: [Caveat; 3] = [Caveat::FromStorage, Caveat::ClockSkew, Caveat::TimeUnclear];
    let mut caveats = measurement.readings.iter().flat_map(|reading| &reading.caveats);
    if caveats.any(|caveat| UNCLEAR.contains(caveat)) {
        return Err(Unassigned::TimeUnclear);
    }
    let is_set = measurement.taken.clock != ClockQuality::Unset;
    let made = measurement.sent.filter(|_| is_set && !names_visit);
    // What is corrected was measured before now.
    if measurement.taken.device.is_none() && !measurement.amends.is_empty() && !is_identified {
        return Err(Unassigned::TimeUnclear);
    }
    let Some(device) = measurement.taken.device.or(made) else { return Ok(Duration::ZERO) };
    if !is_set {
        return Err(Unassigned::TimeUnclear);
    }
    let behind = measurement.taken.at.0.saturating_sub(device.0);
    if behind.unsigned_abs() > u64::try_from(TOLD_WITHIN.as_millis()).unwrap_or(u64::MAX) {
        return Err(Unassigned::TimeUnclear);
    }
    Ok(Duration::from_millis(behind.max(0).cast_unsigned()))
}
