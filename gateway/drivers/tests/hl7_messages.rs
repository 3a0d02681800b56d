//! HL7 messages of versions 2.3 to 2.8, as devices of each kind write them: one file each in `transcripts/hl7`, with what it
//! means. They are written after the standard and its published examples; none was recorded at a device.

use std::path::Path;

use linli_domain::vital::Reading;
use linli_domain::{ClockQuality, Stamp, Timestamp};
use linli_vitals::{Zone, hl7};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    segments: Vec<String>,
    /// Quantity, site and value of each reading.
    expect: Vec<String>,
    /// Kind, title and length of each document.
    #[serde(default)]
    documents: Vec<String>,
    /// How many results have a flaw that the answer names.
    #[serde(default)]
    flawed: usize,
}

fn shown(reading: &Reading) -> String {
    let site = reading.site.map_or_else(String::new, |site| format!("({})", site.as_str()));
    let value = reading.shown().unwrap_or_else(|| "none".to_owned());
    format!("{}{site} {value}", reading.quantity.as_str())
}

#[test]
fn every_version_says_what_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts/hl7");
    let mut versions = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap().path();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let message: Message = toml::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let text: String = message.segments.iter().map(|segment| format!("{segment}\r")).collect();
        let read = hl7::Message::parse(text.as_bytes()).unwrap();
        let now = Stamp { at: Timestamp(1_795_946_400_000), clock: ClockQuality::Synchronised };
        let results =
            hl7::results(&read, now, &Zone::East(480)).unwrap_or_else(|why| panic!("{name}: {why}"));
        let readings: Vec<String> =
            results.measurements.iter().flat_map(|one| &one.readings).map(shown).collect();
        assert_eq!(readings, message.expect, "{name}");
        let documents: Vec<String> = results
            .measurements
            .iter()
            .flat_map(|one| &one.attachments)
            .map(|one| format!("{} {} {}", one.media_type, one.title, one.data.len()))
            .collect();
        assert_eq!(documents, message.documents, "{name}");
        assert_eq!(results.flawed.len(), message.flawed, "{name}: {:?}", results.flawed);
        versions.push(read.header(12));
    }
    versions.sort();
    versions.dedup();
    assert_eq!(versions, ["2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.8"]);
}
