//! Refuses an output of a plan that commands can reach under a second name: by a second entry for the same device, or
//! by a second fixture. The mode switch guards points by their names, so such a name would lead round the plan.

use std::collections::{BTreeMap, BTreeSet};

use linli_domain::alarm::Source;
use linli_drivers::Target;
use linli_mode::facility::Facility;

use super::checked::ConfiguredLine;
use super::checked_plan::CheckedPlan;
use super::diagnostics::{Diagnostics, nth};
use super::raw::{DevicesFile, FacilityFile};

/// A way to an output.
struct Way {
    /// The device, and its point unless the work concerns the device itself.
    name: String,
    device: String,
    line: String,
    target: Target,
    /// The plans that set it.
    plan: Option<String>,
}

/// Points that plans set, each with its plans.
fn held(plans: &[CheckedPlan], building: &Facility) -> BTreeMap<Source, String> {
    let mut held: BTreeMap<Source, BTreeSet<String>> = BTreeMap::new();
    for plan in plans {
        for (fixture, output) in plan.brief.outputs() {
            let output = building.fixtures.get(fixture).and_then(|found| found.sets.get(output));
            if let Some(output) = output {
                held.entry(output.point.clone()).or_default().insert(plan.brief.plan.key());
            }
        }
    }
    let names = |plans: BTreeSet<String>| plans.into_iter().collect::<Vec<_>>().join(", ");
    held.into_iter().map(|(point, plans)| (point, names(plans))).collect()
}

/// Refuses devices by which an output of a plan can be reached under a second name.
pub(crate) fn of_devices(
    file: &DevicesFile,
    lines: &[ConfiguredLine],
    plans: &[CheckedPlan],
    building: &Facility,
    diagnostics: &mut Diagnostics<'_, '_>,
) {
    let held = held(plans, building);
    let ways: Vec<Way> = lines.iter().flat_map(|line| ways(line, &held)).collect();
    for (index, way) in ways.iter().enumerate() {
        let meets = |other: &&Way| {
            way.name != other.name
                && (way.plan.is_some() || other.plan.is_some())
                && way.target.meets(&other.target)
        };
        // Each pair once, at the entry that no plan names; of two that plans name, at the second.
        let others = ways.iter().enumerate().filter(|(at, other)| match (&way.plan, &other.plan) {
            (None, Some(_)) => true,
            (Some(_), Some(_)) => *at < index,
            _ => false,
        });
        let Some((_, output)) = others.into_iter().find(|(_, other)| meets(other)) else { continue };
        let Some(place) = file.device.iter().position(|device| device.id == way.device) else { continue };
        let plan = output.plan.as_deref().unwrap_or_default();
        let (second, first) = (&way.name, &output.name);
        let (line, of) = (&way.line, &output.line);
        diagnostics.wrong(
            &nth("device", place, ""),
            format!(
                "{second} on line {line} may be the same output as {first} on line {of}, which {plan} sets: a \
                 command to it would go round the mode switch. Keep one of the two, or make them differ in endpoint \
                 (both as addresses), unit or register \
                 （{second} 与预案 {plan} 控制的 {first} 可能是同一路输出，可绕过模式切换：请只保留一个，或区分地址、站号、寄存器）"
            ),
        );
    }
}

fn ways(line: &ConfiguredLine, held: &BTreeMap<Source, String>) -> Vec<Way> {
    let id = line.plan.line().to_string();
    let reaches = line.plan.reaches().into_iter().filter_map(|reach| {
        let layout = line.plan.layouts().get(reach.device)?;
        let device = layout.device.clone();
        let point = match reach.point {
            Some(point) => Some(layout.points.get(usize::from(point))?.name.clone()),
            None => None,
        };
        let name = point.as_ref().map_or_else(|| device.to_string(), |point| format!("{device}.{point}"));
        let source = point.map(|point| Source { device: device.clone(), point });
        let plan = source.and_then(|source| held.get(&source).cloned());
        Some(Way { name, device: device.to_string(), line: id.clone(), target: reach.target, plan })
    });
    let all: Vec<Way> = reaches.collect();
    // Work on a device whose own outputs belong to plans is guarded with them.
    let is_guarded = |way: &Way| {
        way.name == way.device && all.iter().any(|other| other.device == way.device && other.plan.is_some())
    };
    let guarded: Vec<bool> = all.iter().map(is_guarded).collect();
    all.into_iter().zip(guarded).filter(|(_, is_guarded)| !is_guarded).map(|(way, _)| way).collect()
}

/// Refuses a second fixture that sets an output of a plan: the rules for the kind of the first would not hold for it,
/// and the room of the second could open it to a technician.
pub(crate) fn of_fixtures(
    file: &FacilityFile,
    plans: &[CheckedPlan],
    building: &Facility,
    diagnostics: &mut Diagnostics<'_, '_>,
) {
    let held = held(plans, building);
    let mut first: BTreeMap<&Source, String> = BTreeMap::new();
    for fixture in &building.fixtures {
        for output in &fixture.sets {
            let Some(plan) = held.get(&output.point) else { continue };
            let name = format!("{}.{}", fixture.id, output.name);
            let Some(other) = first.insert(&output.point, name.clone()) else { continue };
            let Some(index) = file.fixture.iter().position(|raw| raw.id == fixture.id.as_str()) else {
                continue;
            };
            let point = format!("{}.{}", output.point.device, output.point.point);
            diagnostics.wrong(
                &nth("fixture", index, "set"),
                format!(
                    "{name} sets {point}, and so does {other}; {plan} sets it, and an output has one fixture, \
                     whose kind and room decide what may be done with it. Remove one of the two \
                     （{name} 与 {other} 控制同一点 {point}，预案 {plan} 用到它：一路输出只能属于一个设施，请删去一个）"
                ),
            );
        }
    }
}
