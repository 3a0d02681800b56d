//! Cooling of cooked food: proves that it passed the danger zone fast enough.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A cooling rule.
#[derive(Debug, PartialEq)]
pub struct CoolingRule {
    /// Its name.
    pub name: &'static str,
    /// The time starts when the food has cooled to this, °C.
    pub start: f64,
    /// Steps: the temperature to reach, and the time since the start.
    pub steps: &'static [(f64, Duration)],
    /// The regulation it comes from.
    pub source: &'static str,
}

const HOUR: u64 = 3600;

/// The available rules.
pub static COOLING: [CoolingRule; 2] = [
    CoolingRule {
        name: "two-hours",
        start: 60.0,
        steps: &[(8.0, Duration::from_secs(2 * HOUR))],
        source: "GB 31654-2021: perishable ready food at most 2 h between 8 and 60 °C",
    },
    CoolingRule {
        name: "fda",
        start: 57.0,
        steps: &[(21.0, Duration::from_secs(2 * HOUR)), (5.0, Duration::from_secs(6 * HOUR))],
        source: "FDA Food Code 3-501.14",
    },
];

/// The outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Hotter than the starting temperature.
    Waiting,
    /// Cooling.
    Cooling,
    /// All steps were reached in time.
    Passed,
    /// A step was not reached in time, or there is no evidence that it was.
    Failed,
}

/// The cooling of one batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cooling {
    /// The rule's name.
    pub rule: String,
    /// The outcome.
    pub outcome: Outcome,
    /// Milliseconds since the clock started.
    pub elapsed: u64,
    /// Steps reached.
    pub reached: usize,
    /// The curve, one value a minute: milliseconds since the start, °C.
    pub curve: Vec<(u64, f64)>,
}

/// Points of a curve.
const MOST: usize = 500;

// === impl Cooling ===

impl Cooling {
    /// Starts a cooling by this rule.
    #[must_use]
    pub fn new(rule: &CoolingRule) -> Self {
        Self {
            rule: rule.name.to_owned(),
            outcome: Outcome::Waiting,
            elapsed: 0,
            reached: 0,
            curve: Vec::new(),
        }
    }

    /// Adds the time passed and the value of the probe, if any. Returns `true` when the cooling has ended.
    pub fn see(&mut self, passed: Duration, value: Option<f64>) -> bool {
        let Some(rule) = COOLING.iter().find(|rule| rule.name == self.rule) else { return false };
        match self.outcome {
            Outcome::Passed | Outcome::Failed => return false,
            Outcome::Waiting => {
                if value.is_none_or(|value| value > rule.start) {
                    return false;
                }
                self.outcome = Outcome::Cooling;
            }
            Outcome::Cooling => {
                self.elapsed += u64::try_from(passed.as_millis()).unwrap_or(u64::MAX);
            }
        }
        let elapsed = Duration::from_millis(self.elapsed);
        if let Some(value) = value {
            let is_due = self.curve.last().is_none_or(|(at, _)| self.elapsed - at >= 60_000);
            if is_due && self.curve.len() < MOST {
                self.curve.push((self.elapsed, value));
            }
            while let Some((target, within)) = rule.steps.get(self.reached)
                && value <= *target
                && elapsed <= *within
            {
                self.reached += 1;
            }
        }
        self.outcome = match rule.steps.get(self.reached) {
            None => Outcome::Passed,
            Some((_, within)) if elapsed > *within => Outcome::Failed,
            Some(_) => Outcome::Cooling,
        };
        matches!(self.outcome, Outcome::Passed | Outcome::Failed)
    }
}
