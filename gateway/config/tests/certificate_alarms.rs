//! Alarms on the certificate with which the uplink connects.

use linli_config::settings::uplink_certificate::DEVICE;
use linli_config::{Checked, load_texts};
use linli_domain::alarm::{Condition, Priority};

/// A centre whose uplink has these settings of TLS, and these alarms.
fn checked(tls: &str, alarms: &str, device: &str) -> Result<Checked, String> {
    let gateway = format!("[gateway]\nid = \"main\"\n\n[mqtt]\nurl = \"mqtts://district.example\"\n{tls}\n");
    let devices = format!(
        "[[line]]\nid = \"meters\"\nkind = \"modbus_tcp\"\nendpoint = \"192.0.2.7:502\"\n\n\
         [[device]]\nid = \"{device}\"\nline = \"meters\"\nunit = 1\nprofile = \"xy/md02\"\n"
    );
    let facility = "[centre]\nid = \"a\"\nname = \"甲\"\nform = \"compact\"\n";
    let texts = [
        ("gateway.toml", gateway.as_str()),
        ("facility.toml", facility),
        ("devices.toml", &devices),
        ("alarms.toml", alarms),
    ];
    load_texts(&texts).map_err(|report| report.to_string())
}

fn ids(checked: &Checked) -> Vec<String> {
    let of = checked.alarms.iter().filter(|rule| rule.source.device.as_str() == DEVICE);
    of.map(|rule| rule.id.to_string()).collect()
}

const CERTIFIED: &str = "tls = { cert = \"own.pem\", key = \"own.pem\" }";

#[test]
fn there_are_two_where_the_uplink_has_a_certificate() {
    let with = checked(CERTIFIED, "", "own").unwrap();
    assert_eq!(ids(&with), ["uplink-certificate.ended", "uplink-certificate.ends-soon"]);
    let layout = with.certificate_layout().expect("a computed device");
    for rule in with.alarms.iter().filter(|rule| rule.source.device == layout.device) {
        assert!(layout.points.iter().any(|point| point.name == rule.source.point), "{}", rule.id);
    }
    let ended = with.alarms.iter().find(|rule| rule.id.as_str() == "uplink-certificate.ended").unwrap();
    assert_eq!(ended.priority, Priority::High);
    // Days are rounded down: the last day has 0 left.
    assert_eq!(ended.condition, Condition::Low { limit: -1.0, deadband: 0.5 });
    let soon = with.alarms.iter().find(|rule| rule.id.as_str() == "uplink-certificate.ends-soon").unwrap();
    assert_eq!(soon.suppressed_by.as_ref(), Some(&ended.id), "one at a time");
}

#[test]
fn there_are_none_without_a_certificate_or_without_defaults() {
    let without = checked("", "", "own").unwrap();
    assert_eq!((ids(&without).len(), without.certificate_layout()), (0, None));
    assert_eq!(ids(&checked(CERTIFIED, "defaults = false\n", "own").unwrap()).len(), 0);
}

#[test]
fn no_device_has_its_id() {
    let told = checked(CERTIFIED, "", DEVICE).err().expect("it is refused");
    assert!(
        told.contains("devices.toml") && told.contains("is the gateway's own; choose another id"),
        "{told}"
    );
}
