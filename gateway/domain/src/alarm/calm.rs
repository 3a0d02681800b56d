//! Ranges of values that change no alarm, so that most samples need no look at an alarm.
//!
//! An alarm takes some hundred bytes anywhere in memory; loading it for every sample costs ten
//! times as much as the decision. So these ranges are stored next to each other.

use super::rule::Condition;

/// The values strictly between these change nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Calm {
    above: f64,
    below: f64,
}

// === impl Calm ===

impl Calm {
    /// Every value matters: no number is greater than none.
    pub const NEVER: Self = Self { above: f64::NAN, below: f64::NAN };
    /// No value matters.
    pub const ALWAYS: Self = Self { above: f64::NEG_INFINITY, below: f64::INFINITY };

    /// What leaves a condition that does not hold as it is.
    pub const fn of(condition: &Condition) -> Self {
        match condition {
            Condition::High { limit, .. } => Self { below: *limit, ..Self::ALWAYS },
            Condition::Low { limit, .. } => Self { above: *limit, ..Self::ALWAYS },
            // What depends on more than the value, or is over with any value.
            Condition::Is(_) | Condition::Rate { .. } | Condition::Deviation { .. } | Condition::Silent => {
                Self::NEVER
            }
        }
    }

    /// What leaves both as they are.
    pub fn and(self, other: Self) -> Self {
        if self.above.is_nan() || other.above.is_nan() {
            return Self::NEVER;
        }
        Self { above: self.above.max(other.above), below: self.below.min(other.below) }
    }

    /// Whether this value changes nothing.
    pub fn admits(self, value: f64) -> bool {
        self.above < value && value < self.below
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_at_a_limit_matters() {
        let high = Calm::of(&Condition::High { limit: 8.0, deadband: 0.5 });
        let both = high.and(Calm::of(&Condition::Low { limit: 2.0, deadband: 0.5 }));
        let admitted = [1.9, 2.0, 2.1, 7.9, 8.0, f64::NAN].map(|value| both.admits(value));
        assert_eq!(admitted, [false, false, true, true, false, false]);
        assert!(!both.and(Calm::NEVER).admits(5.0) && !Calm::NEVER.admits(0.0));
    }
}
