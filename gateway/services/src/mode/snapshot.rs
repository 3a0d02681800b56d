//! What a preview saw that guards depend on, as one hash: an order can name it, and is refused when
//! it is another one by then.
//!
//! People, doors and the interlocks that watch both are left out: they come and go, and are proven in
//! the switch itself. So is whatever the plan itself moves.

use std::collections::BTreeSet;

use linli_domain::audit::{Hash, hex};
use linli_mode::{Action, Condition, Truth};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::service::ModeService;
use crate::error::ServiceError;
use linli_config::CheckedPlan;

/// The reading of what keeps people and lamps apart: it opens with the door and with whoever is there.
const INTERLOCK: &str = "interlock";

/// What one plan depends on.
fn facts(service: &ModeService, known: &CheckedPlan) -> Value {
    let (brief, now) = (&known.brief, Instant::now());
    let room = service.rooms.get(&brief.room);
    let mut relevant = BTreeSet::new();
    let mut own = BTreeSet::new();
    for job in &brief.steps {
        let conds = job.pre.iter().chain(match &job.action {
            Action::Actuate { compensate: Some((_, pre)), .. } => pre.as_slice(),
            _ => &[],
        });
        relevant.extend(conds.filter_map(|cond| match cond {
            Condition::Predicate(atom) => Some(*atom),
            _ => None,
        }));
        own.extend(job.touches.iter().copied());
    }
    let passing: BTreeSet<usize> = brief.occupied.iter().chain(&brief.opened).copied().collect();
    let is_of_people = |atom: usize| {
        let at = |atom: usize| brief.predicates.get(atom).map(|atom| (atom.fixture, atom.read));
        let fixture = at(atom)
            .and_then(|(fixture, read)| service.setup.facility.fixtures.get(fixture)?.reads.get(read));
        // The same contact, asked the other way round; or what is wired to it.
        passing.iter().any(|known| at(*known) == at(atom))
            || fixture.is_some_and(|read| read.name == INTERLOCK)
    };
    let kept = relevant.into_iter().filter(|atom| !own.contains(atom) && !is_of_people(*atom));
    let claims: Vec<String> = kept
        .filter_map(|atom| {
            let text = brief.predicates.get(atom)?.text(&service.setup.facility);
            let truth = match service.truth(brief, atom, now) {
                Truth::True => "true",
                Truth::False => "false",
                Truth::Unknown => "unknown",
            };
            Some(format!("{text}: {truth}"))
        })
        .collect();
    json!({
        "plan": brief.plan.key(), "hash": hex(&known.hash), "building": known.building,
        "stage": room.map(|room| room.stage(&service.setup)), "fire": room.map(|room| room.state.fire),
        "claims": claims,
    })
}

/// The snapshot of plans that one order names.
pub fn of(service: &ModeService, plans: &[&CheckedPlan]) -> (Hash, Vec<Value>) {
    let mut plans = plans.to_vec();
    plans.sort_by_key(|known| known.brief.plan.key());
    let facts: Vec<Value> = plans.into_iter().map(|known| facts(service, known)).collect();
    let text = serde_json::to_vec(&facts).expect("facts are JSON values");
    let mut hash = Hash::default();
    hash.copy_from_slice(digest(&SHA256, &text).as_ref());
    (hash, facts)
}

/// The same for people: names with commas between them.
pub fn shown(service: &ModeService, names: &str) -> Result<Value, ServiceError> {
    let find = |name: &str| {
        service.setup.plan(name).map(|known| &**known).ok_or_else(|| super::view::no_plan(service, name))
    };
    let plans = names.split(',').map(find).collect::<Result<Vec<&CheckedPlan>, ServiceError>>()?;
    let (hash, facts) = of(service, &plans);
    Ok(json!({"snapshot": hex(&hash), "facts": facts}))
}
