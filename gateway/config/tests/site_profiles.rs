//! A site's own device profiles: short, found wherever a technician puts them, and each problem told once.

use std::path::Path;

use linli_config::{Problem, load};

const SHORT: &str = r#"
[[point]]
name = "pressure"
holding = 0
type = "u16"
unit = "Bar"
scale = 0.01

[[point]]
name = "flow"
holding = 1
type = "u16"
unit = "l/min"
"#;

/// Writes a configuration with so many devices of a profile, and alarms on each.
fn centre(dir: &Path, devices: usize, profile: &str) {
    let write = |file: &str, text: &str| std::fs::write(dir.join(file), text).unwrap();
    write("gateway.toml", "[gateway]\nid = \"g\"\n\n[store]\npath = \"linli.db\"\n");
    write("facility.toml", "[centre]\nid = \"c\"\nname = \"c\"\nform = \"compact\"\n");
    let mut text = "[[line]]\nid = \"bus\"\nkind = \"modbus_tcp\"\nendpoint = \"192.0.2.1:502\"\n".to_owned();
    let mut alarms = String::new();
    for unit in 1..=devices {
        text += &format!(
            "\n[[device]]\nid = \"d{unit}\"\nline = \"bus\"\nunit = {unit}\nprofile = \"{profile}\"\n"
        );
        alarms += &format!(
            "\n[[alarm]]\nid = \"a{unit}\"\ndevice = \"d{unit}\"\npoint = \"pressure\"\nwhen = \"high\"\nlimit = 5\nunit = \"Bar\"\n"
        );
    }
    write("devices.toml", &text);
    write("alarms.toml", &alarms);
}

fn profile(dir: &Path, file: &str, text: &str) {
    let path = dir.join("devices").join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn problems(dir: &Path) -> Vec<Problem> {
    load(dir).err().map(|report| report.problems).unwrap_or_default()
}

#[test]
fn a_short_profile_is_enough_wherever_it_lies() {
    for (file, name) in [("acme/pump.toml", "acme/pump"), ("pump.toml", "site/pump")] {
        let dir = tempfile::tempdir().unwrap();
        centre(dir.path(), 2, name);
        profile(dir.path(), file, SHORT);
        let checked = load(dir.path()).unwrap_or_else(|report| panic!("{file}: {report}"));
        let points = &checked.lines[0].plan.layouts()[0].points;
        let units: Vec<&str> = points.iter().map(|point| point.unit.as_str()).collect();
        assert_eq!(units, ["bar", "L/min"], "{file}");
        let warnings = checked.lines[0].plan.warnings().join("\n");
        assert!(warnings.contains("\"Bar\" is read as \"bar\""), "the mapping is said: {warnings}");
        assert!(warnings.contains("\"l/min\" is read as \"L/min\""), "{warnings}");
    }
    // A file that says its own name is called so, also directly in devices/.
    let dir = tempfile::tempdir().unwrap();
    centre(dir.path(), 1, "acme/p7");
    profile(dir.path(), "whatever.toml", &format!("vendor = \"acme\"\nmodel = \"p7\"\n{SHORT}"));
    assert_eq!(problems(dir.path()), Vec::new());
}

#[test]
fn a_problem_of_a_profile_is_told_once_for_all_its_devices() {
    for (text, wrong) in [
        (SHORT.replace("scale = 0.01", "sclae = 0.01"), "sclae"),
        (SHORT.replace("\"l/min\"", "\"bananas\""), "bananas"),
        (SHORT.replace("type = \"u16\"", "type = \"u17\""), "u17"),
        (SHORT.replace("holding = 0", "holding = "), ""),
    ] {
        for (file, name) in [("acme/pump.toml", "acme/pump"), ("pump.toml", "site/pump")] {
            let dir = tempfile::tempdir().unwrap();
            centre(dir.path(), 103, name);
            profile(dir.path(), file, &text);
            let problems = problems(dir.path());
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert_eq!(problems[0].file, format!("devices/{file}"));
            assert!(problems[0].message.contains(wrong) && !problems[0].message.is_empty(), "{problems:?}");
        }
    }
    // One that hides a built-in profile is not replaced by it.
    let dir = tempfile::tempdir().unwrap();
    centre(dir.path(), 3, "xy/md02");
    profile(dir.path(), "xy/md02.toml", "[[point]]\nname = 7\n");
    assert_eq!(problems(dir.path()).len(), 1, "{:?}", problems(dir.path()));
    // What is wrong with other devices is still told.
    let devices = std::fs::read_to_string(dir.path().join("devices.toml")).unwrap();
    let other = "\n[[device]]\nid = \"z\"\nline = \"nowhere\"\nunit = 9\nprofile = \"xy/md02\"\n";
    std::fs::write(dir.path().join("devices.toml"), devices + other).unwrap();
    let problems = problems(dir.path());
    assert!(problems.len() == 2 && problems.iter().any(|p| p.message.contains("nowhere")), "{problems:?}");
}

#[test]
fn a_name_that_many_devices_misspell_is_told_once() {
    let dir = tempfile::tempdir().unwrap();
    centre(dir.path(), 40, "xy/md03");
    std::fs::remove_file(dir.path().join("alarms.toml")).unwrap();
    let problems = problems(dir.path());
    assert_eq!(problems.len(), 1, "{problems:?}");
    let message = &problems[0].message;
    assert!(message.contains("xy/md02") && message.contains("40 devices"), "{message}");
}

#[test]
fn a_profile_where_it_is_not_read_is_told() {
    let dir = tempfile::tempdir().unwrap();
    centre(dir.path(), 1, "acme/pump");
    profile(dir.path(), "acme/pump.toml", SHORT);
    profile(dir.path(), "acme/old/pump.toml", SHORT);
    let deep = problems(dir.path());
    assert!(deep.len() == 1 && deep[0].message.contains("devices/<vendor>/<model>.toml"), "{deep:?}");
    std::fs::remove_dir_all(dir.path().join("devices/acme/old")).unwrap();
    profile(dir.path(), "again.toml", &format!("vendor = \"acme\"\nmodel = \"pump\"\n{SHORT}"));
    let twice = problems(dir.path());
    assert!(twice.len() == 1 && twice[0].message.contains("keep one of the two"), "{twice:?}");
}
