//! Report policies: which samples are published (all, changes, or one per period).

use crate::{Quality, Sample, Timestamp, Value};

/// When a point's samples are published.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Report {
    /// Every sample.
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

/// The sample of a point that was published last.
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
    /// Returns whether to publish `sample`, and stores it if so.
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
