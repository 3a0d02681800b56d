//! What a kiosk reports.

use linli_domain::{Reason, Value};
use linli_drivers::kiosk::report::{MESSAGE, POINTS, Report};

#[test]
fn a_report_becomes_points_and_a_wrong_one_is_named() {
    let report =
        Report::parse(br#"{"boot":"b1","seq":7,"parts":{"paper":"low","id_reader":"fault"},"busy":true}"#);
    let values = report.unwrap().values();
    let told = |name: &str| values[POINTS.iter().position(|p| p.name == name).unwrap()].1.clone();
    assert_eq!(told("paper"), Ok(Value::Integer(2)));
    assert_eq!(told("id_reader"), Ok(Value::Integer(4)));
    assert_eq!(told("busy"), Ok(Value::Bool(true)));
    assert_eq!(told("camera"), Err(Reason::NoValue));
    assert_eq!(told(MESSAGE), Ok(Value::Text("".into())));
    for (wrong, about) in [
        (&br#"{"boot":"b","seq":1,"parts":{"papr":"ok"}}"#[..], "papr"),
        (br#"{"boot":"b","seq":1,"parts":{"paper":"gone"}}"#, "gone"),
        (br#"{"boot":"","seq":1}"#, "boot"),
        (br#"{"boot":"b","seq":-1}"#, "u64"),
        (b"\xff", "expected"),
    ] {
        let error = Report::parse(wrong).unwrap_err();
        assert!(error.contains(about), "{error}");
    }
}

#[test]
fn null_is_the_same_as_nothing() {
    let without = Report::parse(br#"{"boot":"b1","seq":7,"parts":{"paper":"low"}}"#).unwrap().values();
    let with = br#"{"boot":"b1","seq":7,"parts":{"paper":"low","touch":null},"busy":null,"message":null,"version":null}"#;
    assert_eq!(Report::parse(with).unwrap().values(), without);
    let none = Report::parse(br#"{"boot":"b1","seq":7,"parts":null}"#).unwrap().values();
    assert_eq!(none[0].1, Err(Reason::NoValue));
}
