//! Cooling cooked food: through the danger zone fast enough, or not proven.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What cooling has to show.
#[derive(Debug, PartialEq)]
pub struct CoolingRule {
    /// What it is called.
    pub name: &'static str,
    /// The clock starts when the food is down to this, °C.
    pub start: f64,
    /// Down to which temperature within which time since then.
    pub steps: &'static [(f64, Duration)],
    /// Where it comes from.
    pub source: &'static str,
}

const HOUR: u64 = 3600;

/// The rules one can choose from.
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

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Still hotter than where the clock starts.
    Waiting,
    /// Under way.
    Cooling,
    /// In time, all of it.
    Passed,
    /// Not in time, or nobody saw that it was.
    Failed,
}

/// One batch of food on its way down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cooling {
    /// The rule's name.
    pub rule: String,
    /// How far it has come.
    pub outcome: Outcome,
    /// Milliseconds since the clock started.
    pub elapsed: u64,
    /// Steps reached.
    pub reached: usize,
    /// One value a minute: milliseconds since the clock started, °C.
    pub curve: Vec<(u64, f64)>,
}

/// Points of a curve.
const MOST: usize = 500;

// === impl Cooling ===

impl Cooling {
    /// By that rule, from now on.
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

    /// Time has passed, and the probe says this, or nothing. `true` when that was the end.
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
