//! Requests to the canteen service.

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Value;

/// A request to the canteen service.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// The record of a day.
    Record {
        /// The day; `None` for today.
        day: Option<Date>,
    },
    /// Records that a sample is retained.
    Retain {
        /// Name of the food.
        food: String,
        /// Weight in grams.
        grams: f64,
        /// Id of the cabinet that holds it.
        cabinet: String,
        /// Meal that it belongs to.
        meal: Option<String>,
        /// Person who did it.
        by: String,
    },
    /// Records that a sample is destroyed.
    Destroy {
        /// Id of the sample.
        sample: String,
        /// Person who did it.
        by: String,
        /// Reason, if it is destroyed before its time.
        why: Option<String>,
    },
    /// The retained samples. Braces: of a variant without them serde ignores unknown members.
    Samples {},
    /// Begins the cooling record of a batch of food.
    Cool {
        /// Name of the food.
        food: String,
        /// Id of the device of the probe in it.
        probe: String,
        /// Name of the cooling rule; `None` for the default.
        rule: Option<String>,
        /// Person who did it.
        by: String,
    },
    /// Adds a person's note to the record of the day.
    Note {
        /// The note, in one line.
        text: String,
        /// Person who did it.
        by: String,
    },
    /// Signs the record of a day.
    Sign {
        /// The day; `None` for today.
        day: Option<Date>,
        /// Person who did it.
        by: String,
        /// Remark of the signer.
        note: Option<String>,
    },
    /// Every signed record, oldest first.
    Signed {},
}

/// A request in the queue of the service; the answer is the JSON that the API returns.
pub type Request = crate::client::Request<Action, Value>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_that_no_action_has_is_refused() {
        for body in [
            r#"{"do":"samples"}"#,
            r#"{"do":"signed"}"#,
            r#"{"do":"record"}"#,
            r#"{"do":"note","text":"x","by":"y"}"#,
        ] {
            assert!(serde_json::from_str::<Action>(body).is_ok(), "{body}");
            let more = body.replace('}', r#","more":1}"#);
            assert!(serde_json::from_str::<Action>(&more).is_err(), "{more}");
        }
    }
}
