//! Who may depend on whom.

use serde_json::Value;

/// Crate, and the crates of ours that it may use. A row for a crate that is not there yet says where it
/// will stand.
const MAY_USE: [(&str, &[&str]); 15] = [
    ("linli-wire", &[]),
    ("linli-node", &["linli-wire"]),
    ("linli-golden", &[]),
    ("linli-domain", &["linli-golden"]),
    ("linli-mode", &["linli-domain", "linli-golden"]),
    ("linli-drivers", &["linli-domain", "linli-wire"]),
    ("linli-store", &["linli-domain"]),
    ("linli-uplink", &["linli-domain", "linli-store"]),
    // The store for its settings, the uplink for the connection's.
    (
        "linli-config",
        &[
            "linli-domain",
            "linli-golden",
            "linli-mode",
            "linli-drivers",
            "linli-store",
            "linli-uplink",
            "linli-wire",
        ],
    ),
    // Drivers and uplink for the handles of running lines; the wire crate for updates of nodes.
    (
        "linli-services",
        &[
            "linli-config",
            "linli-domain",
            "linli-golden",
            "linli-mode",
            "linli-drivers",
            "linli-store",
            "linli-uplink",
            "linli-wire",
        ],
    ),
    ("linli-reports", &["linli-domain", "linli-mode"]),
    (
        "linli-web",
        &[
            "linli-config",
            "linli-domain",
            "linli-drivers",
            "linli-mode",
            "linli-reports",
            "linli-services",
            "linli-store",
            "linli-uplink",
            "linli-wire",
        ],
    ),
    ("linli", GATEWAY),
    ("linli-tests", EVERYTHING),
    ("xtask", &["linli-wire"]),
];

/// What the binary may use: every crate of the gateway, and the node for its emulation.
const GATEWAY: &[&str] = &[
    "linli-config",
    "linli-domain",
    "linli-drivers",
    "linli-golden",
    "linli-mode",
    "linli-node",
    "linli-reports",
    "linli-services",
    "linli-store",
    "linli-uplink",
    "linli-web",
    "linli-wire",
];

/// What the end-to-end tests may use.
const EVERYTHING: &[&str] = &[
    "linli",
    "linli-config",
    "linli-domain",
    "linli-drivers",
    "linli-golden",
    "linli-mode",
    "linli-node",
    "linli-reports",
    "linli-services",
    "linli-store",
    "linli-uplink",
    "linli-web",
    "linli-wire",
];

/// Checks cargo's metadata.
pub fn check(metadata: &Value) -> Vec<String> {
    let packages = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);
    let names: Vec<&str> = packages.iter().filter_map(|p| p["name"].as_str()).collect();
    let mut problems = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let Some((_, allowed)) = MAY_USE.iter().find(|(known, _)| *known == name) else {
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
    fn the_table_itself_has_no_circle() {
        let used = |name: &str| MAY_USE.iter().find(|(known, _)| *known == name).map_or(&[][..], |row| row.1);
        for (name, uses) in MAY_USE {
            let mut open = uses.to_vec();
            let mut seen = Vec::new();
            while let Some(next) = open.pop() {
                assert_ne!(next, name, "it reaches itself");
                if !seen.contains(&next) {
                    seen.push(next);
                    open.extend(used(next));
                }
            }
        }
    }
}
