//! Repeated blood pressure: of three measurements a minute or two apart the first is left out,
//! and the mean of the other two counts.

use super::{Measurement, Quantity};

/// Systolic and diastolic pressure that count, and how many measurements they come from: one as
/// it is, of two or more the mean of the last two.
#[must_use]
pub fn settle(measurements: &[&Measurement]) -> Option<(f64, f64, usize)> {
    let pairs: Vec<(f64, f64)> = measurements
        .iter()
        .filter_map(|m| Some((m.value(Quantity::Systolic)?, m.value(Quantity::Diastolic)?)))
        .collect();
    match pairs.as_slice() {
        [] => None,
        [only] => Some((only.0, only.1, 1)),
        [.., a, b] => Some((f64::midpoint(a.0, b.0), f64::midpoint(a.1, b.1), 2)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Reading, Taken};
    use super::*;
    use crate::{ClockQuality, Timestamp};

    fn pressure(systolic: f64, diastolic: f64) -> Measurement {
        Measurement {
            taken: Taken { at: Timestamp(0), clock: ClockQuality::Synchronised, device: None },
            readings: vec![
                Reading::of(Quantity::Systolic, systolic),
                Reading::of(Quantity::Diastolic, diastolic),
            ],
            key: None,
            user: None,
            patient: None,
        }
    }

    #[test]
    fn the_first_of_three_does_not_count() {
        let (a, b, c) = (pressure(150.0, 95.0), pressure(140.0, 88.0), pressure(136.0, 86.0));
        assert_eq!(settle(&[]), None);
        assert_eq!(settle(&[&a]), Some((150.0, 95.0, 1)));
        assert_eq!(settle(&[&a, &b, &c]), Some((138.0, 87.0, 2)));
    }
}
