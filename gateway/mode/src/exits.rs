//! Exits. No plan can remove one; this module proves that.

use std::collections::BTreeSet;

use super::expression::{Literal, Op};
use super::plan_resolver::PlanResolver;
use super::plan_rule::PlanRule;
use super::predicate::{Claim, Predicate};
use super::resolved_plan::{Action, Fault, ResolvedPlan};
use crate::facility::{Facility, Fixture};

/// Most steps of one plan that move doors: every order of them is examined.
const MOST: usize = 12;

/// Returns the exits of a room: per exit, the predicates that must hold.
pub(super) fn ways_out(resolver: &mut PlanResolver<'_>) -> Vec<Vec<usize>> {
    let (facility, room) = (resolver.facility, resolver.room);
    let mut ways = Vec::new();
    for (index, _) in facility.openings.iter().enumerate().filter(|(_, opening)| opening.leads_out(room)) {
        let mut needed = Vec::new();
        for (position, fixture) in doors(facility, index) {
            let read = |name: &str| fixture.reads.iter().position(|read| read.name == name);
            if let Some(read) = read("egress") {
                let claim = Claim::Is(Op::Equal, Literal::Word("free".to_owned()));
                needed.push(resolver.keep(Predicate { fixture: position, read, claim }));
            }
            let is_behind = facility.openings[index].room != room;
            for output in &fixture.sets {
                let Some(read) = read(&output.name) else { continue };
                // Whoever stands behind a door that is secured does not get out through it.
                let secured = output.secures.iter().filter(|_| is_behind);
                for word in output.entry_only.iter().chain(secured) {
                    let claim = Claim::Is(Op::Unequal, Literal::Word(word.clone()));
                    needed.push(resolver.keep(Predicate { fixture: position, read, claim }));
                }
            }
        }
        ways.push(needed);
    }
    ways
}

fn doors(facility: &Facility, opening: usize) -> impl Iterator<Item = (usize, &Fixture)> {
    facility.fixtures.iter().enumerate().filter(move |(_, fixture)| fixture.opening == Some(opening))
}

/// A way through an opening: the opening, and the room that it is left from.
type Passage = (usize, usize);

/// Returns the rooms without an exit even in normal operation.
pub fn closed_rooms(facility: &Facility) -> Vec<usize> {
    (0..facility.rooms.len()).filter(|room| !reaches_air(facility, *room, &BTreeSet::new())).collect()
}

/// Returns whether the outside is reached without these passages.
fn reaches_air(facility: &Facility, room: usize, shut: &BTreeSet<Passage>) -> bool {
    let (mut seen, mut front) = (BTreeSet::from([room]), vec![room]);
    while let Some(room) = front.pop() {
        for (index, opening) in facility.openings.iter().enumerate() {
            if shut.contains(&(index, room)) || !opening.leads_out(room) {
                continue;
            }
            let behind = if opening.room == room { opening.to } else { Some(opening.room) };
            match behind {
                None => return true,
                Some(next) if seen.insert(next) => front.push(next),
                Some(_) => {}
            }
        }
    }
    false
}

/// Returns the passages that a step removes from the exits, and those it restores. A word that prevents entry
/// takes the way out of the room behind the door; a word that takes the exit counts for both sides.
fn moved(
    resolved: &ResolvedPlan,
    facility: &Facility,
    step: usize,
) -> (BTreeSet<Passage>, BTreeSet<Passage>) {
    let (mut shut, mut opened) = (BTreeSet::new(), BTreeSet::new());
    let (Action::Actuate { sets, .. } | Action::Process { sets, .. }) = &resolved.steps[step].action else {
        return (shut, opened);
    };
    for set in sets {
        let fixture = &facility.fixtures[set.fixture];
        let (Some(index), Literal::Word(word)) = (fixture.opening, &set.word) else { continue };
        let (output, opening) = (&fixture.sets[set.output], &facility.openings[index]);
        let (own, behind) = ((index, opening.room), opening.to.map(|room| (index, room)));
        if output.entry_only.contains(word) {
            shut.insert(own);
            shut.extend(behind);
        } else if output.secures.contains(word) {
            shut.extend(behind);
            opened.insert(own);
        } else if !(output.entry_only.is_empty() && output.secures.is_empty()) {
            opened.insert(own);
            opened.extend(behind);
        }
    }
    (shut, opened)
}

/// Returns the passages that a plan closes at any time.
fn ever_shut(resolved: &ResolvedPlan, facility: &Facility) -> BTreeSet<Passage> {
    (0..resolved.steps.len()).flat_map(|step| moved(resolved, facility, step).0).collect()
}

/// Proves that every room keeps an exit whatever part of a plan is done, in whatever order, while the
/// other plans have closed every opening that they ever close.
pub fn check(resolved: &ResolvedPlan, others: &[&ResolvedPlan], facility: &Facility) -> Vec<Fault> {
    let elsewhere: BTreeSet<Passage> = others
        .iter()
        .filter(|other| other.room != resolved.room)
        .flat_map(|other| ever_shut(other, facility))
        .collect();
    let closed = ever_shut(resolved, facility);
    let doors: Vec<usize> = (0..resolved.steps.len())
        .filter(|step| {
            let (shut, opened) = moved(resolved, facility, *step);
            !shut.is_empty() || !opened.is_disjoint(&closed)
        })
        .collect();
    if doors.len() > MOST {
        let message = format!("{} steps move doors, at most {MOST} can be looked through", doors.len());
        return vec![Fault { step: None, key: "step", rule: PlanRule::ExitRemains, message }];
    }
    let before = |earlier: usize, later: usize| precedes(resolved, earlier, later);
    for chosen in 0..1_u32 << doors.len() {
        let done: Vec<usize> =
            (0..doors.len()).filter(|bit| chosen >> bit & 1 == 1).map(|bit| doors[bit]).collect();
        let is_possible =
            doors.iter().all(|door| done.contains(door) || !done.iter().any(|done| before(*door, *done)));
        if !is_possible {
            continue;
        }
        let mut shut = elsewhere.clone();
        for step in &done {
            // A later step may have restored it; a step without a fixed order may not.
            for opening in moved(resolved, facility, *step).0 {
                let given_back = done.iter().any(|later| {
                    before(*step, *later) && moved(resolved, facility, *later).1.contains(&opening)
                });
                if !given_back {
                    shut.insert(opening);
                }
            }
        }
        let locked = (0..facility.rooms.len()).find(|room| {
            reaches_air(facility, *room, &BTreeSet::new()) && !reaches_air(facility, *room, &shut)
        });
        if let Some(room) = locked {
            let steps: Vec<&str> = done.iter().map(|step| resolved.steps[*step].id.as_str()).collect();
            let message = format!(
                "after {} nobody gets out of {} any more: every room keeps a free exit at every moment",
                steps.join(" and "),
                facility.rooms[room].id,
            );
            return vec![Fault {
                step: done.last().copied(),
                key: "set",
                rule: PlanRule::ExitRemains,
                message,
            }];
        }
    }
    Vec::new()
}

/// Returns whether one step is always settled before another begins.
pub(super) fn precedes(resolved: &ResolvedPlan, earlier: usize, later: usize) -> bool {
    resolved.steps[later].before.contains(&earlier)
}
