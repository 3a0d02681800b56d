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
        (&br#"{"boot":"","seq":1}"#[..], "boot"),
        (br#"{"seq":1}"#, "boot"),
        (br#"{"boot":"b","seq":-1}"#, "u64"),
        (br#"{"boot":"b"}"#, "seq"),
        (b"[]", "map"),
        (b"\xff", "expected"),
    ] {
        let error = Report::parse(wrong).unwrap_err();
        assert!(error.contains(about), "{error}");
    }
}

#[test]
fn a_member_that_is_wrong_costs_none_beside_it() {
    for (wrong, point, about) in [
        (r#""parts":{"papr":"ok","paper":"low"}"#, None, "papr"),
        (r#""parts":{"touch":"gone","paper":"low"}"#, Some("touch"), "gone"),
        (r#""parts":{"paper":"low"},"temperature":"31""#, Some("temperature"), "number"),
        (r#""parts":{"paper":"low"},"busy":1"#, Some("busy"), "true or false"),
        (r#""parts":{"paper":"low"},"transactions":1.5"#, Some("transactions"), "whole"),
        (r#""parts":{"paper":"low"},"address":"192.0.2.7""#, None, "address"),
        (r#""parts":{"paper":"low"},"printer":"ok""#, None, "printer"),
    ] {
        let report = Report::parse(format!(r#"{{"boot":"b","seq":1,{wrong}}}"#).as_bytes()).unwrap();
        assert!(report.wrong.len() == 1 && report.wrong[0].contains(about), "{:?}", report.wrong);
        let values = report.values();
        let told = |name: &str| values[POINTS.iter().position(|p| p.name == name).unwrap()].1.clone();
        assert_eq!(told("paper"), Ok(Value::Integer(2)), "{wrong}");
        if let Some(point) = point {
            assert_eq!(told(point), Err(Reason::Undecodable), "{wrong}");
        }
    }
    let loose = b"\xEF\xBB\xBF{\"boot\":17,\"seq\":6.0,\"transactions\":4.0}";
    let loose = Report::parse(loose).unwrap();
    assert_eq!((loose.boot.as_str(), loose.seq, loose.wrong.len()), ("17", 6, 0));
}

#[test]
fn null_is_the_same_as_nothing() {
    let without = Report::parse(br#"{"boot":"b1","seq":7,"parts":{"paper":"low"}}"#).unwrap().values();
    let with = br#"{"boot":"b1","seq":7,"parts":{"paper":"low","touch":null},"busy":null,"message":null,"version":null}"#;
    assert_eq!(Report::parse(with).unwrap().values(), without);
    let none = Report::parse(br#"{"boot":"b1","seq":7,"parts":null}"#).unwrap().values();
    assert_eq!(none[0].1, Err(Reason::NoValue));
}
