//! The configuration of the mode switch: the building, its plans and its people.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use linli_domain::Id;
use linli_mode::facility::{Facility, ReadSource};
use linli_mode::{Actor, ResolvedPlan};

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
    pub plans: Vec<Arc<CheckedPlan>>,
    /// People, their keys and the order policy.
    pub people: People,
    /// Age at which a value is stale, by device.
    pub stale: BTreeMap<Id, Duration>,
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
        Self {
            centre: checked.centre.id.clone(),
            facility: checked.building.clone(),
            plans: checked.plans.iter().cloned().map(Arc::new).collect(),
            people: checked.centre.people.clone(),
            stale: checked.lines.iter().flat_map(of_line).collect(),
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

    /// Returns the plan with this `id@version`.
    #[must_use]
    pub fn plan(&self, key: &str) -> Option<&Arc<CheckedPlan>> {
        self.plans.iter().find(|plan| plan.brief.plan.key() == key)
    }

    /// Returns the error for a plan that does not exist; it names those that do.
    #[must_use]
    pub fn unknown_plan(&self, name: &str) -> ServiceError {
        let keys: Vec<String> = self.plans.iter().map(|plan| plan.brief.plan.key()).collect();
        ServiceError::Unknown(format!("there is no plan {name:?}; plans are: {}", keys.join(", ")))
    }

    /// Returns the positions of the rooms that have plans.
    #[must_use]
    pub fn rooms(&self) -> BTreeSet<usize> {
        self.plans.iter().map(|plan| plan.brief.room).collect()
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
        self.plans.iter().find(|plan| plan.brief.room == room)
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
