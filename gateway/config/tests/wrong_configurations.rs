//! Every mistake has its own clear message. A case is one change to the example centre; what is
//! said about it stands in `golden/wrong_configurations.txt`. After a deliberate change of words:
//! `LINLI_BLESS=1 cargo test -p linli-config wrong_configurations`, then read the difference.

mod alarms;
mod cabin;
mod devices;
mod facility;
mod gateway;
mod health_devices;
mod plans;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use linli_config::load_texts;

const FILES: [(&str, &str); 7] = [
    ("gateway.toml", include_str!("../../../deploy/example/gateway.toml")),
    ("facility.toml", include_str!("../../../deploy/example/facility.toml")),
    ("devices.toml", include_str!("../../../deploy/example/devices.toml")),
    ("alarms.toml", include_str!("../../../deploy/example/alarms.toml")),
    ("matters.toml", include_str!("../../../deploy/example/matters.toml")),
    (P, include_str!("../../../deploy/example/plans/reading-room.sampling@1.toml")),
    (R, include_str!("../../../deploy/example/plans/reading-room.from-sampling@1.toml")),
];

/// What was done wrong, in which file, and the change that does it (the first place only).
type Case = (&'static str, &'static str, &'static str, &'static str);

/// The cases, one list an idea.
const CASES: [&[Case]; 7] = [
    gateway::CASES,
    cabin::CASES,
    facility::CASES,
    plans::CASES,
    devices::CASES,
    health_devices::CASES,
    alarms::CASES,
];

const G: &str = "gateway.toml";
const F: &str = "facility.toml";
const D: &str = "devices.toml";
const A: &str = "alarms.toml";
const M: &str = "matters.toml";
const P: &str = "plans/reading-room.sampling@1.toml";
const R: &str = "plans/reading-room.from-sampling@1.toml";

fn report(case: &Case) -> String {
    let (title, file, find, replace) = case;
    let texts: Vec<(&str, String)> = FILES
        .iter()
        .map(|(name, text)| {
            if name == file {
                assert!(text.contains(find), "{title}: {find:?} is not in {file}");
                (*name, text.replacen(find, replace, 1))
            } else {
                (*name, (*text).to_owned())
            }
        })
        .collect();
    let given: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (*name, text.as_str())).collect();
    match load_texts(&given) {
        Ok(_) => "nothing is said".to_owned(),
        Err(report) => report.to_string(),
    }
}

#[test]
fn the_example_is_right() {
    if let Err(report) = load_texts(&FILES) {
        panic!("{report}");
    }
}

#[test]
fn every_mistake_has_its_own_message() {
    let mut told = String::new();
    let mut alike = Vec::new();
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for case in CASES.concat() {
        let report = report(&case);
        if let Some(other) = seen.insert(report.clone(), case.0) {
            alike.push(format!("{:?} and {other:?}: {report}", case.0));
        }
        let _ = writeln!(told, "# {}\n{report}\n", case.0);
    }
    assert!(alike.is_empty(), "told alike, or not at all:\n{}", alike.join("\n"));
    assert!(!seen.contains_key("nothing is said"), "nothing is said about {:?}", seen["nothing is said"]);
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/wrong_configurations.txt");
    if std::env::var_os("LINLI_BLESS").is_some() {
        std::fs::write(&golden, &told).expect("writable");
    }
    let expect = std::fs::read_to_string(&golden).expect("the golden file");
    assert_eq!(told, expect);
}

#[test]
fn the_reference_page_is_that_of_the_code() {
    let page = include_str!("../../../docs/reference/config.md");
    let is_same = page == linli_config::schema::reference();
    assert!(is_same, "run: cargo run -- schema --markdown > docs/reference/config.md");
}

#[test]
fn the_committed_schema_is_that_of_the_code() {
    let committed: serde_json::Value =
        serde_json::from_str(include_str!("../../../docs/reference/linli.schema.json")).expect("JSON");
    let is_same = committed == linli_config::schema::all();
    assert!(is_same, "run: cargo run -- schema > docs/reference/linli.schema.json");
}
