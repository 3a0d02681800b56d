//! The duration of a plan: the critical path through its steps.

use std::time::Duration;

use super::resolved_plan::{Action, ResolvedPlan, ResolvedStep};

/// The forecast of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    /// Duration if every step takes all of its time.
    pub at_most: Duration,
    /// The steps on the critical path, in order.
    pub critical: Vec<usize>,
    /// Latest end per step.
    pub ends: Vec<Duration>,
}

/// Calculates the latest end of a plan. Its steps must not form a cycle.
#[must_use]
pub fn forecast(resolved: &ResolvedPlan) -> Forecast {
    let mut ends = vec![None; resolved.steps.len()];
    for step in 0..resolved.steps.len() {
        end(resolved, step, &mut ends);
    }
    let ends: Vec<Duration> = ends.into_iter().map(Option::unwrap_or_default).collect();
    let mut critical = Vec::new();
    let mut at = (0..ends.len()).max_by_key(|step| (ends[*step], std::cmp::Reverse(*step)));
    let at_most = at.map(|step| ends[step]).unwrap_or_default() + resolved.plan.grace;
    while let Some(step) = at {
        critical.push(step);
        at = resolved.steps[step].after.iter().copied().max_by_key(|before| ends[*before]);
    }
    critical.reverse();
    Forecast { at_most, critical, ends }
}

fn end(resolved: &ResolvedPlan, step: usize, ends: &mut [Option<Duration>]) -> Duration {
    if let Some(known) = ends[step] {
        return known;
    }
    let begins = resolved.steps[step].after.iter().map(|before| end(resolved, *before, ends)).max();
    let ended = begins.unwrap_or_default() + span(&resolved.steps[step]);
    ends[step] = Some(ended);
    ended
}

/// Adds the travel time to the deadlines of people: the first step of a role at the room's site
/// includes it; later steps of the role do not.
pub(super) fn add_travel_time(steps: &mut [ResolvedStep], walk: Duration) {
    let role = |resolved_step: &ResolvedStep| match &resolved_step.action {
        Action::Human { role, .. } => Some(role.clone()),
        _ => None,
    };
    let roles: Vec<Option<String>> = steps.iter().map(role).collect();
    for (resolved_step, role) in steps.iter_mut().zip(&roles) {
        if role.is_none() || resolved_step.before.iter().any(|before| roles[*before] == *role) {
            continue;
        }
        resolved_step.deadline += walk;
        resolved_step.escalate.iter_mut().for_each(|(_, after)| *after += walk);
    }
}

/// How long a step takes at most, without tries that failed.
#[must_use]
pub fn span(resolved_step: &ResolvedStep) -> Duration {
    match &resolved_step.action {
        Action::Human { .. } => resolved_step.deadline,
        Action::Actuate { within, .. } | Action::Verify { within, .. } => *within,
        Action::Process { within, span, .. } => *within + *span + *within,
    }
}
