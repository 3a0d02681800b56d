//! Assigns measurements to visits.
//!
//! A measurement does not identify a person. It belongs to a visit only when nobody else can have been
//! measured; otherwise a person assigns it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::vital::{Caveat, Measurement, Quantity};

/// A device's time of measuring may differ this much from the time it told.
const TOLD_WITHIN: Duration = Duration::from_secs(5 * 60);

/// How long ago a visit began and ended, by a clock that never jumps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Since it was opened.
    pub opened: Duration,
    /// Since it ended; `None` while it is open.
    pub ended: Option<Duration>,
}

/// Why a measurement must be assigned by a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unassigned {
    /// The device has no room.
    NoRoom,
    /// There was no visit.
    NoVisit,
    /// It began before the visit.
    BegunBefore,
    /// Two visits lie so close together that it may be either's.
    TwoVisits,
    /// It comes out of the device's memory, or the device's clock is wrong.
    TimeUnclear,
    /// Its sender names another person.
    OtherPatient,
}

/// Shortest and longest time a measurement of that quantity takes.
const fn takes(quantity: Quantity) -> (Duration, Duration) {
    let (shortest, longest) = match quantity {
        // Cuff up and down.
        Quantity::Systolic | Quantity::Diastolic | Quantity::MeanArterial => (20, 60),
        // A stream is steady for five seconds before it counts.
        Quantity::OxygenSaturation | Quantity::PulseRate => (5, 15),
        Quantity::RespirationRate => (15, 60),
        Quantity::Temperature => (1, 60),
        Quantity::Glucose => (5, 60),
        Quantity::Weight | Quantity::Height | Quantity::BodyMassIndex => (1, 15),
    };
    (Duration::from_secs(shortest), Duration::from_secs(longest))
}

/// To which of a cabin's visits a measurement belongs that was told just now. `spans` are the
/// visits of the room that are open or ended lately; the answer is a position in it.
pub fn bind(measurement: &Measurement, spans: &[Span]) -> Result<usize, Unassigned> {
    let delay = delay(measurement)?;
    let quantities = || measurement.readings.iter().map(|reading| takes(reading.quantity));
    // Taken together they take as long as the longest of them.
    let shortest = quantities().map(|(shortest, _)| shortest).max().unwrap_or_default();
    let longest = quantities().map(|(_, longest)| longest).max().unwrap_or_default() + delay;
    let touches = |span: &Span| span.ended.is_none_or(|ended| ended < longest);
    let mut candidates = spans.iter().enumerate().filter(|(_, span)| touches(span));
    match (candidates.next(), candidates.next()) {
        (None, _) => Err(Unassigned::NoVisit),
        (Some(_), Some(_)) => Err(Unassigned::TwoVisits),
        // Somebody else may have sat down since.
        (Some((_, span)), None) if span.ended.is_some() => Err(Unassigned::NoVisit),
        (Some((_, span)), None) if span.opened < shortest + delay => Err(Unassigned::BegunBefore),
        (Some((position, _)), None) => Ok(position),
    }
}

/// Returns how long the device may have stored it before sending.
fn delay(measurement: &Measurement) -> Result<Duration, Unassigned> {
    let is_stored =
        |caveats: &[Caveat]| caveats.contains(&Caveat::FromStorage) || caveats.contains(&Caveat::ClockSkew);
    if measurement.readings.iter().any(|reading| is_stored(&reading.caveats)) {
        return Err(Unassigned::TimeUnclear);
    }
    let Some(device) = measurement.taken.device else { return Ok(Duration::ZERO) };
    let behind = measurement.taken.at.0.saturating_sub(device.0);
    let behind = Duration::from_millis(behind.max(0).cast_unsigned());
    if behind > TOLD_WITHIN { Err(Unassigned::TimeUnclear) } else { Ok(behind) }
}
