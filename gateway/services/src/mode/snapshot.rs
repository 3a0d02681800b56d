//! The state that a plan's guards depend on, as one hash. An order can name the hash of a preview, and
//! is refused when the state has changed since.
//!
//! Occupancy, doors and the interlocks on both are left out: they change all the time and are proven
//! during the switch. So is whatever the plan itself moves.

use std::collections::BTreeSet;

use linli_domain::audit::{Hash, hex};
use linli_mode::{Action, Condition, Truth};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::engine::Engine;
use crate::error::ServiceError;
use linli_config::CheckedPlan;

/// The reading of an interlock between people and lamps: it changes with doors and occupancy.
const INTERLOCK: &str = "interlock";

/// Returns what one plan depends on.
fn facts(engine: &Engine, plan: &CheckedPlan) -> Value {
    let (resolved, now) = (&plan.resolved, Instant::now());
    let room = engine.rooms.get(&resolved.room);
    let mut relevant = BTreeSet::new();
    let mut own = BTreeSet::new();
    for job in &resolved.steps {
        let conds = job.pre.iter().chain(match &job.action {
            Action::Actuate { compensate: Some((_, pre)), .. } => pre.as_slice(),
            _ => &[],
        });
        relevant.extend(conds.filter_map(|cond| match cond {
            Condition::Predicate(predicate) => Some(*predicate),
            _ => None,
        }));
        own.extend(job.touches.iter().copied());
    }
    let passing: BTreeSet<usize> = resolved.occupied.iter().chain(&resolved.opened).copied().collect();
    let is_of_people = |predicate: usize| {
        let at = |predicate: usize| {
            resolved.predicates.get(predicate).map(|predicate| (predicate.fixture, predicate.read))
        };
        let fixture = at(predicate)
            .and_then(|(fixture, read)| engine.setup.facility.fixtures.get(fixture)?.reads.get(read));
        // The same contact in another predicate, or an interlock wired to it.
        passing.iter().any(|other| at(*other) == at(predicate))
            || fixture.is_some_and(|read| read.name == INTERLOCK)
    };
    let hashed =
        relevant.into_iter().filter(|predicate| !own.contains(predicate) && !is_of_people(*predicate));
    let claims: Vec<String> = hashed
        .filter_map(|predicate| {
            let text = resolved.predicates.get(predicate)?.text(&engine.setup.facility);
            let truth = match engine.truth(resolved, predicate, now) {
                Truth::True => "true",
                Truth::False => "false",
                Truth::Unknown => "unknown",
            };
            Some(format!("{text}: {truth}"))
        })
        .collect();
    json!({
        "plan": resolved.plan.key(), "hash": hex(&plan.hash), "building": plan.building,
        "stage": room.map(|room| room.stage(&engine.setup)), "fire": room.map(|room| room.state.fire),
        "claims": claims,
    })
}

/// Returns the hash of the plans that one order names, and what was hashed.
pub fn of(engine: &Engine, plans: &[&CheckedPlan]) -> (Hash, Vec<Value>) {
    let mut plans = plans.to_vec();
    plans.sort_by_key(|plan| plan.resolved.plan.key());
    let facts: Vec<Value> = plans.into_iter().map(|plan| facts(engine, plan)).collect();
    let text = serde_json::to_vec(&facts).expect("facts are JSON values");
    let mut hash = Hash::default();
    hash.copy_from_slice(digest(&SHA256, &text).as_ref());
    (hash, facts)
}

/// Returns the hash and the facts as JSON; `names` are separated by commas.
pub fn view(engine: &Engine, names: &str) -> Result<Value, ServiceError> {
    let find = |name: &str| {
        engine.setup.plan(name).map(|plan| &**plan).ok_or_else(|| engine.setup.unknown_plan(name))
    };
    let plans = names.split(',').map(find).collect::<Result<Vec<&CheckedPlan>, ServiceError>>()?;
    let (hash, facts) = of(engine, &plans);
    Ok(json!({"snapshot": hex(&hash), "facts": facts}))
}
