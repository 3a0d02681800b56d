//! The combined state of several rooms, of a site or a centre. Computed on demand, never stored.

use std::collections::BTreeMap;

use serde::Serialize;

use super::plan::Pressure;
use super::state::{Stage, State};

/// The combined state of several rooms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fold {
    /// The stage of the room that ranks first.
    pub stage: Stage,
    /// Number of rooms per stage.
    pub rooms: BTreeMap<Stage, usize>,
    /// Whether any room is in a drill.
    pub is_exercise: bool,
}

/// Rank of a stage when rooms differ: a stage that needs people ranks before one in progress.
const ORDER: [Stage; 10] = [
    Stage::Held,
    Stage::Preview,
    Stage::Notice,
    Stage::Clearing,
    Stage::Acting,
    Stage::Checking,
    Stage::Proving,
    Stage::Degraded,
    Stage::Ready,
    Stage::Peace,
];

/// Combines rooms. Rooms that stayed in peace do not count if any other room was switched.
#[must_use]
pub fn fold<'s>(rooms: impl IntoIterator<Item = (Stage, &'s State)>) -> Fold {
    let (mut counts, mut is_exercise) = (BTreeMap::new(), false);
    for (stage, state) in rooms {
        *counts.entry(stage).or_insert(0) += 1;
        is_exercise |= state.is_exercise();
    }
    let stage = ORDER.into_iter().find(|stage| counts.contains_key(stage)).unwrap_or(Stage::Peace);
    Fold { stage, rooms: counts, is_exercise }
}

// === impl Pressure ===

impl Pressure {
    /// Returns whether two rooms on one air handler can have these pressures at the same time.
    #[must_use]
    pub const fn goes_with(self, other: Self) -> bool {
        !matches!((self, other), (Self::Negative, Self::Positive) | (Self::Positive, Self::Negative))
    }
}
