//! The profiles of nodes are those that the wire crate's tables make, and decode what it encodes.
//!
//! After a change of the tables: `LINLI_BLESS=1 cargo test -p linli-drivers nodes`, then
//! read the difference.

use linli_drivers::modbus::profile::problems_of;
use linli_drivers::node;
use linli_wire::kind::KINDS;

#[test]
fn the_profile_of_every_kind_is_the_one_in_the_file() {
    let devices = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../devices");
    for kind in KINDS {
        let (name, text) = (node::profile_name(kind), node::profile(kind));
        assert_eq!(problems_of(&format!("{name}.toml"), &text), Vec::<String>::new(), "{name}\n{text}");
        let file = devices.join(format!("{name}.toml"));
        if std::env::var_os("LINLI_BLESS").is_some() {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, &text).unwrap();
        }
        let committed = std::fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(committed, text, "{} is not what the tables make: LINLI_BLESS=1", file.display());
        assert_eq!(node::kind_of(&name).map(|found| found.id), Some(kind.id));
    }
    let files = std::fs::read_dir(devices.join("linli")).unwrap().count();
    assert_eq!(files, KINDS.len(), "a profile of a kind that is no more");
    assert!(node::kind_of("xy/md02").is_none());
}
