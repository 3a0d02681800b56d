//! Who may depend on whom.

use serde_json::Value;

/// Crate, and the crates of ours that it may use.
const MAY_USE: [(&str, &[&str]); 9] = [
    ("linli-wire", &[]),
    ("linli-node", &["linli-wire"]),
    ("linli-domain", &[]),
    ("linli-drivers", &["linli-domain", "linli-wire"]),
    ("linli-store", &["linli-domain"]),
    ("linli-uplink", &["linli-domain", "linli-store"]),
    ("linli", &["linli-domain", "linli-drivers", "linli-store", "linli-uplink", "linli-wire", "linli-node"]),
    (
        "linli-tests",
        &[
            "linli",
            "linli-domain",
            "linli-drivers",
            "linli-store",
            "linli-uplink",
            "linli-wire",
            "linli-node",
        ],
    ),
    ("xtask", &["linli-wire"]),
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
        assert_eq!(check(&json!({"packages": [package("other", &[])]})).len(), 1);
    }
}
