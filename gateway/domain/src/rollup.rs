//! One-minute roll-ups for trends: what a chart needs, at a hundredth of the samples' size.

use std::collections::BTreeMap;

use crate::{Batch, Id, Timestamp};

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

/// Key of a roll-up: device, point, start of the minute.
pub type RollupKey = (Id, Id, Timestamp);

/// Gathers samples until somebody takes the roll-ups away.
#[derive(Debug, Default)]
pub struct Gatherer {
    open: BTreeMap<(Id, u16, i64), (Id, Rollup)>,
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
        for sample in &batch.samples {
            if !sample.quality.is_good() {
                continue;
            }
            let Some(value) = sample.value.as_ref().and_then(crate::Value::as_f64) else { continue };
            let Some(spec) = batch.layout.points.get(usize::from(sample.point)) else { continue };
            let key = (batch.layout.device.clone(), sample.point, sample.at.minute().0);
            self.open
                .entry(key)
                .and_modify(|(_, open)| *open = open.merged(Rollup::of(value)))
                .or_insert_with(|| (spec.name.clone(), Rollup::of(value)));
        }
    }

    /// Takes everything gathered so far; the store merges partial minutes.
    pub fn take(&mut self) -> Vec<(RollupKey, Rollup)> {
        std::mem::take(&mut self.open)
            .into_iter()
            .map(|((device, _, minute), (point, rollup))| ((device, point, Timestamp(minute)), rollup))
            .collect()
    }

    /// How many roll-ups are waiting.
    #[must_use]
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether nothing is waiting.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partial_minutes_add_up_to_the_whole() {
        let values = [4.0, -2.0, 9.5, 1.0];
        let whole = values.iter().map(|v| Rollup::of(*v)).reduce(Rollup::merged).expect("four values");
        let (a, b) = values.split_at(2);
        let part = |v: &[f64]| v.iter().map(|v| Rollup::of(*v)).reduce(Rollup::merged).expect("two values");
        assert_eq!(part(a).merged(part(b)), whole);
        assert_eq!((whole.min, whole.max, whole.mean(), whole.last), (-2.0, 9.5, 3.125, 1.0));
    }
}
