//! The model check of the function that ships: with all laws kept nothing is ever violated and a
//! settled state stays reachable; with any one of them broken something is violated.
//!
//! `LINLI_MODEL_FAULTS=2 LINLI_MODEL_DEEDS=1 cargo test -p linli-domain --test mode model::with`
//! looks further than the test does by itself.

use linli_domain::mode::{Law, Laws, Phase, Plan};

use super::building::{back, brief, enter, enter_alone, facility};
use super::explore::{Found, explore};
use super::world::{Rules, Wire, World};

/// States at most; more would mean that the model grew beyond what a test should take.
const MOST: usize = 60_000_000;

/// What has to go wrong, and how often a person has to decide otherwise, for the lack of a law to
/// show. The laws about evidence back each other up: one of them shows only when the other is
/// broken too, with one person who searches the room.
const SHOWS: [(Law, &[Law], u8, u8); 28] = [
    (Law::Evidences, &[], 1, 0),
    (Law::UnknownIsNotVacant, &[Law::SweepIsVoided], 1, 0),
    (Law::SweepIsVoided, &[], 1, 0),
    (Law::Rewalk, &[], 2, 0),
    (Law::FireHolds, &[], 1, 0),
    (Law::HoldStays, &[], 1, 0),
    (Law::ResumeWithoutFire, &[], 1, 0),
    (Law::ReadBack, &[], 1, 0),
    (Law::FreshEvidence, &[], 1, 0),
    (Law::UnknownIsNotVerified, &[], 1, 0),
    (Law::DrillIsSimulated, &[], 0, 0),
    (Law::Unbroken, &[], 1, 0),
    (Law::GuardBefore, &[], 1, 0),
    (Law::GuardDuring, &[], 0, 0),
    (Law::PulseOnce, &[], 1, 0),
    (Law::SecondPerson, &[], 0, 0),
    (Law::Count, &[], 0, 0),
    (Law::Role, &[], 0, 0),
    (Law::GapIsTold, &[], 0, 0),
    (Law::SafeOnHold, &[], 0, 0),
    (Law::OffIsProven, &[], 1, 0),
    (Law::Drift, &[], 1, 0),
    (Law::ProveAgain, &[], 1, 0),
    (Law::CompensateGuarded, &[], 1, 0),
    (Law::NotWaivable, &[], 0, 1),
    (Law::StopAlways, &[], 0, 0),
    (Law::Order, &[], 0, 0),
    (Law::LooseEndsAreSafe, &[], 0, 1),
];

fn check(plan: Plan, broken: &[Law], wires_cut: &[Wire], faults: u8, deeds: u8) -> Found {
    let (enter, back, facility) = (brief(plan), brief(back()), facility());
    let laws = Laws::without(broken);
    let has_time = false;
    let rules =
        Rules { laws, wires_cut, enter: &enter, back: &back, facility: &facility, faults, deeds, has_time };
    let is_settled = |world: &World| !world.fire && matches!(world.phase(), Phase::Peace | Phase::Ready);
    explore(&rules, MOST, is_settled)
}

fn whole(plan: Plan, faults: u8, deeds: u8) {
    let found = check(plan, &[], &[], faults, deeds);
    assert!(found.violated.is_none(), "{:?}", found.violated);
    assert_eq!(found.stuck, 0, "{} of {} states can no longer settle", found.stuck, found.states);
    let [actual, drill, held] = found.seen;
    assert!(actual > 0 && drill > 0 && held > 0, "the model reaches nothing");
    println!(
        "{faults} faults, {deeds} deeds: {} states, {} moves, no violation, all can settle; \
         ready {actual}, drilled {drill}, held {held}",
        found.states, found.moves
    );
}

#[test]
fn with_all_laws_kept_nothing_is_violated() {
    let number = |name: &str| std::env::var(name).ok().and_then(|n| n.parse().ok());
    let (faults, deeds) = (number("LINLI_MODEL_FAULTS"), number("LINLI_MODEL_DEEDS"));
    whole(enter(), faults.unwrap_or(0), deeds.unwrap_or(0));
    if faults.is_none() {
        whole(enter(), 1, 0);
    }
}

#[test]
fn every_law_is_good_for_something() {
    let mut useless = Vec::new();
    for law in Law::ALL {
        let shows = SHOWS.iter().find(|(of, ..)| *of == law);
        let (_, with, faults, deeds) = shows.unwrap_or_else(|| panic!("{law:?} stands nowhere in the table"));
        let broken: Vec<Law> = [law].into_iter().chain(with.iter().copied()).collect();
        let plan = if with.is_empty() { enter() } else { enter_alone() };
        let found = check(plan, &broken, &[], *faults, *deeds);
        match found.violated {
            Some((what, way)) => {
                println!("{broken:?}: {what}, {} moves, {} states: {way:?}", way.len(), found.states);
            }
            None => useless.push(broken),
        }
    }
    assert!(useless.is_empty(), "nothing is violated without {useless:?}");
}

#[test]
fn no_wire_can_be_spared() {
    for wire in [Wire::Lamps, Wire::Fire, Wire::Lease] {
        let found = check(enter(), &[], &[wire], 1, 0);
        let Some((what, way)) = found.violated else { panic!("nothing is violated without {wire:?}") };
        println!("{wire:?}: {what}, {} moves: {way:?}", way.len());
    }
}
