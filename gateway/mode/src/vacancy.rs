//! Rules about the evidence that a room is vacant: its sensors, its doors, and the search by people.

use std::collections::BTreeSet;

use super::plan_rule::PlanRule;
use super::predicate::plain;
use super::resolved_plan::{Action, Condition, Fault, ResolvedPlan, ResolvedStep};
use crate::facility::{Facility, Fixture, Kind, Read, ReadSource};
use linli_domain::Id;

/// Checks a plan with steps that need a vacant room.
pub(super) fn check(resolved: &ResolvedPlan, facility: &Facility, faults: &mut Vec<Fault>) {
    let is_needed =
        |step: &&ResolvedStep| step.pre.iter().any(|condition| matches!(condition, Condition::Vacant(_)));
    if resolved.steps.iter().find(is_needed).is_none() {
        return;
    }
    let mut fault = |rule, message: String| faults.push(Fault { step: None, key: "room", rule, message });
    let sensors: Vec<(&Fixture, &Read)> = facility
        .fixtures
        .iter()
        .filter(|fixture| fixture.room == resolved.room && fixture.kind == Kind::Occupancy)
        .filter_map(|fixture| Some((fixture, fixture.reads.iter().find(|read| read.name == "occupied")?)))
        .collect();
    let (able, unable): (Vec<_>, Vec<_>) = sensors.into_iter().partition(|(_, read)| speaks(read));
    for (fixture, _) in unable {
        let message = format!(
            "{}.occupied cannot say both \"somebody\" and \"nobody\": it needs a point, and words, if any, for \
             true and for false",
            fixture.id
        );
        fault(PlanRule::OccupancySpeaks, message);
    }
    let mut devices: BTreeSet<&Id> = BTreeSet::new();
    for (fixture, read) in able {
        let ReadSource::Point(source) = &read.from else { continue };
        if !devices.insert(&source.device) {
            let message = format!(
                "{} reads the device {} like another occupancy sensor of the room: name one of them only",
                fixture.id, source.device
            );
            fault(PlanRule::VacancyIndependent, message);
        }
    }
    doors(resolved, facility, &mut fault);
    for (step, resolved_step) in resolved.steps.iter().enumerate() {
        if is_lit(resolved_step, facility) && !is_proven(resolved, resolved_step, devices.len()) {
            let message = "who could be there? needs an occupancy sensor, and another one on another device or a \
                           search before it (sweep = true) that grows old, such as void_on = [..., \"15m\"]";
            let (key, rule) = ("pre", PlanRule::LampsVacancy);
            faults.push(Fault { step: Some(step), key, rule, message: message.to_owned() });
        }
    }
}

/// Every way into the room needs a contact that says when it is closed.
fn doors(resolved: &ResolvedPlan, facility: &Facility, fault: &mut impl FnMut(PlanRule, String)) {
    for (index, opening) in facility.openings.iter().enumerate() {
        if !opening.leads_in(resolved.room) {
            continue;
        }
        let at_it = facility.fixtures.iter().filter(|fixture| fixture.opening == Some(index));
        let is_watched = at_it.flat_map(|fixture| &fixture.reads).any(|read| {
            read.name == "contact"
                && matches!(read.from, ReadSource::Point(_))
                && read.words.iter().any(|(word, _)| word == "closed")
        });
        if !is_watched {
            let message = format!(
                "{} leads in and has no door contact: a fixture with opening = {:?} and a reading \"contact\" with \
                 the word closed",
                opening.id,
                opening.id.as_str()
            );
            fault(PlanRule::DoorsWatched, message);
        }
    }
}

/// Whether a reading can say that somebody is there, and that nobody is.
fn speaks(read: &Read) -> bool {
    let is_true = |(word, _): &(String, _)| plain(word) == "true";
    matches!(read.from, ReadSource::Point(_))
        && (read.words.is_empty() || (read.words.iter().any(is_true) && !read.words.iter().all(is_true)))
}

fn is_lit(step: &ResolvedStep, facility: &Facility) -> bool {
    let is_lamp = |fixture: usize| facility.fixtures[fixture].kind == Kind::Uv;
    step.action.all_settings().any(|setting| is_lamp(setting.fixture))
}

/// Whether a sensor and something else prove the room vacant before the step.
fn is_proven(resolved: &ResolvedPlan, step: &ResolvedStep, sensors: usize) -> bool {
    let is_fresh_sweep = |before: &usize| {
        matches!(&resolved.steps[*before].action,
            Action::Human { is_sweep: true, void_on, .. } if void_on.after.is_some())
    };
    let searches = usize::from(step.before.iter().any(is_fresh_sweep));
    sensors >= 1 && sensors + searches >= 2
}
