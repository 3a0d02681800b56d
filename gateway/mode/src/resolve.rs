//! Resolves a plan against a building: looks up every name, then checks the whole plan.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::Plan;
use super::plan_resolver::PlanResolver;
use super::plan_rule::PlanRule;
use super::resolved_plan::{Action, Fault, ResolvedPlan, ResolvedStep, Safe, Setting};
use super::{check, exits, path};
use crate::facility::Facility;

// === impl ResolvedPlan ===

impl ResolvedPlan {
    /// Resolves a plan against a building. Returns all faults at once.
    pub fn new(plan: Plan, facility: &Facility) -> Result<Self, Vec<Fault>> {
        let Some(room) = facility.room(plan.room.as_str()) else {
            let known: Vec<&str> = facility.rooms.iter().map(|room| room.id.as_str()).collect();
            let message =
                format!("there is no room {:?}; rooms are: {}", plan.room.as_str(), known.join(", "));
            return Err(vec![Fault { step: None, key: "room", rule: PlanRule::NamesKnown, message }]);
        };
        let mut resolver = PlanResolver::new(facility, &plan, room);
        let steps: Vec<Option<ResolvedStep>> =
            (0..plan.steps.len()).map(|index| resolver.resolve_step(index)).collect();
        let occupied = resolver.occupied();
        let opened = resolver.opened();
        let ways_out = exits::ways_out(&mut resolver);
        let safe = resolver.safe();
        let PlanResolver { predicates, mut faults, .. } = resolver;
        if !faults.is_empty() {
            return Err(faults);
        }
        let mut steps: Vec<ResolvedStep> = steps.into_iter().flatten().collect();
        check::order(&mut steps);
        check::supersede(&mut steps);
        path::add_travel_time(&mut steps, facility.travel_time(room));
        let mut safe = safe;
        touch(&mut steps, &mut safe);
        let contents = facility.rooms[room].contents.clone();
        let resolved = Self { plan, room, predicates, steps, occupied, opened, ways_out, safe, contents };
        check::check(&resolved, facility, &mut faults);
        if faults.is_empty() { Ok(resolved) } else { Err(faults) }
    }
}

/// Finds the predicates about the outputs of each step and safe state.
fn touch(steps: &mut [ResolvedStep], safe: &mut [Safe]) {
    let output = |set: &Setting| (set.fixture, set.output);
    let mut about: BTreeMap<(usize, usize), BTreeSet<usize>> = BTreeMap::new();
    for resolved_step in steps.iter() {
        let (Action::Actuate { sets, verify, .. } | Action::Process { sets, verify, .. }) =
            &resolved_step.action
        else {
            continue;
        };
        for set in sets {
            about.entry(output(set)).or_default().extend(verify);
        }
    }
    for safe in safe.iter() {
        about.entry(output(&safe.setting)).or_default().extend(safe.proof);
    }
    let claims = |sets: &[Setting]| -> Vec<usize> {
        let all = sets.iter().filter_map(|set| about.get(&output(set))).flatten().copied();
        all.collect::<BTreeSet<usize>>().into_iter().collect()
    };
    for resolved_step in steps {
        resolved_step.touches = match &resolved_step.action {
            Action::Actuate { sets, .. } | Action::Process { sets, .. } => claims(sets),
            Action::Verify { verify, .. } => verify.clone(),
            Action::Human { .. } => Vec::new(),
        };
    }
    for safe in safe {
        safe.touches = claims(std::slice::from_ref(&safe.setting));
    }
}
