//! What is kept with a room that is not in peace, so that it can be stopped, made safe and brought back
//! without the configuration: its plans, and of the building what they read and set.

use serde::{Deserialize, Serialize};

use super::plan::{Direction, Plan, Pressure};
use super::plan_resolver::PlanResolver;
use super::policy::Policy;
use super::predicate::Predicate;
use super::resolved_plan::{Action, ResolvedPlan, Setting};
use crate::facility::{Facility, FireZone, Fixture, Room};
use linli_domain::Id;

/// A plan as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptPlan {
    /// Path of its file.
    pub file: String,
    /// Text of the file.
    pub text: String,
    /// SHA-256 of the file, hexadecimal.
    pub hash: String,
    /// The name of the building as the plan sees it ([`ResolvedPlan::identity`]).
    pub building: String,
    /// The plan, resolved.
    pub resolved: ResolvedPlan,
    /// Its data policy.
    pub policy: Policy,
}

/// Plans of one room with the part of the building that they need. Positions of fixtures are those in
/// [`fixtures`](Self::fixtures).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptRoom {
    /// The room.
    pub room: Room,
    /// Its fire zone.
    pub fire_zone: Option<FireZone>,
    /// The fixtures that the plans name, each with the id of its room.
    pub fixtures: Vec<(Id, Fixture)>,
    /// The plan of the run first, then the plans that it may be followed by.
    pub plans: Vec<KeptPlan>,
}

/// A kept room in a building.
#[derive(Debug, Clone, PartialEq)]
pub struct Grafted {
    /// Position of the room.
    pub room: usize,
    /// The plans; their positions are those of the building.
    pub plans: Vec<KeptPlan>,
    /// Whether the building has everything that the plans need, as it was.
    pub is_same_building: bool,
}

// === impl KeptRoom ===

impl KeptRoom {
    /// Takes what these plans of a room need out of a building. `None` when there is no such room.
    #[must_use]
    pub fn of(facility: &Facility, room: usize, mut plans: Vec<KeptPlan>) -> Option<Self> {
        let kept = facility.rooms.get(room)?.clone();
        let fire_zone = kept.fire_zone.and_then(|zone| facility.fire_zones.get(zone)).cloned();
        let mut named: Vec<usize> = Vec::new();
        for plan in &mut plans {
            plan.resolved.each_fixture(|fixture| {
                let place = named.iter().position(|known| known == fixture).unwrap_or_else(|| {
                    named.push(*fixture);
                    named.len() - 1
                });
                *fixture = place;
            });
        }
        let fixture = |place: &usize| {
            let fixture = facility.fixtures.get(*place)?;
            Some((facility.rooms.get(fixture.room)?.id.clone(), fixture.clone()))
        };
        let fixtures = named.iter().map(fixture).collect::<Option<_>>()?;
        Some(Self { room: kept, fire_zone, fixtures, plans })
    }

    /// Puts the room back into a building: what the building still has as it was is used, the rest is added
    /// behind it, so that positions in the building stay.
    #[must_use]
    pub fn graft(self, facility: &mut Facility) -> Grafted {
        let Self { room: kept, fire_zone, fixtures, mut plans } = self;
        let mut is_same_building = true;
        let known = facility.room(kept.id.as_str());
        let room = known.unwrap_or_else(|| {
            is_same_building = false;
            facility.rooms.push(Room { fire_zone: None, ..kept.clone() });
            facility.rooms.len() - 1
        });
        let configured = facility.rooms[room].fire_zone.and_then(|zone| facility.fire_zones.get(zone));
        is_same_building &= configured.map(|zone| &zone.input) == fire_zone.as_ref().map(|zone| &zone.input);
        if let (None, Some(zone)) = (configured, fire_zone) {
            // Without it nobody would hear of a fire.
            facility.fire_zones.push(zone);
            facility.rooms[room].fire_zone = Some(facility.fire_zones.len() - 1);
        }
        let places: Vec<usize> = fixtures
            .into_iter()
            .map(|(of, fixture)| {
                let of = facility.room(of.as_str()).unwrap_or(room);
                let fixture = Fixture { room: of, opening: None, ..fixture };
                let same = |found: &Fixture| Fixture { opening: None, ..found.clone() } == fixture;
                facility.fixtures.iter().position(same).unwrap_or_else(|| {
                    is_same_building = false;
                    facility.fixtures.push(fixture);
                    facility.fixtures.len() - 1
                })
            })
            .collect();
        for plan in &mut plans {
            plan.resolved.room = room;
            plan.resolved
                .each_fixture(|fixture| *fixture = places.get(*fixture).copied().unwrap_or(usize::MAX));
        }
        Grafted { room, plans, is_same_building }
    }
}

// === impl ResolvedPlan ===

impl ResolvedPlan {
    /// Changes the position of every fixture that the plan names.
    fn each_fixture(&mut self, mut change: impl FnMut(&mut usize)) {
        let mut settings: Vec<&mut Setting> = self.safe.iter_mut().map(|safe| &mut safe.setting).collect();
        for step in &mut self.steps {
            match &mut step.action {
                Action::Actuate { sets, compensate, .. } => {
                    settings.extend(sets.iter_mut());
                    settings.extend(compensate.iter_mut().flat_map(|(sets, _)| sets.iter_mut()));
                }
                Action::Process { sets, off, .. } => settings.extend(sets.iter_mut().chain(off)),
                Action::Verify { .. } | Action::Human { .. } => {}
            }
        }
        settings.into_iter().for_each(|setting| change(&mut setting.fixture));
        let predicates = self.predicates.iter_mut();
        predicates.for_each(|Predicate { fixture, .. }| change(fixture));
    }

    /// Returns a plan without steps that stands in for one that nothing is known of any more: with it, the
    /// room can be stopped and its outputs made safe.
    #[must_use]
    pub fn stand_in(
        facility: &Facility,
        room: usize,
        (id, version): (Id, u32),
        lead: String,
    ) -> Option<Self> {
        let plan = Plan {
            id,
            version,
            lead,
            direction: Direction::Enter,
            room: facility.rooms.get(room)?.id.clone(),
            role: String::new(),
            ready_within: std::time::Duration::ZERO,
            pressure: Pressure::Neutral,
            basis: Vec::new(),
            return_plan: None,
            alternate: None,
            grace: std::time::Duration::ZERO,
            params: std::collections::BTreeMap::new(),
            steps: Vec::new(),
        };
        let mut resolver = PlanResolver::new(facility, &plan, room);
        let occupied = resolver.occupied();
        let opened = resolver.opened();
        let mut safe = resolver.safe();
        for safe in &mut safe {
            safe.touches = safe.proof.into_iter().collect();
        }
        let predicates = resolver.predicates;
        let contents = facility.rooms[room].contents.clone();
        let (steps, ways_out) = (Vec::new(), Vec::new());
        Some(Self { plan, room, predicates, steps, occupied, opened, ways_out, safe, contents })
    }
}

#[cfg(test)]
mod tests {
    use super::super::golden_plans::resolved_plans;
    use super::*;
    use linli_golden::stored;

    fn facility() -> Facility {
        let fixture = |place: usize| Fixture {
            id: Id::new(&format!("f{place}")).unwrap(),
            room: place % 2,
            kind: crate::facility::Kind::Door,
            interlock: crate::facility::Interlock::Hardwired,
            opening: Some(place),
            sets: Vec::new(),
            reads: Vec::new(),
        };
        let room = |name: &str| Room {
            id: Id::new(name).unwrap(),
            name: name.to_owned(),
            site: None,
            emergency_roles: Vec::new(),
            volume: Some(150.0),
            fire_zone: Some(0),
            air_zone: None,
            contents: vec![crate::facility::Contents::HotFood],
        };
        let input = linli_domain::alarm::Source {
            device: Id::new("panel").unwrap(),
            point: Id::new("alarm").unwrap(),
        };
        Facility {
            rooms: vec![room("hall"), room("reading-room"), room("kitchen")],
            fixtures: (0..12).map(fixture).collect(),
            fire_zones: vec![FireZone { id: Id::new("north").unwrap(), input }],
            ..Facility::default()
        }
    }

    fn kept() -> Vec<KeptRoom> {
        let plan = |resolved: ResolvedPlan| KeptPlan {
            file: "plans/x@1.toml".to_owned(),
            text: "[plan]".to_owned(),
            hash: "a5".repeat(32),
            building: format!("2:{}", "5a".repeat(32)),
            resolved,
            policy: Policy::default(),
        };
        let all = resolved_plans().into_iter().map(plan);
        all.filter_map(|plan| KeptRoom::of(&facility(), 0, vec![plan])).collect()
    }

    #[test]
    fn a_kept_room_is_stored_and_read() {
        let all = kept();
        assert!(!all.is_empty());
        stored("mode/kept_room", &all);
    }

    #[test]
    fn a_kept_room_is_itself_again_in_its_building() {
        for (kept, whole) in kept().into_iter().zip(resolved_plans()) {
            let mut building = facility();
            let grafted = kept.graft(&mut building);
            assert!(grafted.is_same_building);
            assert_eq!(building, facility());
            assert_eq!(grafted.plans[0].resolved, ResolvedPlan { room: 0, ..whole });
        }
    }

    #[test]
    fn a_kept_room_brings_along_what_its_building_lacks() {
        for (kept, whole) in kept().into_iter().zip(resolved_plans()) {
            let names = |facility: &Facility, resolved: &ResolvedPlan| -> Vec<Id> {
                let places = resolved.predicates.iter().map(|predicate| predicate.fixture);
                places.map(|place| facility.fixtures[place].id.clone()).collect()
            };
            let other = Facility { fixtures: facility().fixtures.split_off(6), ..Facility::default() };
            let mut building = other.clone();
            let grafted = kept.graft(&mut building);
            assert!(!grafted.is_same_building);
            assert_eq!(building.fixtures[..other.fixtures.len()], other.fixtures[..], "positions stay");
            assert_eq!(names(&building, &grafted.plans[0].resolved), names(&facility(), &whole));
            let zone = building.rooms[grafted.room].fire_zone.map(|zone| &building.fire_zones[zone]);
            assert_eq!(zone.map(|zone| zone.id.as_str()), Some("north"), "the fire is heard of");
        }
    }
}
