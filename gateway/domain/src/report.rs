//! Which samples are worth passing on: every one, only changes, or at a steady period.

use crate::{Quality, Sample, Timestamp, Value};

/// When a point's samples are passed on.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Report {
    /// Each poll.
    #[default]
    Always,
    /// When the value moved by more than `deadband` (in the point's unit; 0 = any change), when
    /// its quality changed, and at least every `at_least_ms` so that silence stays visible.
    Change {
        /// Smallest movement that counts.
        deadband: f64,
        /// Longest pause.
        at_least_ms: i64,
    },
    /// The newest value, once per period, with the time it was really read.
    Period {
        /// Length of the period.
        every_ms: i64,
    },
}

/// What was last passed on for one point.
#[derive(Debug, Clone, Default)]
pub struct Reporter {
    last: Option<Last>,
}

#[derive(Debug, Clone)]
struct Last {
    at: Timestamp,
    quality: Quality,
    value: Option<Value>,
}

// === impl Reporter ===

impl Reporter {
    /// Whether `sample` is to be passed on; remembers it if so.
    pub fn admits(&mut self, rule: &Report, sample: &Sample) -> bool {
        let admitted = match (rule, &self.last) {
            (Report::Always, _) => return true,
            (_, None) => true,
            // A clock set back must not silence a point until it has caught up.
            (_, Some(last)) if sample.at < last.at => true,
            (Report::Change { deadband, at_least_ms }, Some(last)) => {
                sample.quality != last.quality
                    || sample.at.0 - last.at.0 >= *at_least_ms
                    || moved(last.value.as_ref(), sample.value.as_ref(), *deadband)
            }
            (Report::Period { every_ms }, Some(last)) => {
                sample.quality != last.quality || sample.at.0 - last.at.0 >= *every_ms
            }
        };
        if admitted {
            self.last = Some(Last { at: sample.at, quality: sample.quality, value: sample.value.clone() });
        }
        admitted
    }
}

fn moved(old: Option<&Value>, new: Option<&Value>, deadband: f64) -> bool {
    match (old.and_then(Value::as_f64), new.and_then(Value::as_f64)) {
        (Some(a), Some(b)) if deadband > 0.0 => (a - b).abs() > deadband,
        _ => old != new,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ClockQuality, Reason};

    fn sample(at: i64, value: f64) -> Sample {
        Sample {
            point: 0,
            at: Timestamp(at),
            clock: ClockQuality::Synchronised,
            quality: Quality::Good,
            value: Value::float(value),
        }
    }

    fn check(rule: Report, input: &[(i64, f64)], expect: &[i64]) {
        let mut reporter = Reporter::default();
        let passed: Vec<i64> = input
            .iter()
            .map(|(at, v)| sample(*at, *v))
            .filter(|s| reporter.admits(&rule, s))
            .map(|s| s.at.0)
            .collect();
        assert_eq!(passed, expect, "{rule:?}");
    }

    #[test]
    fn a_change_is_measured_from_what_was_last_passed_on() {
        let rule = Report::Change { deadband: 0.5, at_least_ms: 100_000 };
        check(rule, &[(0, 4.0), (1, 4.4), (2, 4.6), (3, 4.9), (4, 5.2)], &[0, 2, 4]);
    }

    #[test]
    fn a_steady_value_still_speaks_now_and_then() {
        let rule = Report::Change { deadband: 0.0, at_least_ms: 10 };
        check(rule, &[(0, 4.0), (5, 4.0), (10, 4.0), (15, 4.0)], &[0, 10]);
    }

    #[test]
    fn a_period_thins_out() {
        check(Report::Period { every_ms: 10 }, &[(0, 1.0), (4, 2.0), (11, 3.0), (20, 4.0)], &[0, 11]);
    }

    #[test]
    fn a_clock_set_back_silences_nothing() {
        let rule = Report::Change { deadband: 0.0, at_least_ms: 10 };
        check(rule, &[(1_000_000, 4.0), (5, 4.0), (6, 4.0)], &[1_000_000, 5]);
    }

    #[test]
    fn a_change_of_quality_always_speaks() {
        let rule = Report::Change { deadband: 5.0, at_least_ms: 100_000 };
        let mut reporter = Reporter::default();
        assert!(reporter.admits(&rule, &sample(0, 4.0)));
        let bad = Sample { quality: Quality::Bad(Reason::Silent), value: None, ..sample(1, 0.0) };
        assert!(reporter.admits(&rule, &bad));
        assert!(!reporter.admits(&rule, &Sample { at: Timestamp(2), ..bad }));
    }
}
