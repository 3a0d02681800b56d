//! A resident as screens show them unasked: sex, age, the end of the number, and when a condition is followed up.

use linli_domain::visit::{Condition, FollowUp};
use linli_domain::vital::Sex;
use linli_domain::{Civil, Timestamp};
use serde::Serialize;

use super::Identity;

/// Who somebody is, as far as a screen shows it unasked.
#[derive(Debug, Clone, Serialize)]
pub struct PersonView {
    /// Sex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sex: Option<Sex>,
    /// Age in full years.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age: Option<i64>,
    /// The last four characters of the number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tail: Option<String>,
    /// Conditions that are followed up.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}

/// A visit that is to come.
#[derive(Debug, Clone, Serialize)]
pub struct FollowUpView {
    /// The condition.
    pub condition: Condition,
    /// When it was measured last, Unix milliseconds UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Timestamp>,
    /// Whether it was controlled then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub controlled: Option<bool>,
    /// When it is due, Unix milliseconds UTC.
    pub due: Timestamp,
    /// Whether that is over.
    pub overdue: bool,
    /// The rule's source.
    pub source: &'static str,
}

// === impl PersonView ===

impl PersonView {
    /// What is shown of an identity at a time.
    #[must_use]
    pub fn of(identity: &Identity, at: Timestamp) -> Self {
        let today = Civil::of(at);
        let (birth, sex) = identity.birth_and_sex();
        let years = |(year, month, day): (i64, u8, u8)| {
            today.year - year - i64::from((today.month, today.day) < (month, day))
        };
        Self {
            sex,
            age: birth.map(years).filter(|age| (0..=130).contains(age)),
            tail: identity.tail(),
            conditions: identity.conditions.clone().unwrap_or_default(),
        }
    }
}

// === impl FollowUpView ===

impl FollowUpView {
    /// What is shown of it at a time.
    #[must_use]
    pub fn of(FollowUp { rule, last, is_controlled, due }: FollowUp, now: Timestamp) -> Self {
        Self {
            condition: rule.condition,
            last,
            controlled: is_controlled,
            due,
            overdue: due < now,
            source: rule.source,
        }
    }
}
