//! What names the building as a plan sees it: a room in the middle of a switch goes on after a restart
//! only if its plan still moves the same outputs, proven by the same readings.

mod form;
mod legacy;
mod plan;
mod resolved_plan;

use sha2::{Digest, Sha256};

use super::resolved_plan::ResolvedPlan;
use linli_domain::audit::hex;

/// The version of the canonical form. It stands before the hash, as in `2:9f86d0…`; hashes of version
/// 0.1 stand alone.
const VERSION: u32 = 2;

// === impl ResolvedPlan ===

impl ResolvedPlan {
    /// Names the building as this plan sees it: the form's version and the SHA-256 of the canonical
    /// form, `2:` and 64 hexadecimal digits.
    #[must_use]
    pub fn identity(&self) -> String {
        format!("{VERSION}:{}", hex(&Sha256::digest(form::of(self))))
    }

    /// Whether a stored identity is this plan's, whichever version of linli stored it.
    #[must_use]
    pub fn has_identity(&self, stored: &str) -> bool {
        match stored.contains(':') {
            true => stored == self.identity(),
            false => stored == legacy::identity(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::golden_plans::resolved_plans;
    use super::*;
    use linli_golden::{frozen, stored};

    #[test]
    fn the_canonical_form_and_its_hash() {
        let forms: String = resolved_plans()
            .iter()
            .map(|resolved_plan| {
                String::from_utf8(form::of(resolved_plan)).expect("a form of texts is text") + "\n\n"
            })
            .collect();
        frozen("mode/canonical_2.txt", &forms);
        let names: Vec<String> = resolved_plans().iter().map(ResolvedPlan::identity).collect();
        stored("mode/identity_2", &names);
    }

    #[test]
    fn names_of_version_0_1_are_known_again() {
        // Written by version 0.1: nothing writes this file any more.
        let known = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/mode/brief_0_1.txt"));
        for (resolved_plan, known) in resolved_plans().iter().zip(known.lines()) {
            assert_eq!(legacy::text(resolved_plan), known);
        }
        assert_eq!(known.lines().count(), resolved_plans().len());
        for resolved_plan in resolved_plans() {
            assert!(resolved_plan.has_identity(&legacy::identity(&resolved_plan)));
            assert!(resolved_plan.has_identity(&resolved_plan.identity()));
        }
    }

    #[test]
    fn another_building_has_another_name() {
        let resolved_plan = resolved_plans().remove(0);
        let mut changed = vec![resolved_plan.clone(); 6];
        changed[0].room += 1;
        changed[1].predicates[0].read += 1;
        changed[2].safe[0].setting.output += 1;
        changed[3].steps[0].deadline += std::time::Duration::from_nanos(1);
        changed[4].plan.grace += std::time::Duration::from_nanos(1);
        changed[5].ways_out.swap(0, 1);
        for other in changed {
            assert!(!other.has_identity(&resolved_plan.identity()));
            assert!(!other.has_identity(&legacy::identity(&resolved_plan)));
        }
        assert!(!resolved_plan.has_identity(&format!("3:{}", "00".repeat(32))), "a form of the future");
    }
}
