//! The transaction that asks a FHIR server to delete what it has of an erased visit. Each resource is named by the
//! identifier or the tag under which `transaction` put it; one that is not there is no error (FHIR R4, clause 3.1.0.7.1).

use std::collections::BTreeMap;

use linli_domain::vital::Quantity;
use serde_json::{Value, json};

use super::is_pressure;
use super::transaction::escaped;

/// What is to be deleted.
#[derive(Debug, Clone)]
pub struct Erasure<'a> {
    /// Id of the centre: part of every identifier.
    pub centre: &'a str,
    /// Id of the visit.
    pub visit: &'a str,
    /// Pseudonym of its resident, if one was named.
    pub pseudonym: Option<&'a str>,
    /// Whether the resident is to be deleted as well. The Patient of a visit without a name goes with it.
    pub resident: bool,
    /// What the server has: measurements, by id, with the version of each.
    pub sent: &'a BTreeMap<String, u32>,
}

/// The Bundle of type `transaction`.
#[must_use]
pub fn erasure(erasure: &Erasure<'_>) -> Value {
    let Erasure { centre, visit, pseudonym, resident, sent } = erasure;
    let mut entries = Vec::new();
    let mut delete = |kind: &str, parameter: &str, (system, value): (&str, &str)| {
        let url = format!("{kind}?{parameter}={}|{}", escaped(system), escaped(value));
        entries.push(json!({"request": {"method": "DELETE", "url": url}}));
    };
    let system = |what: &str| format!("urn:linli:{centre}:{what}");
    let (observation, version, encounter) = (system("observation"), system("version"), system("visit"));
    for (measurement, newest) in *sent {
        for number in 1..=*newest {
            for mark in ["", "-moved"] {
                let tag = format!("{measurement}.{number}{mark}");
                delete("Provenance", "_tag", (&version, &tag));
            }
        }
        for part in parts() {
            delete("Observation", "identifier", (&observation, &format!("{measurement}-{part}")));
        }
    }
    delete("Encounter", "identifier", (&encounter, visit));
    match pseudonym {
        None => delete("Patient", "identifier", (&encounter, visit)),
        Some(pseudonym) if *resident => delete("Patient", "identifier", ("urn:linli:pseudonym", pseudonym)),
        Some(_) => {}
    }
    json!({"resourceType": "Bundle", "type": "transaction", "entry": entries})
}

/// The ends of the identifiers that Observations of a measurement can have.
fn parts() -> Vec<String> {
    let single = Quantity::ALL.into_iter().filter(|quantity| !is_pressure(*quantity));
    let single = single.map(|quantity| quantity.as_str().replace('_', "-"));
    std::iter::once("blood-pressure".to_owned()).chain(single).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(pseudonym: Option<&str>, resident: bool) -> Vec<String> {
        let sent = BTreeMap::from([("m-1".to_owned(), 2)]);
        let bundle = erasure(&Erasure { centre: "xinghe", visit: "v-1", pseudonym, resident, sent: &sent });
        let entries = bundle["entry"].as_array().unwrap().iter();
        entries.map(|entry| entry["request"]["url"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn everything_of_the_visit_is_named_and_the_patient_only_with_the_resident() {
        let all = urls(Some("P"), true);
        for wanted in [
            "Provenance?_tag=urn:linli:xinghe:version|m-1.2",
            "Provenance?_tag=urn:linli:xinghe:version|m-1.1-moved",
            "Observation?identifier=urn:linli:xinghe:observation|m-1-blood-pressure",
            "Observation?identifier=urn:linli:xinghe:observation|m-1-oxygen-saturation",
            "Encounter?identifier=urn:linli:xinghe:visit|v-1",
            "Patient?identifier=urn:linli:pseudonym|P",
        ] {
            assert!(all.iter().any(|url| url == wanted), "{wanted} is not among {all:?}");
        }
        let patient = |urls: &[String]| urls.iter().filter(|url| url.starts_with("Patient")).count();
        assert_eq!(patient(&urls(Some("P"), false)), 0, "other visits may be there");
        assert!(urls(None, false).contains(&"Patient?identifier=urn:linli:xinghe:visit|v-1".to_owned()));
    }
}
