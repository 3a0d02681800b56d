//! Counters that fall: a meter that wakes up reports 0 once and then returns to its reading.
//!
//! A single lower value between two plausible ones is not a reset. The first value below the last one is therefore
//! doubtful; the next one decides: at or above the former reading nothing has happened, else the counter was reset
//! and counts from there. Zeros decide only when several follow each other. A counter that overflows its register is
//! neither. The largest number of the register, far above the last value, stands for none.

use linli_domain::{Quality, Reason, Sample, Value};

use crate::modbus::plan::DevicePlan;

/// Part of a register's range at its end, and at its beginning, between which an overflow leads.
const EDGE: f64 = 0.1;

/// Zeros in a row that are doubtful: a meter that wakes up reports them for some polls.
const ZEROS: u8 = 3;

/// The latest plausible values of a device's counters.
#[derive(Debug, Default)]
pub struct Counters {
    rows: Vec<Option<Row>>,
    /// Whether the device has any.
    has_any: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Row {
    last: Option<f64>,
    /// Doubtful values in a row.
    doubted: u8,
    /// The value at which the register overflows, if it does.
    most: Option<f64>,
}

// === impl Counters ===

impl Counters {
    /// Rows for the counters of a device.
    pub fn new(plan: &DevicePlan) -> Self {
        let row = |point: &crate::modbus::profile::Point| {
            point.counter.then(|| Row { most: point.codec.most(), ..Row::default() })
        };
        let rows: Vec<Option<Row>> = plan.profile.points.iter().map(row).collect();
        Self { has_any: rows.iter().any(Option::is_some), rows }
    }

    /// Marks the counters among the samples that fell, unless they did so twice.
    pub fn judge(&mut self, samples: &mut [Sample]) {
        if !self.has_any {
            return;
        }
        for sample in samples.iter_mut().filter(|sample| sample.quality.is_good()) {
            let Some(Some(row)) = self.rows.get_mut(usize::from(sample.point)) else { continue };
            let Some(value) = sample.value.as_ref().and_then(Value::as_f64) else { continue };
            if row.is_plausible(value) {
                row.last = Some(value);
            } else {
                sample.quality = Quality::Uncertain(Reason::Doubtful);
            }
        }
    }
}

// === impl Row ===

impl Row {
    /// Whether a value follows from the last one, or confirms the value that did not.
    fn is_plausible(&mut self, value: f64) -> bool {
        let doubted = std::mem::take(&mut self.doubted);
        let Some(last) = self.last else { return true };
        let is_far_below = |most: f64| last < most * (1.0 - EDGE);
        if self.most.is_some_and(|most| value >= most && is_far_below(most)) {
            return false;
        }
        let overflows = |most: f64| last >= most * (1.0 - EDGE) && value <= most * EDGE;
        let enough = if value == 0.0 { ZEROS } else { 1 };
        if value >= last || doubted >= enough || self.most.is_some_and(overflows) {
            return true;
        }
        self.doubted = doubted + 1;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of the values are doubtful.
    fn doubted(most: Option<f64>, values: &[f64]) -> Vec<f64> {
        let mut row = Row { most, ..Row::default() };
        let mut doubted = Vec::new();
        for value in values {
            if row.is_plausible(*value) {
                row.last = Some(*value);
            } else {
                doubted.push(*value);
            }
        }
        doubted
    }

    #[test]
    fn one_fall_is_doubtful_and_two_are_a_reset() {
        let most = Some(4_294_967_295.0);
        assert_eq!(doubted(most, &[100.0, 101.0, 0.0, 101.0, 102.0]), [0.0], "it woke up");
        assert_eq!(doubted(most, &[100.0, 0.0, 1.0, 2.0]), [0.0], "it was reset");
        assert_eq!(doubted(most, &[100.0, 0.0, 0.0, 101.0]), [0.0, 0.0], "it woke up slowly");
        assert_eq!(doubted(most, &[100.0, 0.0, 0.0, 0.0, 0.0, 0.0, 7.0]), [0.0; 3], "it stays at 0");
        assert_eq!(doubted(most, &[100.0, 4_294_967_295.0, 101.0]), [4_294_967_295.0], "it has no value");
        assert_eq!(doubted(Some(65_535.0), &[65_530.0, 65_535.0, 3.0]), [0.0; 0], "it is full");
        assert_eq!(doubted(most, &[100.0, 90.0, 101.0, 90.0, 102.0]), [90.0, 90.0]);
        assert_eq!(doubted(most, &[4_294_967_290.0, 3.0, 9.0]), [0.0; 0], "it overflows");
        assert_eq!(doubted(Some(65_535.0), &[65_500.0, 20_000.0, 65_501.0]), [20_000.0]);
        assert_eq!(doubted(None, &[5.0, 5.0, 4.0, 3.0]), [4.0]);
    }
}
