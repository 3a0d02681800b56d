//! The document against the table of permissions and against the committed file.

use std::collections::BTreeSet;

use super::*;

/// The operations of the document: method, path, and what it says.
fn written() -> Vec<(String, String, Value)> {
    let document = document();
    let paths = document["paths"].as_object().unwrap().clone();
    let methods = |(path, item): (String, Value)| {
        let item = item.as_object().unwrap().clone();
        item.into_iter().map(move |(method, operation)| (method.to_uppercase(), path.clone(), operation))
    };
    paths.into_iter().flat_map(methods).collect()
}

#[test]
fn the_committed_document_is_this_one() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/openapi.json");
    let kept = std::fs::read_to_string(file).unwrap_or_default();
    let is_same = serde_json::from_str::<Value>(&kept).is_ok_and(|kept| kept == document());
    assert!(is_same, "run: cargo run -- openapi > docs/reference/openapi.json");
}

#[test]
fn every_route_of_the_api_is_in_it_and_nothing_else() {
    let rows = TABLE.iter().filter(|row| row.path.starts_with("/api/"));
    let table: BTreeSet<(String, String)> =
        rows.map(|row| (row.method.to_string(), row.path.to_owned())).collect();
    let found: BTreeSet<(String, String)> =
        written().into_iter().map(|(method, path, _)| (method, path)).collect();
    assert_eq!(found, table);
    assert_eq!(operations().len(), table.len(), "an operation of no route, or two of one");
}

#[test]
fn every_operation_says_what_it_is_and_who_may() {
    let mut ids = BTreeSet::new();
    for (method, path, operation) in written() {
        let at = format!("{method} {path}");
        for key in ["summary", "x-summary-zh", "operationId"] {
            assert!(operation[key].as_str().is_some_and(|text| !text.is_empty()), "{at}: {key}");
        }
        assert!(ids.insert(operation["operationId"].to_string()), "{at}: its name is that of another");
        let tag = operation["tags"][0].as_str().unwrap();
        assert!(TAGS.iter().any(|(name, ..)| *name == tag), "{at}: {tag}");
        let is_open = operation["security"] == json!([]);
        assert_eq!(operation["x-permission"].is_null(), is_open, "{at}");
        assert_eq!(operation["x-roles"].is_null(), is_open, "{at}");
        let answers = operation["responses"].as_object().unwrap();
        assert!(answers.keys().any(|status| status.starts_with('2')), "{at}");
        for status in answers.keys().filter(|status| !status.starts_with('2')) {
            assert_ne!(refusal::name(status.parse().unwrap()), "InternalServerError", "{at}: {status}");
        }
        let in_path = path.matches('{').count();
        let named = operation["parameters"].as_array().into_iter().flatten();
        assert_eq!(named.filter(|one| one["in"] == "path").count(), in_path, "{at}");
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_schema_is_used() {
    let document = document();
    let mut references = BTreeSet::new();
    collect(&document, &mut references);
    for reference in &references {
        let found = document.pointer(reference.trim_start_matches('#'));
        assert!(found.is_some(), "{reference} leads nowhere");
    }
    for kind in ["schemas", "responses"] {
        for name in document["components"][kind].as_object().unwrap().keys() {
            let reference = format!("#/components/{kind}/{name}");
            assert!(references.contains(&reference), "{reference} is not used");
        }
    }
}

#[test]
fn what_is_taken_and_what_is_given_do_not_share_a_name() {
    let mut writer = Writer { taken: schema::generator(), given: schema::generator() };
    for operation in operations() {
        let row = TABLE.iter().find(|row| row.method == operation.method && row.path == operation.path);
        writer.operation(row.unwrap(), &operation);
    }
    let taken: BTreeSet<&String> = writer.taken.definitions().keys().collect();
    let given: BTreeSet<&String> = writer.given.definitions().keys().collect();
    let both = taken.intersection(&given).filter(|name| {
        let (taken, given) = (&writer.taken.definitions()[**name], &writer.given.definitions()[**name]);
        taken != given
    });
    assert!(both.collect::<Vec<_>>().is_empty());
}

fn collect(value: &Value, references: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                match value {
                    Value::String(reference) if key == "$ref" => {
                        references.insert(reference.clone());
                    }
                    other => collect(other, references),
                }
            }
        }
        Value::Array(all) => all.iter().for_each(|one| collect(one, references)),
        _ => {}
    }
}

#[test]
fn every_doubt_of_a_reading_is_in_it() {
    let words = linli_domain::vital::Caveat::ALL.map(|caveat| serde_json::to_value(caveat).unwrap());
    assert_eq!(document()["components"]["schemas"]["Caveat"]["enum"], json!(words));
}
