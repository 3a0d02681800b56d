//! Repeated blood pressure: of three measurements a minute or two apart the first is left out,
//! and the mean of the other two counts.

use super::{Measurement, Quantity};

/// Systolic and diastolic pressure that count, and how many measurements they come from: one as
/// it is, of two or more the mean of the last two. What is doubtful, or no exact number, never counts.
#[must_use]
pub fn settle(measurements: &[&Measurement]) -> Option<(f64, f64, usize)> {
    let pairs: Vec<(f64, f64)> = measurements
        .iter()
        .filter_map(|m| Some((m.certain(Quantity::Systolic)?, m.certain(Quantity::Diastolic)?)))
        .collect();
    match pairs.as_slice() {
        [] => None,
        [only] => Some((only.0, only.1, 1)),
        [.., a, b] => Some((f64::midpoint(a.0, b.0), f64::midpoint(a.1, b.1), 2)),
    }
}
