//! Times without a zone are those of the centre, and no zone is built in.

use std::sync::Arc;

use linli_config::{Checked, load_texts};
use linli_drivers::CheckedLine;

const GATEWAY: &str = "[gateway]\nid = \"main\"\n";

/// A centre in that time zone with a monitor, which says `more` about its clock.
fn centre(timezone: &str, more: &str) -> Checked {
    let facility = format!("[centre]\nid = \"a\"\nname = \"甲\"\nform = \"compact\"\n{timezone}\n");
    let devices = format!(
        "[[line]]\nid = \"monitor\"\nkind = \"mllp\"\nlisten = \"127.0.0.1:2575\"\n{more}\n\n\
         [[device]]\nid = \"monitor-1\"\nline = \"monitor\"\nprofile = \"hl7/oru-r01\"\nclass = \"vital\"\n"
    );
    let texts = [("gateway.toml", GATEWAY), ("facility.toml", &facility), ("devices.toml", &devices)];
    load_texts(&texts).unwrap_or_else(|report| panic!("{report}"))
}

fn line(checked: &Checked) -> Arc<dyn CheckedLine> {
    Arc::clone(&checked.lines[0].plan)
}

#[test]
fn the_clock_of_a_device_is_that_of_the_centre_unless_it_says() {
    let [urumqi, shanghai] = ["timezone = \"Asia/Urumqi\"", "timezone = \"Asia/Shanghai\""];
    assert!(!line(&centre(urumqi, "")).same_as(&*line(&centre(shanghai, ""))), "it follows the centre");
    assert!(line(&centre(urumqi, "")).same_as(&*line(&centre(urumqi, ""))));
    let own = "utc_offset = \"+05:30\"";
    assert!(line(&centre(urumqi, own)).same_as(&*line(&centre(shanghai, own))), "it has its own");
}

#[test]
fn a_centre_that_names_no_zone_has_that_of_its_machine() {
    let unnamed = centre("", "").centre;
    assert!(unnamed.is_zone_of_machine);
    let machine = jiff::tz::TimeZone::try_system().ok();
    let name = machine.as_ref().and_then(jiff::tz::TimeZone::iana_name).unwrap_or("UTC");
    assert_eq!(unnamed.zone.name(), name);
    let named = centre("timezone = \"Asia/Urumqi\"", "").centre;
    assert!(!named.is_zone_of_machine && named.zone.name() == "Asia/Urumqi");
}
