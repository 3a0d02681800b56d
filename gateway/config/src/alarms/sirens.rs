//! Checks `[[siren]]` of alarms.toml: sirens and lamps on the site.

use std::time::Duration;

use linli_domain::ValueType;
use linli_domain::alarm::Priority;
use linli_mode::facility::Facility;

use super::super::diagnostics::{Diagnostics, nth};
use super::super::raw;
use super::{Devices, point, written};
use crate::CheckedPlan;
use crate::settings::siren::Siren;

/// Default duration.
const USUAL_SPAN: Duration = Duration::from_secs(180);

/// Longest duration: people stop noticing a longer signal.
const LONGEST_SPAN: Duration = Duration::from_secs(3600);

/// Checks every siren.
pub(super) fn check(
    raw: &[raw::Siren],
    devices: &Devices<'_>,
    diagnostics: &mut Diagnostics<'_, '_>,
) -> Vec<Siren> {
    let mut sirens: Vec<Siren> = Vec::new();
    for (index, raw) in raw.iter().enumerate() {
        let at = |key: &str| nth("siren", index, key);
        let span = raw.span.map_or(USUAL_SPAN, |span| span.0);
        if span.is_zero() || span > LONGEST_SPAN {
            diagnostics.wrong(&at("for"), "is not between \"1s\" and \"1h\"");
        }
        let priorities = match &raw.priorities {
            Some(given) if given.is_empty() => {
                diagnostics.wrong(&at("priorities"), "is empty: it would never sound; leave the siren out");
                Vec::new()
            }
            Some(given) => given.iter().map(written::priority).collect(),
            None => vec![Priority::High],
        };
        let Some(known) = devices.find(&raw.device, &at("device"), diagnostics) else { continue };
        let Some(spec) = point(&raw.point, known.layout, &at("point"), diagnostics) else { continue };
        if !spec.writable || spec.kind != ValueType::Bool {
            let what = if spec.writable { "is neither on nor off" } else { "takes no commands" };
            diagnostics.wrong(&at("point"), format!("{} {what}: a siren needs a switch", spec.name));
            continue;
        }
        let device = known.layout.device.clone();
        if sirens.iter().any(|other| other.device == device && other.point == spec.name) {
            diagnostics.wrong(&at("device"), format!("{device} is a siren already"));
            continue;
        }
        sirens.push(Siren { device, point: spec.name.clone(), priorities, span });
    }
    sirens
}

/// Refuses sirens that are outputs of a plan: such an output obeys the mode switch alone, so it would never sound.
pub(crate) fn of_plans(
    sirens: &[Siren],
    plans: &[CheckedPlan],
    building: &Facility,
    diagnostics: &mut Diagnostics<'_, '_>,
) {
    // Plans are checked only when no siren was left out, so these are numbered as in the file.
    for (index, siren) in sirens.iter().enumerate() {
        let sets = |plan: &&CheckedPlan| {
            plan.brief.outputs().any(|(fixture, output)| {
                let output = building.fixtures.get(fixture).and_then(|found| found.sets.get(output));
                output.is_some_and(|output| {
                    output.point.device == siren.device && output.point.point == siren.point
                })
            })
        };
        if let Some(plan) = plans.iter().find(sets) {
            let (output, plan) = (format!("{}.{}", siren.device, siren.point), plan.brief.plan.key());
            diagnostics.wrong(
                &nth("siren", index, "point"),
                format!(
                    "{output} is an output of the plan {plan}: the mode switch alone moves it, so the siren would never \
                     sound. Give the siren an output of its own, or take the output out of the plan \
                     （{output} 属于预案 {plan}，只服从模式切换，报警时不会响：请给报警器另接一路输出，或从预案中去掉）"
                ),
            );
        }
    }
}
