//! What many rooms are together: a site, a centre. Reckoned, never kept.

use std::collections::BTreeMap;

use serde::Serialize;

use super::plan::Pressure;
use super::state::{Stage, State};

/// Rooms together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fold {
    /// What is said of them: the stage of the one that is least far.
    pub stage: Stage,
    /// How many rooms are at which stage.
    pub rooms: BTreeMap<Stage, usize>,
    /// Whether any of it is a drill.
    pub is_exercise: bool,
}

/// What is told first when rooms differ: what needs people comes before what is under way.
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

/// Folds rooms. Rooms that stayed in peace do not count beside rooms that were switched.
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
    /// Whether two rooms on one air handler can be so at the same time.
    #[must_use]
    pub const fn goes_with(self, other: Self) -> bool {
        !matches!((self, other), (Self::Negative, Self::Positive) | (Self::Positive, Self::Negative))
    }
}
