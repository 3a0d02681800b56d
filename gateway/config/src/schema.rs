//! The JSON Schema of the configuration, for editors and for the shape check.

use serde_json::{Value, json};

use super::raw::plan::PlanFile;
use super::raw::{AlarmsFile, DevicesFile, FacilityFile, GatewayFile, MattersFile};

/// The files of a configuration, in the order they are read.
pub const FILES: [&str; 5] = ["gateway.toml", "facility.toml", "devices.toml", "alarms.toml", "matters.toml"];

/// Optional files.
pub const OPTIONAL: [&str; 2] = ["alarms.toml", "matters.toml"];

/// Name of the schema of plan files, of which there may be any number.
pub const PLANS: &str = "plans/*.toml";

/// Returns the schema of one of [`FILES`], or of [`PLANS`].
#[must_use]
pub fn of(file: &str) -> Value {
    match file {
        "gateway.toml" => schemars::schema_for!(GatewayFile).to_value(),
        "facility.toml" => schemars::schema_for!(FacilityFile).to_value(),
        "devices.toml" => schemars::schema_for!(DevicesFile).to_value(),
        "alarms.toml" => schemars::schema_for!(AlarmsFile).to_value(),
        "matters.toml" => schemars::schema_for!(MattersFile).to_value(),
        PLANS => schemars::schema_for!(PlanFile).to_value(),
        file if file.starts_with("plans/") => of(PLANS),
        _ => Value::Null,
    }
}

/// Returns the schemas of all files by name.
#[must_use]
pub fn all() -> Value {
    Value::Object(FILES.iter().chain([&PLANS]).map(|file| ((*file).to_owned(), of(file))).collect())
}

/// Returns the reference page in Markdown: every key with its type, default and meaning.
#[must_use]
pub fn reference() -> String {
    let mut page = String::from(
        "# Configuration reference\n\nGenerated from the code by `linli schema --markdown`; a test keeps it true. \
         Durations are a whole number and a unit (`500ms`, `5s`, `10m`, `2h`, `7d`), sizes likewise (`512MiB`).\n",
    );
    for file in FILES.into_iter().chain([PLANS]) {
        let schema = of(file);
        page.push_str(&format!("\n## {file}\n"));
        section(&mut page, &schema, &schema, "");
    }
    page
}

fn section(page: &mut String, root: &Value, schema: &Value, name: &str) {
    let schema = resolve(root, schema);
    if let Some(kinds) = schema["oneOf"].as_array().filter(|k| k.iter().any(|k| k["properties"].is_object()))
    {
        for kind in kinds {
            let word = kind["properties"]["kind"]["const"].as_str().unwrap_or_default();
            section(page, root, kind, &format!("{name} kind = \"{word}\""));
        }
        return;
    }
    let Some(properties) = schema["properties"].as_object() else { return };
    if !name.is_empty() {
        let about = schema["description"].as_str().unwrap_or_default();
        page.push_str(&format!("\n### {name}\n\n{about}\n\n| key | type | | meaning |\n|---|---|---|---|\n"));
    }
    let required = |key: &str| schema["required"].as_array().is_some_and(|r| r.iter().any(|k| k == key));
    let mut inner = Vec::new();
    for (key, property) in properties {
        let of = resolve(root, property);
        let element = resolve(root, &of["items"]);
        if of["properties"].is_object() && name.is_empty() {
            inner.push((format!("[{key}]"), property.clone()));
            continue;
        }
        if of["type"] == "array"
            && (element["properties"].is_object() || element["oneOf"][0]["properties"].is_object())
        {
            let prefix = name.trim_matches(['[', ']']);
            let full = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
            inner.push((format!("[[{full}]]"), of["items"].clone()));
            continue;
        }
        let about =
            property["description"].as_str().or_else(|| of["description"].as_str()).unwrap_or_default();
        let need = if required(key) { "required" } else { "" };
        page.push_str(&format!(
            "| `{key}` | {} | {need} | {} |\n",
            kind_word(root, &of),
            about.replace('\n', " ")
        ));
    }
    for (name, schema) in inner {
        section(page, root, &schema, &name);
    }
}

fn kind_word(root: &Value, schema: &Value) -> String {
    if let Some(word) = schema["const"].as_str() {
        return format!("`\"{word}\"`");
    }
    let listed = schema["enum"].as_array().or_else(|| schema["oneOf"].as_array());
    if let Some(words) = listed {
        let word = |w: &Value| w.as_str().or_else(|| w["const"].as_str()).map(|w| format!("`\"{w}\"`"));
        return words.iter().filter_map(word).collect::<Vec<_>>().join(", ");
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().find(|k| *k != "null").cloned().unwrap_or(json!("any")),
        other => other.clone(),
    };
    match (kind.as_str().unwrap_or("any"), schema["examples"][0].as_str()) {
        ("array", _) => format!("list of {}", kind_word(root, &resolve(root, &schema["items"]))),
        ("string", Some(example)) => format!("text, e.g. `\"{example}\"`"),
        ("string", None) => "text".to_owned(),
        ("object", _) => {
            let keys = schema["properties"]
                .as_object()
                .map(|p| p.keys().map(|k| format!("`{k}`")).collect::<Vec<_>>());
            format!("table: {}", keys.unwrap_or_default().join(", "))
        }
        (kind, _) => kind.to_owned(),
    }
}

fn resolve(root: &Value, schema: &Value) -> Value {
    if let Some(name) = schema["$ref"].as_str().and_then(|r| r.strip_prefix("#/$defs/")) {
        return resolve(root, &root["$defs"][name]);
    }
    if let Some(real) = schema["anyOf"].as_array().and_then(|any| any.iter().find(|s| s["type"] != "null")) {
        return resolve(root, real);
    }
    schema.clone()
}
