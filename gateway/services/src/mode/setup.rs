//! The configuration's part: the building, the ways its rooms can go, the people.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use linli_domain::Id;
use linli_mode::facility::{Facility, ReadSource};
use linli_mode::{Actor, ResolvedPlan};

use crate::error::ServiceError;
use linli_config::{Checked, CheckedPlan, People};

/// The configuration's part.
#[derive(Debug, Clone, PartialEq)]
pub struct Setup {
    /// The centre that orders name.
    pub centre: Id,
    /// The building.
    pub facility: Facility,
    /// Its plans.
    pub plans: Vec<Arc<CheckedPlan>>,
    /// The people.
    pub people: People,
    /// Per device, the age at which a value counts no more.
    pub stale: BTreeMap<Id, Duration>,
}

// === impl Setup ===

impl Setup {
    /// Of a checked configuration.
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

    /// Every device that a room's fixtures or fire zones are read from.
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

    /// A plan by its `id@version`.
    #[must_use]
    pub fn plan(&self, key: &str) -> Option<&Arc<CheckedPlan>> {
        self.plans.iter().find(|known| known.brief.plan.key() == key)
    }

    /// The error of a plan that is not there, naming those that are.
    #[must_use]
    pub fn unknown_plan(&self, name: &str) -> ServiceError {
        let keys: Vec<String> = self.plans.iter().map(|known| known.brief.plan.key()).collect();
        ServiceError::Unknown(format!("there is no plan {name:?}; plans are: {}", keys.join(", ")))
    }

    /// Rooms that have plans, by their position in the building.
    #[must_use]
    pub fn rooms(&self) -> BTreeSet<usize> {
        self.plans.iter().map(|known| known.brief.room).collect()
    }

    /// The sites whose rooms are this gateway's.
    #[must_use]
    pub fn sites(&self) -> Vec<Id> {
        let sites: BTreeSet<&Id> = self.facility.rooms.iter().filter_map(|room| room.site.as_ref()).collect();
        sites.into_iter().cloned().collect()
    }

    /// Any plan of a room: what a room without a run is looked at with.
    #[must_use]
    pub fn any(&self, room: usize) -> Option<&Arc<CheckedPlan>> {
        self.plans.iter().find(|known| known.brief.room == room)
    }

    /// A person who does something.
    #[must_use]
    pub fn actor(&self, person: &str) -> Option<Actor> {
        let person = self.facility.person(person)?;
        Some(Actor { id: person.id.clone(), roles: person.roles.clone() })
    }

    /// The plan that leads back from another.
    #[must_use]
    pub fn way_back(&self, brief: &ResolvedPlan) -> Option<&Arc<CheckedPlan>> {
        self.plan(brief.plan.return_plan.as_deref()?)
    }
}
