//! Constraints between the rooms of a centre: a shared air handler, a shared fire panel.

use super::plan::{Direction, Plan, Pressure};
use super::state::{Fire, Run};
use super::truth::Truth;
use crate::facility::Facility;

/// Returns the pressures that a room may have while it follows a plan: that of the plan, and on the
/// return also those of the plans it returns from, until the room is in peace. `all` are the plans of
/// the centre.
pub fn flows<'p>(plan: &'p Plan, all: impl IntoIterator<Item = &'p Plan>) -> Vec<Pressure> {
    let key = plan.key();
    let from = all.into_iter().filter(|other| {
        plan.direction == Direction::Return && other.return_plan.as_deref() == Some(key.as_str())
    });
    std::iter::once(plan).chain(from).map(|plan| plan.pressure).collect()
}

/// Returns the pressures that a room may have during its run: those of [`flows`]; of a run that began in place
/// of a return, those of every plan of the room, because its air may still flow as an earlier plan set it.
pub fn run_flows<'p>(run: &Run, plan: &'p Plan, all: impl IntoIterator<Item = &'p Plan>) -> Vec<Pressure> {
    match run.is_over_return {
        true => all.into_iter().filter(|other| other.room == plan.room).map(|other| other.pressure).collect(),
        false => flows(plan, all),
    }
}

/// Returns the room that conflicts with another: they share an air handler and would have opposite
/// pressures. `beside` are the rooms that follow a plan, each with its [`run_flows`].
pub fn air_conflict(
    facility: &Facility,
    room: usize,
    pressure: Pressure,
    beside: impl IntoIterator<Item = (usize, Vec<Pressure>)>,
) -> Option<usize> {
    let zone = |room: usize| facility.rooms.get(room).and_then(|room| room.air_zone.as_ref());
    let own = zone(room)?;
    let clashes = |flows: &[Pressure]| flows.iter().any(|flow| !flow.goes_with(pressure));
    let mut beside = beside.into_iter();
    beside
        .find(|(other, flows)| *other != room && zone(*other) == Some(own) && clashes(flows))
        .map(|(other, _)| other)
}

// === impl Fire ===

impl Fire {
    /// Returns whether the fire panel's state must be applied to a room. A panel without readings does
    /// not end an alarm.
    #[must_use]
    pub const fn is_news(self, told: Truth) -> bool {
        match told {
            Truth::True => !matches!(self, Self::Alarm),
            Truth::False => !matches!(self, Self::Normal),
            Truth::Unknown => matches!(self, Self::Normal),
        }
    }
}
