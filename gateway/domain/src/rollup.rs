//! One-minute roll-ups for trends: what a chart needs, at a hundredth of the samples' size.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{Batch, Id, Layout, Timestamp, Value};

/// Statistics of one point over one minute. Only good numeric samples count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rollup {
    /// Lowest value.
    pub min: f64,
    /// Highest value.
    pub max: f64,
    /// Sum, so that partial minutes can be added up.
    pub sum: f64,
    /// How many samples.
    pub count: u32,
    /// The latest value.
    pub last: f64,
}

/// What was gathered of one device in one minute.
#[derive(Debug, Clone, PartialEq)]
pub struct Minute {
    /// The device and its points.
    pub layout: Arc<Layout>,
    /// Start of the minute.
    pub minute: Timestamp,
    /// One slot per point of the layout.
    pub points: Vec<Option<Rollup>>,
}

/// Gathers samples until somebody takes the roll-ups away.
#[derive(Debug, Default)]
pub struct Gatherer {
    /// A slot per point, so that a batch costs one look-up, not one per sample.
    devices: BTreeMap<Id, Vec<Minute>>,
}

// === impl Rollup ===

impl Rollup {
    /// The roll-up of a single value.
    #[must_use]
    pub const fn of(value: f64) -> Self {
        Self { min: value, max: value, sum: value, count: 1, last: value }
    }

    /// Adds a later roll-up of the same minute.
    #[must_use]
    pub fn merged(self, later: Self) -> Self {
        Self {
            min: self.min.min(later.min),
            max: self.max.max(later.max),
            sum: self.sum + later.sum,
            count: self.count.saturating_add(later.count),
            last: later.last,
        }
    }

    /// Arithmetic mean.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.sum / f64::from(self.count.max(1))
    }
}

// === impl Gatherer ===

impl Gatherer {
    /// Counts the good numeric samples of a batch.
    pub fn add(&mut self, batch: &Batch) {
        if !self.devices.contains_key(&batch.layout.device) {
            self.devices.insert(batch.layout.device.clone(), Vec::new());
        }
        let Some(minutes) = self.devices.get_mut(&batch.layout.device) else { return };
        for sample in batch.samples.iter().filter(|s| s.quality.is_good()) {
            let Some(value) = sample.value.as_ref().and_then(Value::as_f64) else { continue };
            let open = open_minute(minutes, &batch.layout, sample.at.minute());
            if let Some(slot) = open.points.get_mut(usize::from(sample.point)) {
                let one = Rollup::of(value);
                *slot = Some(slot.map_or(one, |so_far| so_far.merged(one)));
            }
        }
    }

    /// Takes everything gathered so far; the store merges partial minutes.
    pub fn take(&mut self) -> Vec<Minute> {
        std::mem::take(&mut self.devices).into_values().flatten().collect()
    }
}

/// The slot for `minute`, newest first: samples nearly always belong to the last one.
fn open_minute<'a>(minutes: &'a mut Vec<Minute>, layout: &Arc<Layout>, minute: Timestamp) -> &'a mut Minute {
    let found = minutes.iter().rposition(|m| m.minute == minute && Arc::ptr_eq(&m.layout, layout));
    let at = found.unwrap_or_else(|| {
        let points = vec![None; layout.points.len()];
        minutes.push(Minute { layout: Arc::clone(layout), minute, points });
        minutes.len() - 1
    });
    &mut minutes[at]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ClockQuality, DeviceClass, PointSpec, Quality, Reason, Sample, ValueType};

    #[test]
    fn partial_minutes_add_up_to_the_whole() {
        let values = [4.0, -2.0, 9.5, 1.0];
        let whole = values.iter().map(|v| Rollup::of(*v)).reduce(Rollup::merged).expect("four values");
        let (a, b) = values.split_at(2);
        let part = |v: &[f64]| v.iter().map(|v| Rollup::of(*v)).reduce(Rollup::merged).expect("two values");
        assert_eq!(part(a).merged(part(b)), whole);
        assert_eq!((whole.min, whole.max, whole.mean(), whole.last), (-2.0, 9.5, 3.125, 1.0));
    }

    #[test]
    fn only_good_numbers_count_and_each_minute_stands_alone() {
        let point = |name: &str| PointSpec {
            name: Id::new(name).unwrap(),
            unit: "Cel".to_owned(),
            kind: ValueType::Float,
            writable: false,
        };
        let layout = Arc::new(Layout {
            device: Id::new("fridge-1").unwrap(),
            name: String::new(),
            room: None,
            class: DeviceClass::FoodSafety,
            profile: String::new(),
            points: vec![point("air"), point("core")],
        });
        let sample = |point, at, quality, value| Sample {
            point,
            at: Timestamp(at),
            clock: ClockQuality::Synchronised,
            quality,
            value,
        };
        let mut gatherer = Gatherer::default();
        gatherer.add(&Batch {
            layout,
            samples: vec![
                sample(0, 59_000, Quality::Good, Value::float(4.0)),
                sample(1, 59_500, Quality::Good, Value::float(5.0)),
                sample(0, 60_000, Quality::Good, Value::float(6.0)),
                sample(0, 61_000, Quality::Bad(Reason::NoValue), None),
                sample(0, 62_000, Quality::Uncertain(Reason::Stale), Value::float(99.0)),
                sample(0, 63_000, Quality::Good, Some(Value::Text("x".into()))),
            ],
        });
        let counted = |m: &Minute| {
            (m.minute.0, m.points.iter().map(|r| r.map(|r| (r.count, r.max))).collect::<Vec<_>>())
        };
        let taken: Vec<_> = gatherer.take().iter().map(counted).collect();
        assert_eq!(taken, [(0, vec![Some((1, 4.0)), Some((1, 5.0))]), (60_000, vec![Some((1, 6.0)), None])]);
        assert!(gatherer.take().is_empty());
    }
}
