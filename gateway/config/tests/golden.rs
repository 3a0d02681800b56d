//! Forms that the configuration leaves on the disk: names of buildings, and the last good copy.

use std::path::Path;

use linli_config::{keep_last_good, load};
use linli_golden::{files, frozen, stored};

/// As version 0.1 stored them: rooms in the middle of a switch are known by these.
#[test]
fn names_of_buildings_as_version_0_1_wrote_them() {
    let named: Vec<(String, String)> = load(&files().join("example"))
        .unwrap()
        .plans
        .iter()
        .map(|known| (known.brief.plan.key(), known.building.clone()))
        .collect();
    stored("config/building_0_1", &named);
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
