//! Generated streams of HL7 messages with faults, sent over real sockets to the real listener and service, against an
//! oracle that knows who was measured: no reading is with the wrong resident, no accepted reading is lost, every message
//! is answered. What fails is shrunk and printed as a test.
#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

mod act;
mod gateway;
mod generate;
mod peers;
mod replayed;
mod streams;
mod text;
mod trial;
mod world;

use streams::{alone, number, run};

#[test]
fn no_stream_of_faults_gives_a_reading_to_the_wrong_resident_or_loses_one() {
    let figures = run(0.1, 1);
    assert!(
        number("LINLI_SEED").is_some() || figures.in_visit > figures.streams / 2,
        "{figures:?}: not all refused"
    );
}

#[test]
fn with_one_percent_of_each_fault_nearly_all_is_taken() {
    let figures = run(0.01, 4);
    assert!(figures.refused * 20 < figures.messages, "{figures:?}");
}

#[test]
fn the_oracle_notices() {
    // A message that names only the resident of the open visit, about somebody else: what the model excludes.
    let lines = r#"
{"Open":{"at":0,"room":0,"who":0}}
{"Send":{"at":60000,"takes":5000,"late":0,"monitor":0,"who":1,"names":[{"Card":0}],"clock":"Right","id":1}}
"#;
    let acts = replayed::acts(lines);
    assert!(!world::is_legal(&acts), "it is excluded");
    let wrong = alone(&acts).unwrap();
    assert!(wrong.contains("is in a visit of"), "{wrong}");
}
