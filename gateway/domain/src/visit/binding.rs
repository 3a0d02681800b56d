//! To which visit a measurement belongs.
//!
//! A measurement names nobody. It belongs to a visit only when nobody else can have been
//! measured; otherwise it waits, and a person says whose it is.

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

/// Why a measurement waits for a person to say whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unassigned {
    /// The device stands in no room.
    NoRoom,
    /// Nobody had a visit.
    NoVisit,
    /// It was begun before the visit was.
    BegunBefore,
    /// Two visits lie so close together that it may be either's.
    TwoVisits,
    /// It comes out of the device's memory, or the device's clock is wrong.
    TimeUnclear,
    /// Its sender names somebody else.
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

/// How long the device may have kept it to itself.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vital::{Reading, Taken};
    use crate::{ClockQuality, Timestamp};

    fn measured(quantity: Quantity, device: Option<i64>) -> Measurement {
        let taken = Taken {
            at: Timestamp(1_000_000),
            clock: ClockQuality::Synchronised,
            device: device.map(|behind| Timestamp(1_000_000 - behind)),
        };
        Measurement {
            taken,
            readings: vec![Reading::of(quantity, 97.0)],
            key: None,
            user: None,
            patient: None,
        }
    }

    const fn span(opened: u64, ended: Option<u64>) -> Span {
        let ended = match ended {
            Some(ended) => Some(Duration::from_secs(ended)),
            None => None,
        };
        Span { opened: Duration::from_secs(opened), ended }
    }

    #[test]
    fn only_a_visit_that_saw_the_whole_measurement_has_it() {
        let oximeter = measured(Quantity::OxygenSaturation, None);
        assert_eq!(bind(&oximeter, &[]), Err(Unassigned::NoVisit));
        assert_eq!(bind(&oximeter, &[span(5, None)]), Ok(0));
        assert_eq!(bind(&oximeter, &[span(4, None)]), Err(Unassigned::BegunBefore));
        assert_eq!(bind(&oximeter, &[span(60, Some(3))]), Err(Unassigned::NoVisit), "late");
    }

    #[test]
    fn two_residents_in_quick_succession_never_mix() {
        let cuff = measured(Quantity::Systolic, None);
        let [before, now] = [span(300, Some(59)), span(30, None)];
        assert_eq!(bind(&cuff, &[before, now]), Err(Unassigned::TwoVisits));
        assert_eq!(bind(&cuff, &[span(300, Some(61)), now]), Ok(1));
        let told_late = measured(Quantity::Systolic, Some(20_000));
        assert_eq!(bind(&told_late, &[span(300, Some(61)), now]), Err(Unassigned::TwoVisits));
    }

    #[test]
    fn what_a_device_kept_to_itself_waits() {
        let mut stored = measured(Quantity::Weight, None);
        stored.readings[0].doubt(Caveat::FromStorage);
        assert_eq!(bind(&stored, &[span(60, None)]), Err(Unassigned::TimeUnclear));
        let old = measured(Quantity::Weight, Some(600_000));
        assert_eq!(bind(&old, &[span(60, None)]), Err(Unassigned::TimeUnclear));
    }

    proptest::proptest! {
        /// Whenever a measurement is bound, no other visit was open while it can have been taken.
        #[test]
        fn never_the_wrong_one(
            spans in proptest::collection::vec((0_u64..400, proptest::option::of(0_u64..400)), 0..4),
            behind in 0_i64..400_000,
        ) {
            let spans: Vec<Span> = spans.into_iter().map(|(o, e)| span(o.max(e.unwrap_or(0)), e)).collect();
            let cuff = measured(Quantity::Systolic, Some(behind));
            if let Ok(bound) = bind(&cuff, &spans) {
                let begun = Duration::from_secs(60) + Duration::from_millis(behind.cast_unsigned());
                for (position, span) in spans.iter().enumerate() {
                    let was_open = span.ended.is_none_or(|ended| ended < begun);
                    proptest::prop_assert!(position == bound || !was_open);
                }
                proptest::prop_assert!(spans[bound].ended.is_none());
            }
        }
    }
}
