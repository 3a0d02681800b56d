//! The result of checking a plan file: what the modules that check plans and policies exchange.

use std::sync::Arc;

use linli_mode::order::KeyId;
use linli_mode::{Policy, ResolvedPlan};

/// A plan without errors, ready to be ordered.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedPlan {
    /// Path of the file, relative to the configuration directory.
    pub file: String,
    /// Text of the file.
    pub text: Arc<str>,
    /// SHA-256 of the file. Orders refer to the plan by it.
    pub hash: [u8; 32],
    /// The plan with its names resolved to the rooms and devices of the building.
    pub resolved: ResolvedPlan,
    /// The keys of class Actual that signed the file, by people who may; `None` when no signature was
    /// looked for.
    pub signed: Option<Vec<KeyId>>,
    /// Data policy while the plan is in force.
    pub policy: Policy,
    /// Identity of the resolved building ([`ResolvedPlan::identity`]), computed once because it is
    /// stored with every step.
    pub building: String,
}

// === impl CheckedPlan ===

impl CheckedPlan {
    /// Whether it is the same plan in the same building, whoever signed it.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let Self { file: _, text, hash, signed: _, resolved, policy, building } = self;
        (text, hash, resolved, policy, building)
            == (&other.text, &other.hash, &other.resolved, &other.policy, &other.building)
    }
}
