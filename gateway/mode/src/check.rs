//! Checks a plan for hazards, contradictions and impossible steps. A plan that fails here is never
//! loaded.

use super::exits::precedes;
use super::path;
use super::plan::Direction;
use super::plan_rule::PlanRule;
use super::resolved_plan::{Action, Fault, ResolvedPlan, ResolvedStep};
use super::{hazards, vacancy};
use crate::facility::Facility;

/// Finds everything that stands before each step.
pub(super) fn order(steps: &mut [ResolvedStep]) {
    let after: Vec<Vec<usize>> = steps.iter().map(|resolved_step| resolved_step.after.clone()).collect();
    for (step, resolved_step) in steps.iter_mut().enumerate() {
        let (mut seen, mut front) = (std::collections::BTreeSet::new(), after[step].clone());
        while let Some(before) = front.pop() {
            if seen.insert(before) {
                front.extend(&after[before]);
            }
        }
        resolved_step.before = seen.into_iter().collect();
    }
}

/// Marks steps whose setting a later step changes.
pub(super) fn supersede(steps: &mut [ResolvedStep]) {
    let outputs = |resolved_step: &ResolvedStep| -> Vec<(usize, usize)> {
        match &resolved_step.action {
            Action::Actuate { sets, .. } | Action::Process { sets, .. } => {
                sets.iter().map(|set| (set.fixture, set.output)).collect()
            }
            _ => Vec::new(),
        }
    };
    let all: Vec<Vec<(usize, usize)>> = steps.iter().map(outputs).collect();
    let superseded: Vec<bool> = (0..steps.len())
        .map(|step| {
            (0..steps.len()).any(|later| {
                steps[later].before.contains(&step)
                    && later != step
                    && all[step].iter().any(|output| all[later].contains(output))
            })
        })
        .collect();
    for (resolved_step, later) in steps.iter_mut().zip(superseded) {
        if let Action::Actuate { is_superseded, .. } = &mut resolved_step.action {
            *is_superseded = later;
        }
    }
}

/// Checks a plan by itself, without the other plans.
pub(super) fn check(resolved: &ResolvedPlan, facility: &Facility, faults: &mut Vec<Fault>) {
    whole(resolved, facility, faults);
    let before = faults.len();
    cycles(resolved, faults);
    if faults.len() > before {
        return;
    }
    for (step, resolved_step) in resolved.steps.iter().enumerate() {
        let mut fault = |rule: PlanRule, key: &'static str, message: String| {
            faults.push(Fault { step: Some(step), key, rule, message });
        };
        hazards::check(resolved, facility, step, &mut fault);
        people(resolved, facility, step, resolved_step, &mut fault);
    }
    conflicts(resolved, faults);
    hazards::safe_states(resolved, facility, faults);
    vacancy::check(resolved, facility, faults);
    let forecast = path::forecast(resolved);
    if forecast.at_most > resolved.plan.ready_within {
        let (needed, given) = (forecast.at_most.as_secs() / 60, resolved.plan.ready_within.as_secs() / 60);
        let way: Vec<&str> = forecast.critical.iter().map(|step| resolved.steps[*step].id.as_str()).collect();
        let message = format!("{given} min cannot be kept: {} take up to {needed} min", way.join(", "));
        faults.push(Fault { step: None, key: "ready_within", rule: PlanRule::TimeKept, message });
    }
}

fn whole(resolved: &ResolvedPlan, facility: &Facility, faults: &mut Vec<Fault>) {
    let mut fault = |rule: PlanRule, key: &'static str, message: &str| {
        faults.push(Fault { step: None, key, rule, message: message.to_owned() });
    };
    let (plan, room) = (&resolved.plan, &facility.rooms[resolved.room]);
    if resolved.steps.is_empty() {
        fault(PlanRule::HasSteps, "step", "there is no [[step]]");
    }
    if plan.version == 0 {
        fault(PlanRule::VersionCounts, "version", "versions count from 1");
    }
    if plan.direction == Direction::Enter && plan.return_plan.is_none() {
        fault(PlanRule::WayBack, "return_plan", "is missing: whoever goes in must know the way back");
    }
    if room.fire_zone.is_none() {
        fault(
            PlanRule::FireZone,
            "room",
            "the room has no fire_zone in facility.toml: nothing would be known of a fire",
        );
    }
    if plan.direction == Direction::Enter && !room.emergency_roles.contains(&plan.role) {
        let known = room.emergency_roles.join(", ");
        let message = format!("the room cannot become {:?}; its emergency_roles are: {known}", plan.role);
        fault(PlanRule::RoleOfRoom, "role", &message);
    }
    if !facility.people.iter().any(|person| person.roles.contains(&plan.lead)) {
        fault(
            PlanRule::EnoughPeople,
            "lead",
            &format!("nobody in facility.toml has the role {:?}", plan.lead),
        );
    }
    let accepts = |resolved_step: &ResolvedStep| matches!(&resolved_step.action, Action::Human { not_same_as, .. } if !not_same_as.is_empty());
    let last = resolved.steps.iter().enumerate().any(|(step, resolved_step)| {
        accepts(resolved_step)
            && (0..resolved.steps.len()).all(|other| other == step || precedes(resolved, other, step))
    });
    if !last && !resolved.steps.is_empty() {
        fault(
            PlanRule::AcceptedByAnother,
            "step",
            "there is no last step in which somebody else looks at it: kind = \"human\", after = [\"*\"], not_same_as = [...]",
        );
    }
}

fn cycles(resolved: &ResolvedPlan, faults: &mut Vec<Fault>) {
    let ring = (0..resolved.steps.len()).find(|step| precedes(resolved, *step, *step));
    if let Some(step) = ring {
        let message = format!("{} waits for itself: the steps stand in a ring", resolved.steps[step].id);
        faults.push(Fault { step: Some(step), key: "after", rule: PlanRule::NoRing, message });
    }
}

fn people(
    resolved: &ResolvedPlan,
    facility: &Facility,
    step: usize,
    resolved_step: &ResolvedStep,
    fault: &mut impl FnMut(PlanRule, &'static str, String),
) {
    for (role, after) in &resolved_step.escalate {
        if role != "district" && !facility.people.iter().any(|person| person.roles.contains(role)) {
            fault(
                PlanRule::EnoughPeople,
                "escalate",
                format!("nobody in facility.toml has the role {role:?}"),
            );
        }
        if after > &resolved_step.deadline {
            fault(PlanRule::DeadlineKept, "escalate", format!("{role} would hear of it after the deadline"));
        }
    }
    let Action::Human { role, count, not_same_as, void_on, is_sweep, .. } = &resolved_step.action else {
        return;
    };
    let of =
        |role: &str| facility.people.iter().filter(|person| person.roles.iter().any(|r| r == role)).count();
    if *count == 0 {
        fault(PlanRule::EnoughPeople, "count", "at least one person does it".to_owned());
    }
    if of(role) < *count {
        let message =
            format!("{count} people with the role {role:?} are needed, facility.toml has {}", of(role));
        fault(PlanRule::EnoughPeople, "role", message);
        return;
    }
    for other in not_same_as {
        if let Action::Human { role: other_role, count: others, .. } = &resolved.steps[*other].action {
            let either = facility
                .people
                .iter()
                .filter(|person| person.roles.iter().any(|r| r == role || r == other_role))
                .count();
            if either < count + others {
                let message = format!(
                    "{} and {} need {} different people, facility.toml has {either}",
                    resolved.steps[*other].id,
                    resolved.steps[step].id,
                    count + others
                );
                fault(PlanRule::DifferentPeople, "not_same_as", message);
            }
        } else {
            fault(
                PlanRule::DifferentPeople,
                "not_same_as",
                format!("{} is not done by people", resolved.steps[*other].id),
            );
        }
    }
    if *is_sweep && !(void_on.presence && void_on.door_opened) {
        fault(PlanRule::SweepVoidable, "void_on", "a sweep is worth nothing once somebody was seen or a door opened: needs \"presence\" and \"door_opened\"".to_owned());
    }
    if resolved_step.deadline.is_zero() {
        fault(
            PlanRule::DeadlineKept,
            "deadline",
            "is missing: nobody would notice that nobody came".to_owned(),
        );
    }
}

/// Two steps that set one output to different values need a fixed order.
fn conflicts(resolved: &ResolvedPlan, faults: &mut Vec<Fault>) {
    let sets = |step: usize| match &resolved.steps[step].action {
        Action::Actuate { sets, .. } | Action::Process { sets, .. } => sets.as_slice(),
        _ => &[],
    };
    for step in 0..resolved.steps.len() {
        for other in 0..step {
            let clash = sets(step).iter().any(|a| {
                sets(other)
                    .iter()
                    .any(|b| (a.fixture, a.output) == (b.fixture, b.output) && a.value != b.value)
            });
            if clash && !precedes(resolved, step, other) && !precedes(resolved, other, step) {
                let message = format!(
                    "sets the same as {} to something else, and neither waits for the other",
                    resolved.steps[other].id
                );
                faults.push(Fault { step: Some(step), key: "after", rule: PlanRule::FixedOrder, message });
            }
        }
    }
}
