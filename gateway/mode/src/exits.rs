//! Exits. No plan can remove one; this module proves that.

use std::collections::BTreeSet;

use super::expression::{Literal, Op};
use super::plan_resolver::PlanResolver;
use super::predicate::{Claim, Predicate};
use super::resolved_plan::{Action, Fault, ResolvedPlan};
use crate::facility::{Facility, Fixture, Opening, Way};

/// Most steps of one plan that move doors: every order of them is examined.
const MOST: usize = 12;

/// Returns the exits of a room: per exit, the predicates that must hold.
pub(super) fn ways_out(resolver: &mut PlanResolver<'_>) -> Vec<Vec<usize>> {
    let (facility, room) = (resolver.facility, resolver.room);
    let mut ways = Vec::new();
    for (index, _) in facility.openings.iter().enumerate().filter(|(_, o)| leads_out(o, room)) {
        let mut needed = Vec::new();
        for (position, fixture) in doors(facility, index) {
            let read = |name: &str| fixture.reads.iter().position(|read| read.name == name);
            if let Some(read) = read("egress") {
                let claim = Claim::Is(Op::Equal, Literal::Word("free".to_owned()));
                needed.push(resolver.keep(Predicate { fixture: position, read, claim }));
            }
            for output in &fixture.sets {
                let Some(read) = read(&output.name) else { continue };
                for word in &output.entry_only {
                    let claim = Claim::Is(Op::Unequal, Literal::Word(word.clone()));
                    needed.push(resolver.keep(Predicate { fixture: position, read, claim }));
                }
            }
        }
        ways.push(needed);
    }
    ways
}

/// Returns whether somebody in the room may leave through it.
fn leads_out(opening: &Opening, room: usize) -> bool {
    let from_own = opening.room == room && opening.way != Way::Entry;
    let from_behind = opening.to == Some(room) && matches!(opening.way, Way::Entry | Way::Both);
    from_own || from_behind
}

fn doors(facility: &Facility, opening: usize) -> impl Iterator<Item = (usize, &Fixture)> {
    facility.fixtures.iter().enumerate().filter(move |(_, fixture)| fixture.opening == Some(opening))
}

/// Returns the rooms without an exit even in normal operation.
pub fn closed_rooms(facility: &Facility) -> Vec<usize> {
    (0..facility.rooms.len()).filter(|room| !reaches_air(facility, *room, &BTreeSet::new())).collect()
}

/// Returns whether the outside is reached without these openings.
fn reaches_air(facility: &Facility, room: usize, shut: &BTreeSet<usize>) -> bool {
    let (mut seen, mut front) = (BTreeSet::from([room]), vec![room]);
    while let Some(room) = front.pop() {
        for (index, opening) in facility.openings.iter().enumerate() {
            if shut.contains(&index) || !leads_out(opening, room) {
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

/// Returns the openings that a step removes from the exits, and those it restores.
fn moved(resolved: &ResolvedPlan, facility: &Facility, step: usize) -> (BTreeSet<usize>, BTreeSet<usize>) {
    let (mut shut, mut opened) = (BTreeSet::new(), BTreeSet::new());
    let Action::Actuate { sets, .. } = &resolved.steps[step].action else { return (shut, opened) };
    for set in sets {
        let fixture = &facility.fixtures[set.fixture];
        let (Some(opening), Literal::Word(word)) = (fixture.opening, &set.word) else { continue };
        let output = &fixture.sets[set.output];
        if output.entry_only.contains(word) {
            shut.insert(opening);
        } else if !output.entry_only.is_empty() {
            opened.insert(opening);
        }
    }
    (shut, opened)
}

/// Returns the openings that a plan closes at any time.
fn ever_shut(resolved: &ResolvedPlan, facility: &Facility) -> BTreeSet<usize> {
    (0..resolved.steps.len()).flat_map(|step| moved(resolved, facility, step).0).collect()
}

/// Proves that every room keeps an exit whatever part of a plan is done, in whatever order, while the
/// other plans have closed every opening that they ever close.
pub fn check(resolved: &ResolvedPlan, others: &[&ResolvedPlan], facility: &Facility) -> Vec<Fault> {
    let elsewhere: BTreeSet<usize> = others
        .iter()
        .filter(|other| other.room != resolved.room)
        .flat_map(|other| ever_shut(other, facility))
        .collect();
    let doors: Vec<usize> = (0..resolved.steps.len())
        .filter(|step| {
            let (shut, opened) = moved(resolved, facility, *step);
            !shut.is_empty() || !opened.is_empty()
        })
        .collect();
    if doors.len() > MOST {
        let message = format!("{} steps move doors, at most {MOST} can be looked through", doors.len());
        return vec![Fault { step: None, key: "step", message }];
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
            return vec![Fault { step: done.last().copied(), key: "set", message }];
        }
    }
    Vec::new()
}

/// Returns whether one step is always settled before another begins.
pub(super) fn precedes(resolved: &ResolvedPlan, earlier: usize, later: usize) -> bool {
    resolved.steps[later].before.contains(&earlier)
}
