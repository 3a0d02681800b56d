//! The model check of the function that ships: with all safety rules kept nothing is ever violated and a
//! settled state stays reachable; with any one of them broken something is violated.
//!
//! `LINLI_MODEL_FAULTS=2 LINLI_MODEL_DEEDS=1 cargo test -p linli-mode --test mode model::with`
//! looks further than the test does by itself; with `LINLI_MODEL_MILLIONS=10` at the nearest 10 000 000 states.

use linli_mode::facility::Facility;
use linli_mode::{Phase, Plan, SafetyRule, SafetyRules};

use super::building::{
    back, enter, enter_alone, enter_on_and_off, facility, from_store, kitchen, resolved_in, store,
    with_plain_lamps,
};
use super::explore::{Found, System, explore};
use super::harm::violated;
use super::world::{Move, Rules, Wire, World};

/// States at most; more would mean that the model grew beyond what a test should take.
const MOST: usize = 60_000_000;

/// States that a test looks at when things go wrong: those that take the fewest moves.
const NEAREST: usize = 1_000_000;

/// The same where people decide otherwise as well.
const NEAREST_WITH_DEEDS: usize = 300_000;

/// What has to go wrong, and how often a person has to decide otherwise, for the lack of a safety rule to
/// show. The safety rules about evidence back each other up: one of them shows only when the other is
/// broken too, with one person who searches the room.
const SHOWS: [(SafetyRule, &[SafetyRule], u8, u8); 37] = [
    (SafetyRule::Evidences, &[], 1, 0),
    (SafetyRule::UnknownIsNotVacant, &[SafetyRule::SweepIsVoided], 1, 0),
    (SafetyRule::SweepIsVoided, &[], 1, 0),
    (SafetyRule::Rewalk, &[], 2, 0),
    (SafetyRule::FireHolds, &[], 1, 0),
    (SafetyRule::HoldStays, &[], 1, 0),
    (SafetyRule::ResumeWithoutFire, &[], 1, 0),
    (SafetyRule::ReadBack, &[], 1, 0),
    (SafetyRule::FreshEvidence, &[], 1, 0),
    (SafetyRule::UnknownIsNotVerified, &[], 1, 0),
    (SafetyRule::DrillIsSimulated, &[], 0, 0),
    (SafetyRule::Unbroken, &[], 1, 0),
    (SafetyRule::GuardBefore, &[], 1, 0),
    (SafetyRule::GuardDuring, &[], 0, 0),
    (SafetyRule::PulseOnce, &[], 1, 0),
    (SafetyRule::SecondPerson, &[], 0, 0),
    (SafetyRule::Count, &[], 0, 0),
    (SafetyRule::Role, &[], 0, 0),
    (SafetyRule::GapIsTold, &[], 0, 0),
    (SafetyRule::SafeOnHold, &[], 0, 0),
    (SafetyRule::OffIsProven, &[], 1, 0),
    (SafetyRule::Drift, &[], 1, 0),
    (SafetyRule::ProveAgain, &[], 1, 0),
    (SafetyRule::CompensateGuarded, &[], 1, 0),
    (SafetyRule::NotWaivable, &[], 0, 1),
    (SafetyRule::StopAlways, &[], 0, 0),
    (SafetyRule::Order, &[], 0, 0),
    (SafetyRule::LooseEndsAreSafe, &[], 0, 1),
    (SafetyRule::UnknownIsNotSafe, &[], 1, 0),
    (SafetyRule::Watched, &[], 1, 0),
    (SafetyRule::SafeFirst, &[], 0, 0),
    (SafetyRule::RestartReleases, &[], 1, 0),
    (SafetyRule::LeaseEnds, &[], 0, 0),
    (SafetyRule::FireInPreview, &[], 1, 0),
    (SafetyRule::SilenceIsNoEnd, &[], 2, 0),
    (SafetyRule::SilenceIsTold, &[], 1, 0),
    (SafetyRule::HoldOutranksOrders, &[], 0, 0),
];

/// The same for the rules that show in the kitchen, where there is food. What must be cleared first shows
/// only when steps do not wait for each other either.
const SHOWS_IN_KITCHEN: [(SafetyRule, &[SafetyRule], u8, u8); 4] = [
    (SafetyRule::WaiverEnds, &[], 2, 1),
    (SafetyRule::ReturnIsOwed, &[], 0, 1),
    (SafetyRule::PeaceIsWhole, &[], 0, 1),
    (SafetyRule::ClearedFirst, &[SafetyRule::Order], 0, 0),
];

impl System for Rules<'_> {
    type World = World;
    type Move = Move;

    fn start(&self) -> World {
        World::new()
    }

    fn moves(&self, world: &World) -> Vec<Move> {
        world.moves(self)
    }

    fn made(&self, world: &World, made: Move) -> Option<World> {
        world.made(self, made)
    }

    fn violated(&self, world: &World) -> Option<&'static str> {
        violated(self, world)
    }

    fn is_settled(&self, world: &World) -> bool {
        !world.fire && matches!(world.phase(), Phase::Peace | Phase::Ready)
    }

    fn seen(&self, world: &World) -> [bool; 3] {
        let is_ready = world.phase() == Phase::Ready;
        let is_drill = world.room.is_exercise();
        [is_ready && !is_drill, is_ready && is_drill, world.phase() == Phase::Held]
    }
}

fn check(plan: Plan, broken: &[SafetyRule], wires_cut: &[Wire], faults: u8, human_acts: u8) -> Found<Move> {
    check_in(facility(), (plan, back()), broken, wires_cut, faults, human_acts)
}

fn check_kitchen(broken: &[SafetyRule], faults: u8, human_acts: u8) -> Found<Move> {
    check_in(kitchen(), (store(), from_store()), broken, &[], faults, human_acts)
}

fn check_in(
    facility: Facility,
    (enter, back): (Plan, Plan),
    broken: &[SafetyRule],
    wires_cut: &[Wire],
    faults: u8,
    human_acts: u8,
) -> Found<Move> {
    let (enter, back) = (resolved_in(enter, &facility), resolved_in(back, &facility));
    let safety_rules = SafetyRules::without(broken);
    let has_time = false;
    let rules = Rules {
        safety_rules,
        wires_cut,
        enter: &enter,
        back: &back,
        facility: &facility,
        faults,
        human_acts,
        has_time,
    };
    // With faults, only the states that take the fewest moves, unless all of them are asked for.
    let millions: Option<usize> = number("LINLI_MODEL_MILLIONS");
    let is_all = number::<u8>("LINLI_MODEL_FAULTS").is_some() && millions.is_none();
    let is_searched = broken.is_empty() && wires_cut.is_empty() && human_acts > 0;
    let is_near = (faults > 0 || is_searched) && facility.rooms[0].contents.is_empty() && !is_all;
    let most = match (is_near, millions) {
        (true, Some(millions)) => millions * 1_000_000,
        (true, None) if is_searched => NEAREST_WITH_DEEDS,
        (true, None) => NEAREST,
        (false, _) => MOST,
    };
    let found = explore(&rules, most);
    assert!(found.violated.is_some() || found.is_whole || is_near, "more than {MOST} states: the model grew");
    found
}

fn number<N: std::str::FromStr>(name: &str) -> Option<N> {
    std::env::var(name).ok()?.parse().ok()
}

fn whole(found: &Found<Move>, faults: u8, human_acts: u8) {
    assert!(found.violated.is_none(), "{:?}", found.violated);
    assert_eq!(found.stuck, 0, "{} of {} states can no longer settle", found.stuck, found.states);
    let [actual, drill, held] = found.seen;
    assert!(actual > 0 && drill > 0 && held > 0, "the model reaches nothing");
    println!(
        "{faults} faults, {human_acts} human_acts: {} states, {} moves, no violation, {}; \
         ready {actual}, drilled {drill}, held {held}",
        found.states,
        found.moves,
        if found.is_whole { "all can settle" } else { "the nearest ones" }
    );
}

#[test]
fn with_all_laws_kept_nothing_is_violated() {
    let (faults, human_acts): (Option<u8>, Option<u8>) =
        (number("LINLI_MODEL_FAULTS"), number("LINLI_MODEL_DEEDS"));
    let room = |faults, human_acts| whole(&check(enter(), &[], &[], faults, human_acts), faults, human_acts);
    room(faults.unwrap_or(0), human_acts.unwrap_or(0));
    if faults.is_none() {
        room(1, 0);
    }
    if faults.is_none() && human_acts.is_none() {
        // A person decides otherwise: waivers and refusals beside lamps and their leases. With faults: `schedules`.
        room(0, 1);
    }
}

#[test]
fn food_and_waivers_harm_nobody() {
    for (faults, human_acts) in [(0, 2), (1, 1), (2, 0)] {
        whole(&check_kitchen(&[], faults, human_acts), faults, human_acts);
    }
}

#[test]
fn every_law_is_good_for_something() {
    let mut useless = Vec::new();
    for rule in SafetyRule::ALL {
        let find =
            |shows: &'static [(SafetyRule, &[SafetyRule], u8, u8)]| shows.iter().find(|(of, ..)| *of == rule);
        let in_kitchen = find(&SHOWS_IN_KITCHEN);
        let shows = in_kitchen.or_else(|| find(&SHOWS));
        let (_, with, faults, human_acts) =
            shows.unwrap_or_else(|| panic!("{rule:?} stands nowhere in the table"));
        let broken: Vec<SafetyRule> = [rule].into_iter().chain(with.iter().copied()).collect();
        let plan = if with.is_empty() { enter() } else { enter_alone() };
        let found = match in_kitchen {
            Some(_) => check_kitchen(&broken, *faults, *human_acts),
            None => check(plan, &broken, &[], *faults, *human_acts),
        };
        match found.violated {
            Some((what, way)) => {
                println!("{broken:?}: {what}, {} moves, {} states: {way:?}", way.len(), found.states);
            }
            None => useless.push(broken),
        }
    }
    assert!(useless.is_empty(), "nothing is violated without {useless:?}");
}

/// Its name, the safety rules and wires that are missing, faults, and whether one person searches the room.
type Mistake = (&'static str, &'static [SafetyRule], &'static [Wire], u8, bool);

/// What the design says can be got wrong, each with the safety rules and wires whose lack it is. The sweep
/// of the pairs is done by one person: with two of them and a sensor, three evidences would have to
/// be wrong at once.
const KNOWN: [Mistake; 11] = [
    ("no hard-wired cut-off of the lamps", &[], &[Wire::Lamps], 1, false),
    ("no hard-wired release of the door", &[], &[Wire::Fire], 1, false),
    ("no hold by software in a fire", &[SafetyRule::FireHolds], &[], 1, false),
    ("the device's yes is trusted", &[SafetyRule::ReadBack], &[], 1, false),
    ("the order's class is ignored", &[SafetyRule::DrillIsSimulated], &[], 0, false),
    (
        "one evidence, the sweep is not voided",
        &[SafetyRule::Evidences, SafetyRule::SweepIsVoided],
        &[],
        1,
        true,
    ),
    (
        "unknown is vacant, the sweep is not voided",
        &[SafetyRule::UnknownIsNotVacant, SafetyRule::SweepIsVoided],
        &[],
        1,
        true,
    ),
    ("one evidence, resume by skipping", &[SafetyRule::Evidences, SafetyRule::Rewalk], &[], 2, true),
    (
        "unknown is vacant, resume by skipping",
        &[SafetyRule::UnknownIsNotVacant, SafetyRule::Rewalk],
        &[],
        2,
        true,
    ),
    ("no lease", &[], &[Wire::Lease], 1, false),
    ("lamps as a step on and a step off", &[], &[], 1, false),
];

#[test]
fn what_is_known_to_go_wrong_is_found() {
    println!("| broken | violated | moves | states |\n|---|---|---|---|");
    let mut spared = Vec::new();
    for (name, safety_rules, wires, faults, is_alone) in KNOWN {
        let is_bare = safety_rules.is_empty() && wires.is_empty();
        let (building, plan) = match (is_bare, is_alone) {
            // The loader refuses this of lamps: here they are called something else.
            (true, _) => (with_plain_lamps(), enter_on_and_off()),
            (false, true) => (facility(), enter_alone()),
            (false, false) => (facility(), enter()),
        };
        let found = check_in(building, (plan, back()), safety_rules, wires, faults, 0);
        match found.violated {
            Some((what, way)) => println!("| {name} | {what} | {} | {} |", way.len(), found.states),
            None => spared.push(name),
        }
    }
    assert!(spared.is_empty(), "nothing is violated with {spared:?}");
}

#[test]
fn no_wire_can_be_spared() {
    for wire in [Wire::Lamps, Wire::Fire, Wire::Lease] {
        let found = check(enter(), &[], &[wire], 1, 0);
        let Some((what, way)) = found.violated else { panic!("nothing is violated without {wire:?}") };
        println!("{wire:?}: {what}, {} moves: {way:?}", way.len());
    }
}
