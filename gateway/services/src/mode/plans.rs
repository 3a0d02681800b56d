//! The plans of the building's rooms, found by their name and by their room: an order for every room of a large building asks
//! for each of them several times.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;

use linli_config::CheckedPlan;

/// Plans in the order of the configuration.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plans {
    all: Vec<Arc<CheckedPlan>>,
    /// Positions by `id@version`.
    named: HashMap<String, usize>,
    /// Position of the first plan of each room.
    first: HashMap<usize, usize>,
}

// === impl Plans ===

impl Plans {
    /// Returns the plan with this `id@version`.
    #[must_use]
    pub fn named(&self, key: &str) -> Option<&Arc<CheckedPlan>> {
        self.all.get(*self.named.get(key)?)
    }

    /// Returns the first plan of a room.
    #[must_use]
    pub fn first_of(&self, room: usize) -> Option<&Arc<CheckedPlan>> {
        self.all.get(*self.first.get(&room)?)
    }

    /// Returns these plans without those of a room, and with others.
    #[must_use]
    pub fn replaced(&self, room: usize, others: Vec<Arc<CheckedPlan>>) -> Self {
        self.all.iter().filter(|plan| plan.resolved.room != room).cloned().chain(others).collect()
    }
}

#[cfg(test)]
impl Plans {
    /// Returns these plans, each changed.
    pub fn changed(&self, change: impl Fn(&mut CheckedPlan)) -> Self {
        let each = |plan: &Arc<CheckedPlan>| {
            let mut plan = CheckedPlan::clone(plan);
            change(&mut plan);
            Arc::new(plan)
        };
        self.all.iter().map(each).collect()
    }
}

impl FromIterator<Arc<CheckedPlan>> for Plans {
    fn from_iter<I: IntoIterator<Item = Arc<CheckedPlan>>>(plans: I) -> Self {
        let mut these = Self { all: plans.into_iter().collect(), ..Self::default() };
        for (place, plan) in these.all.iter().enumerate() {
            these.named.entry(plan.resolved.plan.key()).or_insert(place);
            these.first.entry(plan.resolved.room).or_insert(place);
        }
        these
    }
}

impl Deref for Plans {
    type Target = [Arc<CheckedPlan>];

    fn deref(&self) -> &Self::Target {
        &self.all
    }
}
