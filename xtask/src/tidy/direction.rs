//! Direction of the dependencies between the crates of the workspace.

use serde_json::Value;

/// Each crate of the workspace, with the crates that it may use. It may also use whatever those may use.
const MAY_USE: [(&str, &[&str]); 33] = [
    ("linli-wire", &[]),
    ("linli-node", &["linli-wire"]),
    ("linli-golden", &[]),
    ("linli-domain", &["linli-golden"]),
    ("linli-mode", &["linli-domain"]),
    ("linli-listen", &[]),
    ("linli-embed", &[]),
    ("linli-login", &["linli-domain"]),
    ("linli-vitals", &["linli-domain"]),
    ("linli-profiles", &["linli-domain"]),
    ("linli-drivers", &["linli-listen", "linli-profiles", "linli-vitals", "linli-wire"]),
    ("linli-store", &["linli-domain"]),
    ("linli-golden-site", &["linli-drivers", "linli-store"]),
    ("linli-uplink", &["linli-store"]),
    // The store and the uplink for their settings.
    ("linli-config", &["linli-mode", "linli-drivers", "linli-store", "linli-uplink"]),
    ("linli-tls", &["linli-config"]),
    ("linli-enrol", &["linli-tls"]),
    ("linli-commands", &["linli-mode", "linli-drivers", "linli-store"]),
    ("linli-services", &["linli-commands", "linli-config", "linli-golden-site"]),
    ("linli-nodes", &["linli-services"]),
    ("linli-drafts", &["linli-services"]),
    ("linli-kiosks", &["linli-services"]),
    ("linli-cabin", &["linli-login", "linli-services"]),
    ("linli-accounts", &["linli-login", "linli-services"]),
    ("linli-reports", &["linli-mode"]),
    ("linli-outbound", &["linli-cabin", "linli-reports"]),
    (
        "linli-web",
        &[
            "linli-accounts",
            "linli-drafts",
            "linli-embed",
            "linli-enrol",
            "linli-kiosks",
            "linli-nodes",
            "linli-outbound",
        ],
    ),
    // The node for its emulation in the demonstration.
    ("linli-demo", &["linli-web", "linli-node"]),
    ("linli", &["linli-demo"]),
    ("linli-district", &["linli-embed", "linli-listen", "linli-login", "linli-reports"]),
    ("linli-tests", &["linli", "linli-district"]),
    ("linli-fuzz", &["linli-cabin", "linli-node"]),
    ("xtask", &["linli-wire"]),
];

/// Returns every crate that the crates of a row lead to, or `None` for a crate without a row.
fn allowed(name: &str) -> Option<Vec<&'static str>> {
    let row = |name: &str| MAY_USE.iter().find(|(known, _)| *known == name).map(|(_, uses)| *uses);
    let mut open = row(name)?.to_vec();
    let mut found = Vec::new();
    while let Some(next) = open.pop() {
        if !found.contains(&next) {
            found.push(next);
            open.extend(row(next).unwrap_or_default());
        }
    }
    Some(found)
}

/// Checks cargo's metadata.
pub fn check(metadata: &Value) -> Vec<String> {
    let packages = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);
    let names: Vec<&str> = packages.iter().filter_map(|p| p["name"].as_str()).collect();
    let mut problems = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let Some(allowed) = allowed(name) else {
            problems
                .push(format!("{name}: not in the table of who may use whom (xtask/src/tidy/direction.rs)"));
            continue;
        };
        let uses = package["dependencies"].as_array().map_or(&[][..], Vec::as_slice);
        for used in uses.iter().filter_map(|d| d["name"].as_str()).filter(|used| names.contains(used)) {
            // A crate may name itself: that is how its own tests switch on one of its features.
            if used != name && !allowed.contains(&used) {
                problems.push(format!("{name} must not depend on {used}"));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_wrong_direction_is_found() {
        let package = |name: &str, uses: &[&str]| {
            let uses: Vec<Value> = uses.iter().map(|name| json!({"name": name})).collect();
            json!({"name": name, "dependencies": uses})
        };
        let good = json!({"packages": [package("linli-domain", &["serde"]), package("linli-store", &["linli-domain"])]});
        assert_eq!(check(&good), Vec::<String>::new());
        let bad =
            json!({"packages": [package("linli-domain", &["linli-store"]), package("linli-store", &[])]});
        assert_eq!(check(&bad), ["linli-domain must not depend on linli-store"]);
        let up = json!({"packages": [package("linli-reports", &["linli-services"]), package("linli-services", &[])]});
        assert_eq!(check(&up), ["linli-reports must not depend on linli-services"]);
        assert_eq!(check(&json!({"packages": [package("other", &[])]})).len(), 1);
    }

    #[test]
    fn a_crate_may_use_what_its_row_leads_to() {
        let reached = |name: &str, other: &str| allowed(name).is_some_and(|found| found.contains(&other));
        assert!(reached("linli-services", "linli-wire"));
        assert!(!reached("linli-reports", "linli-services"));
        assert!(!reached("linli-config", "linli-node"));
    }

    #[test]
    fn the_table_itself_has_no_circle() {
        for (name, uses) in MAY_USE {
            assert!(!allowed(name).unwrap().contains(&name), "{name} reaches itself");
            assert!(
                uses.iter().all(|used| allowed(used).is_some()),
                "{name}: {uses:?} has no row of its own"
            );
        }
    }
}
