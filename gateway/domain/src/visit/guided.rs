//! The guided series of blood pressures: how many are taken, how long the resident rests between two, and which are
//! averaged. The rule that applies without settings is that of 中国高血压防治指南（2018年修订版）, 3.1.1: after a rest,
//! two measurements 1 to 2 minutes apart, averaged; if they differ by more than 5 mm\[Hg\] a third one, and the mean of
//! all three.

use std::time::Duration;

use super::{Status, Version};
use crate::Timestamp;
use crate::vital::Quantity;

/// How blood pressure is repeated.
#[derive(Debug, Clone, PartialEq)]
pub struct PressureGuide {
    /// How many measurements make a series, 1 to 5.
    pub readings: u8,
    /// Rest between two measurements.
    pub rest: Duration,
    /// If two differ by more, in mm\[Hg\], one more is taken.
    pub difference: f64,
    /// Whether the first one is left out of the mean.
    pub drops_first: bool,
}

/// A pressure of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesReading {
    /// Id of the measurement.
    pub measurement: String,
    /// When it arrived, Unix milliseconds UTC.
    pub at: Timestamp,
    /// Systolic, mm\[Hg\].
    pub systolic: f64,
    /// Diastolic, mm\[Hg\].
    pub diastolic: f64,
    /// Whether it is part of the mean.
    pub counts: bool,
}

/// A series as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The pressures, oldest first; doubtful ones are not among them.
    pub readings: Vec<SeriesReading>,
    /// How many there shall be.
    pub wanted: u8,
    /// When the next one may be taken; `None` when the series is complete.
    pub next_at: Option<Timestamp>,
    /// Mean of those that count, systolic and diastolic.
    pub mean: Option<(f64, f64)>,
}

// === impl PressureGuide ===

impl Default for PressureGuide {
    fn default() -> Self {
        Self { readings: 2, rest: Duration::from_secs(60), difference: 5.0, drops_first: false }
    }
}

impl PressureGuide {
    /// The series that began at a time, of the measurements of its visit.
    #[must_use]
    pub fn series(&self, begun: Timestamp, measured: &[Version]) -> Series {
        let taken = |version: &Version| {
            let certain = |wanted: Quantity| {
                let found = version.measurement.readings.iter().find(|reading| reading.quantity == wanted);
                found.and_then(crate::vital::Reading::certain)
            };
            let at = version.measurement.taken.at;
            let is_in = at >= begun && version.status != Status::EnteredInError;
            Some(SeriesReading {
                measurement: version.id.clone(),
                at,
                systolic: certain(Quantity::Systolic).filter(|_| is_in)?,
                diastolic: certain(Quantity::Diastolic)?,
                counts: true,
            })
        };
        let mut readings: Vec<SeriesReading> = measured.iter().filter_map(taken).collect();
        let wanted = self.wanted(&readings);
        if self.drops_first && readings.len() > 1 {
            readings[0].counts = false;
        }
        let rest = i64::try_from(self.rest.as_millis()).unwrap_or(i64::MAX);
        let next = readings.last().map_or(begun, |last| Timestamp(last.at.0.saturating_add(rest)));
        let next_at = (readings.len() < usize::from(wanted)).then_some(next);
        let mean = mean(&readings);
        Series { readings, wanted, next_at, mean }
    }

    /// One more than usual if two neighbours differ too much.
    fn wanted(&self, readings: &[SeriesReading]) -> u8 {
        let usual = usize::from(self.readings);
        let differs = |pair: &[SeriesReading]| {
            (pair[0].systolic - pair[1].systolic).abs() > self.difference
                || (pair[0].diastolic - pair[1].diastolic).abs() > self.difference
        };
        let is_uneven = readings.len() >= usual && readings[..usual].windows(2).any(differs);
        self.readings + u8::from(is_uneven)
    }
}

fn mean(readings: &[SeriesReading]) -> Option<(f64, f64)> {
    let counting: Vec<&SeriesReading> = readings.iter().filter(|reading| reading.counts).collect();
    let count = f64::from(u32::try_from(counting.len()).ok().filter(|count| *count > 0)?);
    let sum = |of: fn(&SeriesReading) -> f64| counting.iter().map(|reading| of(reading)).sum::<f64>();
    Some((sum(|reading| reading.systolic) / count, sum(|reading| reading.diastolic) / count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vital::{Caveat, Measurement, Reading, Taken};
    use crate::{ClockQuality, Id};

    fn pressure(at: i64, systolic: f64, diastolic: f64) -> Version {
        let taken = Taken { at: Timestamp(at), clock: ClockQuality::Synchronised, device: None };
        let readings =
            vec![Reading::of(Quantity::Systolic, systolic), Reading::of(Quantity::Diastolic, diastolic)];
        Version {
            id: format!("m-{at}"),
            version: 1,
            status: Status::Final,
            visit: None,
            unassigned: None,
            device: Id::new("cuff").unwrap(),
            room: None,
            measurement: Measurement::of(taken, readings),
            context: crate::visit::Context::default(),
            at: Timestamp(at),
            by: "device".to_owned(),
            why: None,
        }
    }

    #[test]
    fn two_that_agree_are_averaged() {
        let guide = PressureGuide::default();
        let begun = Timestamp(1000);
        assert_eq!(guide.series(begun, &[]).next_at, Some(begun));
        let before = pressure(500, 180.0, 100.0);
        let first = guide.series(begun, &[before.clone(), pressure(2000, 140.0, 90.0)]);
        assert_eq!((first.wanted, first.next_at), (2, Some(Timestamp(62_000))), "a minute of rest");
        assert_eq!(first.mean, Some((140.0, 90.0)), "what was before it does not count");
        let both = guide.series(begun, &[before, pressure(2000, 140.0, 90.0), pressure(70_000, 136.0, 88.0)]);
        assert_eq!((both.wanted, both.next_at, both.mean), (2, None, Some((138.0, 89.0))));
    }

    #[test]
    fn two_that_differ_need_a_third_and_doubtful_ones_are_none() {
        let guide = PressureGuide::default();
        let mut doubtful = pressure(65_000, 120.0, 80.0);
        doubtful.measurement.readings[0].doubt(Caveat::CuffLoose);
        let mut withdrawn = pressure(66_000, 90.0, 60.0);
        withdrawn.status = Status::EnteredInError;
        let mut all = vec![pressure(2000, 150.0, 90.0), doubtful, withdrawn, pressure(70_000, 140.0, 90.0)];
        let series = guide.series(Timestamp(1000), &all);
        assert_eq!((series.wanted, series.next_at, series.readings.len()), (3, Some(Timestamp(130_000)), 2));
        all.push(pressure(140_000, 142.0, 87.0));
        assert_eq!(guide.series(Timestamp(1000), &all).mean, Some((144.0, 89.0)));
        let dropping = PressureGuide { drops_first: true, readings: 3, ..guide };
        let series = dropping.series(Timestamp(1000), &all);
        assert_eq!((series.mean, series.readings[0].counts), (Some((141.0, 88.5)), false));
    }
}
