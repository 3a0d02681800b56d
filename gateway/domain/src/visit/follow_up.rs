//! When residents with a chronic condition are to come again: one table of intervals with its source.

use serde::{Deserialize, Serialize};

use super::{Status, Version};
use crate::Timestamp;
use crate::vital::{GlucoseTime, Quantity, Reading};

/// A condition that is followed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// High blood pressure.
    Hypertension,
    /// Diabetes of type 2.
    Diabetes,
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FollowUpRule {
    /// The condition.
    pub condition: Condition,
    /// Days to the next visit while the condition is controlled, or it is not known whether it is.
    pub days: i64,
    /// Days to the next visit when it is not.
    pub days_uncontrolled: i64,
    /// Where it comes from.
    pub source: &'static str,
}

/// The table. At least four visits a year, and one within two weeks when the condition is not controlled.
pub const FOLLOW_UP: [FollowUpRule; 2] = [
    FollowUpRule {
        condition: Condition::Hypertension,
        days: 90,
        days_uncontrolled: 14,
        source: "国家基本公共卫生服务规范（第三版, 2017）高血压患者健康管理",
    },
    FollowUpRule {
        condition: Condition::Diabetes,
        days: 90,
        days_uncontrolled: 14,
        source: "国家基本公共卫生服务规范（第三版, 2017）2型糖尿病患者健康管理",
    },
];

/// A visit that is to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FollowUp {
    /// The rule.
    pub rule: FollowUpRule,
    /// When the condition was measured last, Unix milliseconds UTC.
    pub last: Option<Timestamp>,
    /// Whether it was controlled then; `None` where that cannot be said.
    pub is_controlled: Option<bool>,
    /// When it is due, Unix milliseconds UTC.
    pub due: Timestamp,
}

const DAY_MS: i64 = 24 * 3_600_000;

/// Months of age from which the target of pressure is 150/90 (the same document).
const OLD: u16 = 65 * 12;

/// When a resident with that condition is due, from everything measured of them, oldest first. Without a measurement
/// the resident is due at `since`, when the condition became known.
#[must_use]
pub fn follow_up(condition: Condition, measured: &[Version], since: Timestamp) -> FollowUp {
    let rule = FOLLOW_UP[condition as usize];
    let mut counting = measured.iter().rev().filter(|version| version.status != Status::EnteredInError);
    let found =
        counting.find_map(|version| Some((version.measurement.taken.at, controlled(condition, version)?)));
    let Some((last, is_controlled)) = found else {
        return FollowUp { rule, last: None, is_controlled: None, due: since };
    };
    let days = if is_controlled == Some(false) { rule.days_uncontrolled } else { rule.days };
    FollowUp { rule, last: Some(last), is_controlled, due: Timestamp(last.0.saturating_add(days * DAY_MS)) }
}

/// Whether a measurement shows the condition as controlled; the outer `None` if it says nothing of it.
fn controlled(condition: Condition, version: &Version) -> Option<Option<bool>> {
    let certain = |wanted: Quantity| {
        let mut readings = version.measurement.readings.iter();
        readings.find(|reading| reading.quantity == wanted).and_then(Reading::certain)
    };
    match condition {
        Condition::Hypertension => {
            let is_old = version.context.age_months.is_some_and(|months| months >= OLD);
            let (systolic, diastolic) = (certain(Quantity::Systolic)?, certain(Quantity::Diastolic)?);
            Some(Some(systolic < if is_old { 150.0 } else { 140.0 } && diastolic < 90.0))
        }
        Condition::Diabetes => {
            let glucose = certain(Quantity::Glucose)?;
            let is_fasting = version.context.glucose_time == Some(GlucoseTime::Fasting);
            Some(is_fasting.then_some(glucose < 7.0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::visit::Context;
    use crate::vital::{Measurement, Taken};
    use crate::{ClockQuality, Id};

    fn measured(day: i64, readings: Vec<Reading>, context: Context) -> Version {
        let at = Timestamp(day * DAY_MS);
        let taken = Taken { at, clock: ClockQuality::Synchronised, device: None };
        Version {
            id: format!("m-{day}"),
            version: 1,
            status: Status::Final,
            visit: None,
            unassigned: None,
            device: Id::new("cuff").unwrap(),
            room: None,
            measurement: Measurement::of(taken, readings),
            context,
            at,
            by: "device".to_owned(),
            why: None,
        }
    }

    fn pressure(day: i64, systolic: f64, months: Option<u16>) -> Version {
        let readings =
            vec![Reading::of(Quantity::Systolic, systolic), Reading::of(Quantity::Diastolic, 80.0)];
        measured(day, readings, Context { age_months: months, ..Context::default() })
    }

    #[test]
    fn a_pressure_that_is_too_high_is_seen_again_in_two_weeks() {
        let due = |measured: &[Version]| {
            follow_up(Condition::Hypertension, measured, Timestamp(7)).due.0 as f64 / DAY_MS as f64
        };
        assert_eq!(follow_up(Condition::Hypertension, &[], Timestamp(7)).due, Timestamp(7));
        assert_eq!(due(&[pressure(1, 150.0, None), pressure(100, 130.0, None)]), 190.0);
        assert_eq!(due(&[pressure(1, 130.0, None), pressure(100, 145.0, None)]), 114.0);
        assert_eq!(due(&[pressure(100, 145.0, Some(70 * 12))]), 190.0, "from 65 years below 150");
        let mut withdrawn = pressure(101, 120.0, None);
        withdrawn.status = Status::EnteredInError;
        assert_eq!(due(&[pressure(100, 145.0, None), withdrawn]), 114.0);
    }

    #[test]
    fn glucose_says_something_only_with_its_time() {
        let glucose = |time| {
            let context = Context { glucose_time: time, ..Context::default() };
            let all = [measured(100, vec![Reading::of(Quantity::Glucose, 8.0)], context)];
            let found = follow_up(Condition::Diabetes, &all, Timestamp(0));
            (found.is_controlled, found.due.0 / DAY_MS)
        };
        assert_eq!(glucose(Some(GlucoseTime::Fasting)), (Some(false), 114));
        assert_eq!(glucose(Some(GlucoseTime::AfterMeal)), (None, 190));
        assert_eq!(glucose(None), (None, 190));
    }

    #[test]
    fn the_table_is_in_the_order_of_the_conditions() {
        for condition in [Condition::Hypertension, Condition::Diabetes] {
            assert_eq!(FOLLOW_UP[condition as usize].condition, condition);
        }
    }
}
