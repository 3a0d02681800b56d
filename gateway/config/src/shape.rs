//! Checks the shape of a file against its JSON Schema: unknown keys, missing keys and wrong types are
//! all reported, each with its place. A file without such problems always deserialises.

use std::ops::Range;

use serde_json::Value as Json;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::recovery::{Recovery, stand_in};
use super::report::Problem;
use super::text::{Document, Step, way};

/// Similarity above which a word is suggested.
const LIKE: f64 = 0.75;

/// Most edits of a slip of the pen: with more, all that is known is named as well.
const SLIP: usize = 2;

/// Checks a document against a schema. Returns how each mistake could be corrected.
pub fn check(document: &Document<'_>, schema: &Json, problems: &mut Vec<Problem>) -> Vec<Recovery> {
    let mut walk = Walk { document, schema, problems, path: Vec::new(), recoveries: Vec::new() };
    walk.table(document.root.get_ref(), schema, 0..0);
    walk.recoveries
}

struct Walk<'w, 'a> {
    document: &'w Document<'a>,
    schema: &'w Json,
    problems: &'w mut Vec<Problem>,
    path: Vec<Step>,
    recoveries: Vec<Recovery>,
}

// === impl Walk ===

impl<'w> Walk<'w, '_> {
    fn wrong(&mut self, place: Range<usize>, message: impl Into<String>) {
        let Document { name, text, .. } = self.document;
        self.problems.push(Problem::at(name, text, place, way(&self.path), message));
    }

    /// Continues as if this value were at the present place.
    fn suppose(&mut self, value: toml::Value) {
        self.recoveries.push(Recovery::Put(self.path.clone(), value));
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>, schema: &'w Json) {
        let schema = self.resolve(schema);
        let place = value.span();
        if let Some(words) = words_of(schema) {
            return self.one_of(value, &words);
        }
        match (type_of(schema), value.get_ref()) {
            ("object", DeValue::Table(table)) => self.table(table, schema, place),
            ("array", DeValue::Array(array)) => {
                let items = &schema["items"];
                if let Some(count) = fixed_length(schema).filter(|count| *count != array.len()) {
                    self.wrong(place, format!("expected {count} numbers, found {}", array.len()));
                    return self.suppose(toml::Value::Array(vec![stand_in("number", items); count]));
                }
                for (index, element) in array.iter().enumerate() {
                    self.path.push(Step::Index(index));
                    self.value(element, items);
                    self.path.pop();
                }
            }
            ("kinds", DeValue::Table(table)) => self.kind(table, schema, place),
            ("string", DeValue::String(text)) => self.text(text, schema, place),
            ("integer", DeValue::Integer(integer)) => {
                let digits = integer.as_str().replace('_', "");
                let digits =
                    digits.trim_start_matches("0x").trim_start_matches("0o").trim_start_matches("0b");
                match i64::from_str_radix(digits, integer.radix()) {
                    #[expect(clippy::cast_precision_loss, reason = "limits are small")]
                    Ok(number) => self.range(number as f64, schema, place),
                    Err(_) => {
                        self.wrong(place, "this whole number is too large");
                        self.suppose(stand_in("integer", schema));
                    }
                }
            }
            ("number", DeValue::Integer(_) | DeValue::Float(_)) => {
                let text = match value.get_ref() {
                    DeValue::Integer(integer) => integer.as_str(),
                    DeValue::Float(float) => float.as_str(),
                    _ => "",
                };
                match text.replace('_', "").parse::<f64>() {
                    Ok(number) if number.is_finite() => self.range(number, schema, place),
                    _ => {
                        self.wrong(place, "this is not a finite decimal number");
                        self.suppose(stand_in("number", schema));
                    }
                }
            }
            ("boolean", DeValue::Boolean(_)) => {}
            (expected, found) => {
                let found = found.type_str();
                self.wrong(place, format!("expected {}, found {}", person(expected, schema), article(found)));
                self.suppose(stand_in(expected, schema));
            }
        }
    }

    fn table(&mut self, table: &DeTable<'_>, schema: &'w Json, place: Range<usize>) {
        let schema = self.resolve(schema);
        let Some(properties) = schema["properties"].as_object() else { return };
        for (key, value) in table {
            if key.get_ref() == "kind" && properties.get("kind").is_some_and(|kind| kind["const"].is_string())
            {
                // Checked when the schema was selected by it.
                continue;
            }
            self.path.push(Step::Key(key.get_ref().to_string()));
            match properties.get(key.get_ref().as_ref()) {
                Some(property) => self.value(value, property),
                None => self.unknown_key(table, key, value, properties),
            }
            self.path.pop();
        }
        for required in schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str) {
            if !table.keys().any(|key| key.get_ref() == required) && !self.is_renamed_to(required) {
                self.path.push(Step::Key(required.to_owned()));
                let about = properties[required]["description"].as_str().unwrap_or_default();
                let about = if about.is_empty() { String::new() } else { format!(": {about}") };
                self.wrong(place.clone(), format!("is missing{about}"));
                let property = self.resolve(&properties[required]);
                let word = words_of(property).and_then(|words| words.into_iter().next());
                let value = word.map_or_else(|| stand_in(type_of(property), property), toml::Value::String);
                self.suppose(value);
                self.path.pop();
            }
        }
    }

    /// An unknown key is checked like the known one it resembles, unless that one is also present.
    fn unknown_key(
        &mut self,
        table: &DeTable<'_>,
        key: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
        properties: &'w serde_json::Map<String, Json>,
    ) {
        let known: Vec<&str> = properties.keys().map(String::as_str).collect();
        let near = nearest(key.get_ref(), &known);
        let all = format!("known here: {}", known.join(", "));
        let hint = match near {
            Some(near) if strsim::osa_distance(near, key.get_ref()) <= SLIP => {
                format!("did you mean {near:?}?")
            }
            // It is like another word, and perhaps meant to be none of these.
            Some(near) => format!("did you mean {near:?}? {all}"),
            None => all,
        };
        self.wrong(key.span(), format!("unknown key; {hint}"));
        let free = near.filter(|near| !table.keys().any(|other| other.get_ref() == near));
        let Some(near) = free else { return self.recoveries.push(Recovery::Remove(self.path.clone())) };
        self.recoveries.push(Recovery::Rename(self.path.clone(), near.to_owned()));
        self.path.pop();
        self.path.push(Step::Key(near.to_owned()));
        self.value(value, &properties[near]);
    }

    /// Whether an unknown key of the present table resembles this one.
    fn is_renamed_to(&self, key: &str) -> bool {
        self.recoveries.iter().any(|recovery| match recovery {
            Recovery::Rename(path, to) => to == key && path[..path.len() - 1] == self.path[..],
            _ => false,
        })
    }

    /// A table whose `kind` selects one of several schemas.
    fn kind(&mut self, table: &DeTable<'_>, schema: &'w Json, place: Range<usize>) {
        let kinds: &'w [Json] = schema["oneOf"].as_array().map_or(&[], Vec::as_slice);
        let known: Vec<&str> =
            kinds.iter().filter_map(|k| k["properties"]["kind"]["const"].as_str()).collect();
        let given = table.iter().find(|(key, _)| key.get_ref() == "kind");
        self.path.push(Step::Key("kind".to_owned()));
        let Some((_, given)) = given else {
            self.wrong(place, format!("is missing; one of {}", known.join(", ")));
            self.path.pop();
            return;
        };
        let word = given.get_ref().as_str().unwrap_or_default().to_owned();
        let of = |word: &str| kinds.iter().find(|k| k["properties"]["kind"]["const"].as_str() == Some(word));
        let mut chosen = of(&word);
        if chosen.is_none() {
            let words: Vec<String> = known.iter().map(|&k| k.to_owned()).collect();
            self.one_of(given, &words);
            chosen = nearest(&word, &known).and_then(of);
        }
        self.path.pop();
        if let Some(chosen) = chosen {
            self.table(table, chosen, place);
        }
    }

    fn one_of(&mut self, value: &Spanned<DeValue<'_>>, words: &[String]) {
        let given = value.get_ref().as_str().map(str::to_owned);
        if given.as_ref().is_some_and(|given| words.contains(given)) {
            return;
        }
        let list = words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", ");
        let known: Vec<&str> = words.iter().map(String::as_str).collect();
        let near = given.as_deref().and_then(|given| nearest(given, &known));
        let hint = near.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
        let found = given.map_or_else(|| article(value.get_ref().type_str()), |given| format!("{given:?}"));
        self.wrong(value.span(), format!("{found} is not one of {list}{hint}"));
        let supposed = near.or(known.first().copied()).unwrap_or_default();
        self.suppose(toml::Value::String(supposed.to_owned()));
    }

    fn text(&mut self, text: &str, schema: &Json, place: Range<usize>) {
        // Each pattern belongs to a type whose parser gives the better message.
        let wrong = match schema["examples"][0].as_str() {
            Some("5s") => linli_drivers::duration::parse(text).err(),
            Some("512MiB") => super::raw::Size::try_from(text.to_owned()).err(),
            Some("5%") => {
                let share = text.strip_suffix('%').and_then(|n| n.parse::<u8>().ok());
                let fine = share.is_some_and(|n| (1..=50).contains(&n)) && !text.starts_with('0');
                (!fine).then(|| format!("{text:?} is not a share from \"1%\" to \"50%\""))
            }
            _ => None,
        };
        if let Some(wrong) = wrong {
            self.wrong(place, wrong);
            self.suppose(stand_in("string", schema));
        }
    }

    fn range(&mut self, number: f64, schema: &Json, place: Range<usize>) {
        let (low, high) = (schema["minimum"].as_f64(), schema["maximum"].as_f64());
        if low.is_some_and(|low| number < low) || high.is_some_and(|high| number > high) {
            let expected = match (low, high) {
                (Some(low), Some(high)) => format!("{low} to {high}"),
                (Some(low), None) => format!("at least {low}"),
                (_, high) => format!("at most {}", high.unwrap_or_default()),
            };
            self.wrong(place, format!("{number} is out of range, expected {expected}"));
            self.suppose(stand_in(type_of(schema), schema));
        }
    }

    /// Resolves `$ref`, and of an optional value the schema that is not `null`.
    fn resolve(&self, schema: &'w Json) -> &'w Json {
        if let Some(name) = schema["$ref"].as_str().and_then(|r| r.strip_prefix("#/$defs/")) {
            return self.resolve(&self.schema["$defs"][name]);
        }
        if let Some(any) = schema["anyOf"].as_array()
            && let Some(real) = any.iter().find(|s| s["type"] != "null")
        {
            return self.resolve(real);
        }
        schema
    }
}

/// Number of elements of a list of fixed length.
fn fixed_length(schema: &Json) -> Option<usize> {
    let (least, most) = (schema["minItems"].as_u64()?, schema["maxItems"].as_u64()?);
    (least == most).then(|| usize::try_from(least).unwrap_or(usize::MAX))
}

/// The values of an enumeration.
fn words_of(schema: &Json) -> Option<Vec<String>> {
    let words = |values: &[Json]| -> Option<Vec<String>> {
        let found: Vec<String> = values.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect();
        (!found.is_empty()).then_some(found)
    };
    if let Some(word) = schema["const"].as_str() {
        return Some(vec![word.to_owned()]);
    }
    if let Some(listed) = schema["enum"].as_array() {
        return words(listed);
    }
    let alternatives = schema["oneOf"].as_array()?;
    let mut all = Vec::new();
    for alternative in alternatives {
        match (alternative["const"].as_str(), alternative["enum"].as_array()) {
            (Some(word), _) => all.push(word.to_owned()),
            (None, Some(listed)) => all.extend(words(listed)?),
            (None, None) => return None,
        }
    }
    Some(all)
}

/// The one type of a schema that is not `null`; `kinds` for a choice by `kind`.
fn type_of(schema: &Json) -> &str {
    if schema["oneOf"].is_array() {
        return "kinds";
    }
    match &schema["type"] {
        Json::String(name) => name,
        Json::Array(names) => {
            names.iter().filter_map(Json::as_str).find(|name| *name != "null").unwrap_or("any")
        }
        _ => "any",
    }
}

fn person(expected: &str, schema: &Json) -> String {
    let example = schema["examples"][0].as_str().map(|e| format!(" such as \"{e}\"")).unwrap_or_default();
    match expected {
        "string" => format!("text in quotes{example}"),
        "integer" => "a whole number".to_owned(),
        "number" => "a number".to_owned(),
        "boolean" => "true or false".to_owned(),
        "array" => "a list [ … ]".to_owned(),
        "object" | "kinds" => "a table".to_owned(),
        other => other.to_owned(),
    }
}

fn article(found: &str) -> String {
    match found {
        "integer" | "array" => format!("an {found}"),
        other => format!("a {other}"),
    }
}

/// Returns the known word that is most similar to `word`.
pub fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    // One edit, an exchange of two letters included, always counts as similar.
    let like = |k: &str| if strsim::osa_distance(k, word) <= 1 { 1.0 } else { strsim::jaro_winkler(k, word) };
    known.iter().copied().filter(|k| like(k) >= LIKE).max_by(|a, b| like(a).total_cmp(&like(b)))
}
