//! One-minute roll-ups for charts, at a hundredth of the samples' size.

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

/// The roll-ups of one device for one minute.
#[derive(Debug, Clone, PartialEq)]
pub struct Minute {
    /// The device and its points.
    pub layout: Arc<Layout>,
    /// Start of the minute.
    pub minute: Timestamp,
    /// One slot per point of the layout.
    pub points: Vec<Option<Rollup>>,
}

/// Accumulates samples until [`Gatherer::take`].
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

    /// Drops what was gathered of a device in `[from, to]`.
    pub fn forget(&mut self, device: &Id, from: Timestamp, to: Timestamp) {
        if let Some(minutes) = self.devices.get_mut(device) {
            minutes.retain(|minute| !(from.minute()..=to).contains(&minute.minute));
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
