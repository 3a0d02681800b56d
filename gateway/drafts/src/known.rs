//! What the configuration says about orders.

use linli_config::Checked;
use linli_domain::Id;
use linli_mode::order::{Key, KeyId, Keyring, PlanHash};
use linli_mode::{Class, Direction};

/// Centre, keys and plans of the current configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderKeys {
    /// The centre; `None` before the configuration is read.
    pub centre: Option<Id>,
    /// Public keys of people.
    pub keyring: Keyring,
    /// How many people sign an order.
    pub quorum: usize,
    /// Names of people.
    pub people: Vec<(Id, String)>,
    /// Plans by their hashes, with the role that each is for.
    pub plans: Vec<KnownPlan>,
}

/// A plan that an order can name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownPlan {
    /// Name and hash.
    pub plan: PlanHash,
    /// The role that the room gets, or leaves.
    pub role: String,
    /// Into the emergency role, or back.
    pub direction: Direction,
}

// === impl OrderKeys ===

impl OrderKeys {
    /// Those of a configuration.
    #[must_use]
    pub fn of(current: &Checked) -> Self {
        let people = &current.centre.people;
        let plans = current.plans.iter().map(|plan| {
            let of = &plan.resolved.plan;
            let named = PlanHash { plan: of.key(), hash: plan.hash };
            KnownPlan { plan: named, role: of.role.clone(), direction: of.direction }
        });
        Self {
            centre: Some(current.centre.id.clone()),
            keyring: people.keyring.clone(),
            quorum: people.policy.as_ref().map_or(2, |policy| policy.quorum),
            people: people.people.iter().map(|person| (person.id.clone(), person.name.clone())).collect(),
            plans: plans.collect(),
        }
    }

    /// The keys of a person that sign orders of a class.
    pub fn keys_of(&self, person: &Id, class: Class) -> Vec<KeyId> {
        let own = |key: &&Key| key.person == *person && key.class == class;
        self.keyring.keys.iter().filter(own).map(|key| key.public.id()).collect()
    }

    /// The name of a person.
    pub fn name<'n>(&'n self, person: &'n Id) -> &'n str {
        let found = self.people.iter().find(|(id, _)| id == person);
        found.map_or(person.as_str(), |(_, name)| name.as_str())
    }
}
