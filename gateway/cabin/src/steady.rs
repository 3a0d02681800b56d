//! Recognises measurements in polled values, because a Modbus device of class `vital` does not signal the end
//! of a measurement. Values that stay steady are one measurement; the next one needs a change. Pure: time is
//! an argument.

use std::collections::BTreeMap;
use std::time::Duration;

use linli_domain::vital::{Measurement, Patient, Quantity, Reading, Taken, sift};
use linli_domain::{Batch, Id, Value};
use tokio::time::Instant;

/// Time for which values must stay unchanged.
const STEADY: Duration = Duration::from_secs(5);

/// Recognises measurements in the polled values of all such devices.
#[derive(Debug, Default)]
pub struct Steady {
    devices: BTreeMap<Id, Watch>,
}

/// State of one device.
#[derive(Debug, Default)]
struct Watch {
    /// Latest valid values.
    shown: BTreeMap<Quantity, f64>,
    /// Values at the last change.
    settled: BTreeMap<Quantity, f64>,
    /// Time of the last change.
    since: Option<Instant>,
    /// Whether a measurement was returned since then.
    is_reported: bool,
}

// === impl Steady ===

impl Steady {
    /// Takes the latest samples of a device. Returns a measurement when its values have been steady for 5 s,
    /// once.
    pub fn push(&mut self, batch: &Batch, now: Instant) -> Option<Measurement> {
        if !self.devices.contains_key(&batch.layout.device) {
            self.devices.insert(batch.layout.device.clone(), Watch::default());
        }
        let watch = self.devices.get_mut(&batch.layout.device)?;
        for sample in &batch.samples {
            let point = batch.layout.points.get(usize::from(sample.point))?;
            let Some(quantity) = Quantity::find(point.name.as_str()) else { continue };
            match sample.value.as_ref().filter(|_| sample.quality.is_good()).and_then(Value::as_f64) {
                Some(value) => watch.shown.insert(quantity, value),
                None => watch.shown.remove(&quantity),
            };
        }
        let last = batch.samples.last()?;
        let taken = Taken { at: last.at, clock: last.clock, device: None };
        watch.update(taken, now)
    }
}

// === impl Watch ===

impl Watch {
    fn update(&mut self, taken: Taken, now: Instant) -> Option<Measurement> {
        let readings: Vec<Reading> = self.shown.iter().map(|(q, value)| Reading::of(*q, *value)).collect();
        let measurement = Measurement {
            taken,
            readings,
            key: None,
            key_reused: false,
            sent: None,
            amends: Vec::new(),
            attachments: Vec::new(),
            attached: Vec::new(),
            user: None,
            patient: Patient::default(),
        };
        // An implausible value, such as the 0 of an empty scale, is none.
        let mut measurement = measurement;
        sift(&mut measurement);
        measurement.readings.retain(|reading| reading.value.is_ok());
        if measurement.readings.is_empty() {
            *self = Self { shown: std::mem::take(&mut self.shown), ..Self::default() };
            return None;
        }
        let is_there = |quantity: &Quantity| measurement.value(*quantity).is_some();
        let present: BTreeMap<Quantity, f64> =
            self.shown.iter().filter(|(quantity, _)| is_there(quantity)).map(|(q, v)| (*q, *v)).collect();
        let is_near = |(quantity, value): (&Quantity, &f64)| {
            self.settled.get(quantity).is_some_and(|settled| (value - settled).abs() <= spread(*quantity))
        };
        if self.settled.len() != present.len() || !present.iter().all(is_near) {
            self.settled = present;
            (self.since, self.is_reported) = (Some(now), false);
        }
        let since = self.since?;
        if self.is_reported || now.saturating_duration_since(since) < STEADY {
            return None;
        }
        self.is_reported = true;
        Some(measurement)
    }
}

/// Largest difference between two values that count as equal, in the quantity's unit.
const fn spread(quantity: Quantity) -> f64 {
    match quantity {
        Quantity::Systolic | Quantity::Diastolic | Quantity::MeanArterial => 0.5,
        Quantity::OxygenSaturation | Quantity::RespirationRate => 2.0,
        Quantity::PulseRate => 10.0,
        Quantity::Temperature | Quantity::Glucose => 0.1,
        Quantity::Weight | Quantity::BodyMassIndex => 0.3,
        Quantity::Height | Quantity::WaistCircumference => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linli_domain::{
        ClockQuality, DeviceClass, Layout, PointSpec, Quality, Reason, Sample, Timestamp, ValueType,
    };
    use std::sync::Arc;

    fn layout() -> Arc<Layout> {
        let point = PointSpec {
            name: Id::new("weight").unwrap(),
            unit: "kg".to_owned(),
            kind: ValueType::Float,
            writable: false,
        };
        Arc::new(Layout {
            device: Id::new("scale").unwrap(),
            name: "体重秤".to_owned(),
            room: None,
            class: DeviceClass::Vital,
            profile: "own/scale".to_owned(),
            points: vec![point],
        })
    }

    /// What comes of `(seconds, kilograms)` at one poll a second.
    fn weighed(runs: &[(u64, Option<f64>)]) -> Vec<f64> {
        let (mut steady, mut now, layout) = (Steady::default(), Instant::now(), layout());
        let mut found = Vec::new();
        for (seconds, weight) in runs {
            for _ in 0..*seconds {
                let quality = if weight.is_some() { Quality::Good } else { Quality::Bad(Reason::NoValue) };
                let value = weight.and_then(Value::float);
                let clock = ClockQuality::Synchronised;
                let samples = vec![Sample { point: 0, at: Timestamp(0), clock, quality, value }];
                let batch = Batch { layout: Arc::clone(&layout), samples };
                found.extend(steady.push(&batch, now).and_then(|m| m.value(Quantity::Weight)));
                now += Duration::from_secs(1);
            }
        }
        found
    }

    #[test]
    fn one_measurement_per_person_on_the_scale() {
        let (first, second) = (Some(65.3), Some(70.1));
        assert_eq!(weighed(&[(10, Some(0.0)), (10, first), (10, Some(0.0)), (8, second)]), [65.3, 70.1]);
        assert_eq!(weighed(&[(30, first), (8, second)]), [65.3, 70.1], "the scale keeps its last value");
        assert_eq!(weighed(&[(3, first), (3, second), (3, first)]), Vec::<f64>::new(), "never still");
        assert_eq!(weighed(&[(8, first), (2, None), (8, first)]), [65.3, 65.3], "the same weight again");
    }
}
