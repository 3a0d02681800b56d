//! What may be asked of the canteen service.

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Value;

/// What may be asked of the service.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// A day's record; today unless given.
    Record {
        /// The day.
        day: Option<Date>,
    },
    /// A sample is retained.
    Retain {
        /// What it is of.
        food: String,
        /// How much, g.
        grams: f64,
        /// Where it is kept.
        cabinet: String,
        /// Of which meal.
        meal: Option<String>,
        /// Who took it.
        by: String,
    },
    /// A sample is destroyed.
    Destroy {
        /// The sample.
        sample: String,
        /// Who did it.
        by: String,
        /// Why before its time.
        why: Option<String>,
    },
    /// Samples that are kept.
    Samples,
    /// Food begins to cool.
    Cool {
        /// What it is.
        food: String,
        /// The probe in it.
        probe: String,
        /// By which rule.
        rule: Option<String>,
        /// Who does it.
        by: String,
    },
    /// A person says what was done.
    Note {
        /// In one line.
        text: String,
        /// Who.
        by: String,
    },
    /// A person signs a day's record.
    Sign {
        /// The day; today unless given.
        day: Option<Date>,
        /// Who.
        by: String,
        /// What they have to say.
        note: Option<String>,
    },
    /// Every signed record, oldest first.
    Signed,
}

/// A request in the queue of the service; the answer is the JSON that the API returns.
pub type Request = crate::client::Request<Action, Value>;
