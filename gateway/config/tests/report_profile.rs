//! `report_profile = "district"`: what is delivered of points that have no rule of their own.

use linli_config::load_texts;
use linli_domain::report::Report as Rule;

/// The rules of two sensors' temperature and humidity: the first has `more`, the second a rule for all of its points.
fn rules(profile: &str, more: &str) -> Vec<Vec<Rule>> {
    let devices = format!(
        "{profile}\n[[line]]\nid = \"meters\"\nkind = \"modbus_tcp\"\nendpoint = \"192.0.2.7:502\"\n\n\
         [[device]]\nid = \"own\"\nline = \"meters\"\nunit = 1\nprofile = \"xy/md02\"\npoll = \"5s\"\n{more}\n\n\
         [[device]]\nid = \"general\"\nline = \"meters\"\nunit = 2\nprofile = \"xy/md02\"\npoll = \"5s\"\n\
         report = {{ every = \"10s\" }}\n"
    );
    let facility = "[centre]\nid = \"a\"\nname = \"甲\"\nform = \"compact\"\n";
    let texts = [
        ("gateway.toml", "[gateway]\nid = \"main\"\n"),
        ("facility.toml", facility),
        ("devices.toml", &devices),
    ];
    let checked = load_texts(&texts).unwrap_or_else(|report| panic!("{report}"));
    checked.lines[0].reports.clone()
}

#[test]
fn numbers_go_once_a_minute_unless_a_rule_says_otherwise() {
    let minute = Rule::Period { every_ms: 60_000 };
    let general = vec![Rule::Period { every_ms: 10_000 }; 2];
    let district = "report_profile = \"district\"\n";
    assert_eq!(rules(district, ""), [vec![minute; 2], general.clone()]);
    assert_eq!(rules("", ""), [vec![Rule::Always; 2], general.clone()], "without it every reading");
    let point = "[[device.point]]\nid = \"temperature\"\nreport = { change = 0.5 }";
    let found = rules(district, point);
    assert!(matches!(found[0][0], Rule::Change { deadband: 0.5, .. }), "{found:?}");
    assert_eq!(found[0][1], minute);
    // A point that is named without a rule keeps that of the profile.
    assert_eq!(rules(district, "[[device.point]]\nid = \"humidity\"")[0], [minute; 2]);
}
