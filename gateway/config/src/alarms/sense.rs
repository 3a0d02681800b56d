//! Checks alarm rules against each other.

use std::collections::BTreeMap;

use linli_domain::Id;
use linli_domain::alarm::{Condition, Rule};

use super::super::diagnostics::{Diagnostics, nth};
use super::super::raw::AlarmsFile;

/// Every alarm that suppresses another must exist, and none may suppress itself through others.
pub(super) fn suppression(file: &AlarmsFile, rules: &[Rule], diagnostics: &mut Diagnostics<'_, '_>) {
    let by: BTreeMap<&Id, &Id> =
        rules.iter().filter_map(|rule| Some((&rule.id, rule.suppressed_by.as_ref()?))).collect();
    for (index, raw) in file.alarm.iter().enumerate() {
        let Some(rule) = rules.iter().find(|rule| rule.id.as_str() == raw.id) else { continue };
        let Some(mut cause) = rule.suppressed_by.as_ref() else { continue };
        if !rules.iter().any(|other| other.id == *cause) {
            diagnostics.wrong(&nth("alarm", index, "suppressed_by"), format!("there is no alarm {cause}"));
            continue;
        }
        for _ in 0..rules.len() {
            if *cause == rule.id {
                let message =
                    format!("{} would silence itself: the chain of suppressed_by leads back to it", rule.id);
                diagnostics.wrong(&nth("alarm", index, "suppressed_by"), message);
                break;
            }
            match by.get(cause) {
                Some(next) => cause = next,
                None => break,
            }
        }
    }
}

/// On one point, high alarms must clear above the value at which low ones clear: otherwise both
/// stay active.
pub(super) fn bands(written: &BTreeMap<Id, usize>, rules: &[Rule], diagnostics: &mut Diagnostics<'_, '_>) {
    for high in rules {
        let Condition::High { limit, deadband } = high.condition else { continue };
        for low in rules.iter().filter(|low| low.source == high.source) {
            let Condition::Low { limit: floor, deadband: above } = low.condition else { continue };
            if limit - deadband > floor + above {
                continue;
            }
            let message = format!(
                "{} ends at {} and {} at {}: the dead-bands overlap, one of the two would always hold",
                high.id,
                limit - deadband,
                low.id,
                floor + above
            );
            if let Some(index) = written.get(&high.id).or_else(|| written.get(&low.id)) {
                diagnostics.wrong(&nth("alarm", *index, "deadband"), message);
            }
        }
    }
}
