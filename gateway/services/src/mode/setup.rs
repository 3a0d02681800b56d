//! The configuration of the mode switch: the building, its plans and its people.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use linli_domain::Id;
use linli_domain::alarm::Source;
use linli_domain::audit::hex;
use linli_mode::facility::{Facility, ReadSource};
use linli_mode::{Actor, ResolvedPlan};
use ring::digest::{SHA256, digest};

use super::plans::Plans;
use crate::error::ServiceError;
use linli_config::{Checked, CheckedPlan, People};

/// The configuration of the mode switch.
#[derive(Debug, Clone, PartialEq)]
pub struct Setup {
    /// Id of the centre, as orders name it.
    pub centre: Id,
    /// The building.
    pub facility: Facility,
    /// Plans of the building's rooms.
    pub plans: Plans,
    /// People, their keys and the order policy.
    pub people: People,
    /// Age at which a value is stale, by device.
    pub stale: BTreeMap<Id, Duration>,
    /// What each point of a device is in the end.
    pub wiring: BTreeMap<Source, String>,
}

// === impl Setup ===

impl Setup {
    /// Extracts the configuration of the mode switch.
    #[must_use]
    pub fn of(checked: &Checked) -> Self {
        let of_line = |line: &linli_config::ConfiguredLine| {
            let ids = line.plan.layouts().iter().map(|layout| layout.device.clone());
            ids.zip(line.stale_after.iter().copied()).collect::<Vec<_>>()
        };
        let wired = |line: &linli_config::ConfiguredLine| {
            let devices = line.plan.layouts().iter().enumerate();
            let points = devices.flat_map(|(device, layout)| {
                let named =
                    (0_u16..).zip(&layout.points).map(move |(point, spec)| (device, point, layout, spec));
                named.map(|(device, point, layout, spec)| {
                    let source = Source { device: layout.device.clone(), point: spec.name.clone() };
                    (source, line.plan.wiring(device, point))
                })
            });
            points.collect::<Vec<_>>()
        };
        Self {
            centre: checked.centre.id.clone(),
            facility: checked.building.clone(),
            plans: checked.plans.iter().cloned().map(Arc::new).collect(),
            people: checked.centre.people.clone(),
            stale: checked.lines.iter().flat_map(of_line).collect(),
            wiring: checked.lines.iter().flat_map(wired).collect(),
        }
    }

    /// Returns every device that fixtures or fire zones are read from.
    #[must_use]
    pub fn devices(&self) -> BTreeSet<Id> {
        let reads = self.facility.fixtures.iter().flat_map(|fixture| &fixture.reads);
        let points = reads.filter_map(|read| match &read.from {
            ReadSource::Point(point) => Some(point.device.clone()),
            ReadSource::Constant(_) => None,
        });
        let zones = self.facility.fire_zones.iter().map(|zone| zone.input.device.clone());
        points.chain(zones).collect()
    }

    /// Returns the name of what a plan is wired to: SHA-256, hexadecimal, of every point that it sets or reads with what
    /// it is in the end. The same plan of the same building with another name moves, or believes, other devices.
    #[must_use]
    pub fn wiring_of(&self, resolved: &ResolvedPlan) -> String {
        let fixture = |position: usize| self.facility.fixtures.get(position);
        let sets = resolved.outputs().filter_map(|(at, output)| Some(&fixture(at)?.sets.get(output)?.point));
        let reads = resolved.predicates.iter().filter_map(|predicate| {
            match &fixture(predicate.fixture)?.reads.get(predicate.read)?.from {
                ReadSource::Point(point) => Some(point),
                ReadSource::Constant(_) => None,
            }
        });
        let zone = self.facility.rooms.get(resolved.room).and_then(|room| room.fire_zone);
        let fire = zone.and_then(|zone| self.facility.fire_zones.get(zone)).map(|zone| &zone.input);
        let points: BTreeSet<&Source> = sets.chain(reads).chain(fire).collect();
        let line = |point: &&Source| {
            let wired = self.wiring.get(*point).map_or("", String::as_str);
            format!("{}.{} = {wired}\n", point.device, point.point)
        };
        let text: String = points.iter().map(line).collect();
        hex(digest(&SHA256, text.as_bytes()).as_ref())
    }

    /// Returns the plan with this `id@version`.
    #[must_use]
    pub fn plan(&self, key: &str) -> Option<&Arc<CheckedPlan>> {
        self.plans.named(key)
    }

    /// Returns the error for a plan that does not exist; it names those that do.
    #[must_use]
    pub fn unknown_plan(&self, name: &str) -> ServiceError {
        let keys: Vec<String> = self.plans.iter().map(|plan| plan.resolved.plan.key()).collect();
        ServiceError::Unknown(format!("there is no plan {name:?}; plans are: {}", keys.join(", ")))
    }

    /// Returns the positions of the rooms that have plans.
    #[must_use]
    pub fn rooms(&self) -> BTreeSet<usize> {
        self.plans.iter().map(|plan| plan.resolved.room).collect()
    }

    /// Returns the sites of this gateway's rooms.
    #[must_use]
    pub fn sites(&self) -> Vec<Id> {
        let sites: BTreeSet<&Id> = self.facility.rooms.iter().filter_map(|room| room.site.as_ref()).collect();
        sites.into_iter().cloned().collect()
    }

    /// Returns any plan of a room: a room without a run is evaluated with it.
    #[must_use]
    pub fn any(&self, room: usize) -> Option<&Arc<CheckedPlan>> {
        self.plans.first_of(room)
    }

    /// Returns a person as an actor with roles.
    #[must_use]
    pub fn actor(&self, person: &str) -> Option<Actor> {
        let person = self.facility.person(person)?;
        Some(Actor { id: person.id.clone(), roles: person.roles.clone() })
    }

    /// Returns the return plan of a plan.
    #[must_use]
    pub fn way_back(&self, resolved: &ResolvedPlan) -> Option<&Arc<CheckedPlan>> {
        self.plan(resolved.plan.return_plan.as_deref()?)
    }
}
