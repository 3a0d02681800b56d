//! Parameters of paths and queries.
// tidy: table

use schemars::SchemaGenerator;
use serde_json::{Value, json};

use super::operation::Operation;
use super::schema::{with_limits, without_null};

/// What a parameter of a path is, by its name. What is no id of the configuration is 404.
const PATHS: [(&str, &str, &str); 17] = [
    ("account", "Id of an account.", ID),
    ("alarm", "Id of an alarm.", ID),
    ("background", "What names a drawing, from `GET /api/v1/centre`.", "^[0-9a-f]{16}$"),
    ("operation", "What is done.", ""),
    ("device", "Id of a device.", ID),
    ("draft", "Id of a draft.", "^local-[0-9a-f]{12}$"),
    ("fault", "Name of a fault of the demonstration.", ID),
    ("id", "Id of the visit or measurement.", "^[a-z0-9-]{1,64}$"),
    ("kiosk", "Id of a kiosk.", ID),
    ("line", "Id of a line.", ID),
    ("log", "A log of the record.", "^(mode|accounts|nodes|access|alarms)$"),
    ("plan", "A plan and its version, `id@version`.", "^[a-z0-9][a-z0-9._-]{0,47}@[0-9]{1,9}$"),
    ("plans", "Plans, separated by commas.", "^[a-z0-9._@,-]{1,400}$"),
    ("point", "Id of a point.", ID),
    ("pseudonym", "Pseudonym of a resident.", "^[A-Z2-7]{26}$"),
    ("room", "Id of a room.", ID),
    ("seq", "Number of a record.", "^[0-9]{1,18}$"),
];

const ID: &str = "^[a-z0-9][a-z0-9._-]{0,47}$";

/// The parameters of an operation.
pub fn all(operation: &Operation, generator: &mut SchemaGenerator) -> Vec<Value> {
    let names = operation.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut all: Vec<Value> = names.map(|name| of_path(name, operation.operations)).collect();
    if let Some(query) = operation.query {
        all.extend(of_query(&query(generator).to_value()));
    }
    all
}

fn of_path(name: &str, operations: &[&str]) -> Value {
    let known = PATHS.iter().find(|(known, ..)| *known == name);
    let (about, pattern) = known.map_or(("Id of a screen.", ID), |(_, about, pattern)| (*about, *pattern));
    let schema = match name {
        "operation" => json!({"type": "string", "enum": operations}),
        _ => json!({"type": "string", "pattern": pattern}),
    };
    json!({"name": name, "in": "path", "required": true, "description": about, "schema": schema})
}

/// One parameter for each member of the schema.
fn of_query(schema: &Value) -> Vec<Value> {
    let is_required =
        |name: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
    let one = |(name, schema): (&String, &Value)| {
        let mut schema = schema.clone();
        without_null(&mut schema);
        with_limits(&mut schema);
        let about =
            schema.as_object_mut().and_then(|schema| schema.remove("description")).unwrap_or_default();
        let mut parameter =
            json!({"name": name, "in": "query", "required": is_required(name), "schema": schema});
        if !about.is_null() {
            parameter["description"] = about;
        }
        parameter
    };
    schema["properties"].as_object().into_iter().flatten().map(one).collect()
}
