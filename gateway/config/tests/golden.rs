//! Forms that the configuration leaves on the disk: names of buildings, and the last good copy.

use std::path::Path;

use linli_config::{keep_last_good, load};
use linli_golden::{files, frozen, stored};

/// The plans of the example, in the order of the golden file.
const PLANS: [&str; 6] = [
    "reading-room.sampling@1",
    "reading-room.from-sampling@1",
    "hall.command@1",
    "hall.from-command@1",
    "kitchen.warehouse@1",
    "kitchen.from-warehouse@1",
];

/// The identity of a plan's building as version 0.1 stored it.
fn building_0_1(plan: &str) -> String {
    let text = std::fs::read_to_string(files().join("config/building_0_1.jsonl")).expect("it is committed");
    let mut all = text.lines().map(|line| serde_json::from_str::<(String, String)>(line).expect("a pair"));
    all.find(|(key, _)| key == plan).expect("a plan of the example").1
}

/// Rooms in the middle of a switch are known by these.
#[test]
fn names_of_buildings() {
    let mut plans = load(&files().join("example")).unwrap().plans;
    // In the order of the file, which is that of the example's list of plans.
    plans.sort_by_key(|known| PLANS.iter().position(|key| *key == known.resolved.plan.key()));
    let named: Vec<(String, String)> =
        plans.iter().map(|known| (known.resolved.plan.key(), known.building.clone())).collect();
    stored("config/building_2", &named);
    for (known, (key, building)) in plans.iter().zip(&named) {
        assert!(known.resolved.has_identity(building));
        assert!(known.resolved.has_identity(&building_0_1(key)), "as version 0.1 stored it");
        let others = named.iter().filter(|(other, _)| other != key);
        for (other, building) in others {
            assert!(!known.resolved.has_identity(building));
            assert!(!known.resolved.has_identity(&building_0_1(other)));
        }
    }
}

#[test]
fn the_last_good_copy() {
    let (dir, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let example = &files().join("example");
    std::fs::create_dir(dir.path().join("plans")).unwrap();
    for entry in std::fs::read_dir(example).unwrap().flatten().filter(|entry| entry.path().is_file()) {
        std::fs::copy(entry.path(), dir.path().join(entry.file_name())).unwrap();
    }
    let secret = "\n[cabin]\nidentity_key = \"file:identity.key\"\npseudonym_key = \"file:district.key\"\n";
    let gateway = std::fs::read_to_string(example.join("gateway.toml")).unwrap() + secret;
    std::fs::write(dir.path().join("gateway.toml"), gateway).unwrap();
    keep_last_good(dir.path(), data.path()).unwrap();
    let copy = data.path().join("last-good");
    let pinned = std::fs::read_to_string(copy.join("gateway.toml")).unwrap();
    frozen("config/last_good_gateway.txt", &pinned.replace(dir.path().to_str().unwrap(), "DIR"));
    let text = |dir: &Path| std::fs::read_to_string(dir.join("facility.toml")).unwrap();
    assert_eq!(text(&copy), text(example), "other files are copied as they are");
}
