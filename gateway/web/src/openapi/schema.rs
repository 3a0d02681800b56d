//! Texts and numbers that occur everywhere, with the limits that the code enforces, and what makes a schema of this
//! gateway out of one of `schemars`.

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

/// Where the document keeps its schemas.
const PLACE: &str = "/components/schemas";

/// A value that is always there, and may be null.
pub struct Nullable<T>(T);

/// A value that may be missing or null; written as `Option<OrNull<T>>`.
pub struct OrNull<T>(T);

/// Anything that is JSON.
pub struct Anything;

/// The pattern of a text without control characters.
pub const ONE_LINE: &str = r"^[^\u0000-\u001f\u007f-\u009f]*$";

/// How many days a sheet is about.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
pub enum SpanWord {
    /// The day.
    Day,
    /// From the Monday before it, seven days.
    Week,
    /// Its month of the calendar.
    Month,
}

/// A format of the canteen's record.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
pub enum FormWord {
    Html,
    Csv,
    Pdf,
}

/// A size of paper.
#[derive(JsonSchema)]
#[schemars(inline)]
pub enum PaperWord {
    /// A5.
    #[schemars(rename = "a5")]
    A5,
    /// A roll of 80 mm.
    #[schemars(rename = "80")]
    Roll80,
    /// A roll of 58 mm.
    #[schemars(rename = "58")]
    Roll58,
}

/// How a slip names the resident.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
pub enum NamingWord {
    None,
    Masked,
    Full,
}

/// A role that a person can have.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
pub enum RoleOfPeople {
    HealthWorker,
    Canteen,
    Operator,
    Technician,
    Command,
    Auditor,
    Admin,
}

macro_rules! texts {
    ($($(#[doc = $doc:literal])+ $name:ident $schema:tt;)+) => {$(
        $(#[doc = $doc])+
        pub struct $name;

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )+};
}

texts! {
    /// An id of the configuration: of a device, a point, a room, an account.
    Id { "type": "string", "pattern": "^[a-z0-9][a-z0-9._-]{0,47}$" };
    /// A moment, Unix milliseconds UTC.
    Moment { "type": "integer", "format": "int64" };
    /// A day of the calendar.
    Day { "type": "string", "format": "date" };
    /// What a person writes: one line.
    Line { "type": "string", "minLength": 1, "maxLength": 200, "pattern": r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$" };
    /// A span of time, such as `30m`: a whole number and `ms`, `s`, `m`, `h` or `d`, at most a century.
    Span { "type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$", "examples": ["30m"] };
    /// A plan and its version.
    PlanKey { "type": "string", "examples": ["hall.sampling@1"] };
    /// SHA-256, 64 hexadecimal digits.
    Hash { "type": "string" };
    /// The value of a point.
    Scalar { "type": ["boolean", "number", "string"] };
    /// Text without a schema.
    Text { "type": "string" };
}

impl<T: JsonSchema> JsonSchema for Nullable<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Nullable{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Option::<T>::json_schema(generator)
    }
}

impl<T: JsonSchema> JsonSchema for OrNull<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("OrNull{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<T>();
        json_schema!({"oneOf": [value, {"type": "null"}]})
    }
}

impl JsonSchema for Anything {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Anything".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({})
    }
}

/// A generator of schemas for the document.
pub fn generator() -> SchemaGenerator {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.meta_schema = None;
        settings.definitions_path = PLACE.into();
    });
    settings.into_generator()
}

/// Writes the limits of whole numbers out, which their format only implies.
pub fn with_limits(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            let limits = match members.get("format").and_then(Value::as_str) {
                Some("uint8") => Some((json!(0), json!(u8::MAX))),
                Some("uint16") => Some((json!(0), json!(u16::MAX))),
                Some("uint32") => Some((json!(0), json!(u32::MAX))),
                Some("uint64" | "uint") => Some((json!(0), json!(u64::MAX))),
                Some("int64") => Some((json!(i64::MIN), json!(i64::MAX))),
                _ => None,
            };
            if let Some((least, most)) = limits.filter(|_| is_whole(members)) {
                members.entry("minimum").or_insert(least);
                members.entry("maximum").or_insert(most);
            }
            members.values_mut().for_each(with_limits);
        }
        Value::Array(all) => all.iter_mut().for_each(with_limits),
        _ => {}
    }
}

fn is_whole(members: &Map<String, Value>) -> bool {
    match &members["type"] {
        Value::String(kind) => kind == "integer",
        Value::Array(kinds) => kinds.iter().any(|kind| kind == "integer"),
        _ => false,
    }
}

/// In an answer, a member that may be missing is never null.
pub fn as_answered(schema: &mut Value) {
    if let Value::Array(all) = schema {
        all.iter_mut().for_each(as_answered);
        return;
    }
    let Value::Object(members) = schema else { return };
    let required: Vec<String> = members
        .get("required")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        .unwrap_or_default();
    if let Some(Value::Object(properties)) = members.get_mut("properties") {
        for (_, property) in properties.iter_mut().filter(|(name, _)| !required.contains(name)) {
            without_null(property);
        }
    }
    members.values_mut().for_each(as_answered);
}

/// Takes null away from what a schema allows.
pub fn without_null(schema: &mut Value) {
    let Value::Object(members) = schema else { return };
    if let Some(Value::Array(kinds)) = members.get_mut("type") {
        kinds.retain(|kind| kind != "null");
        if let [one] = kinds.as_slice() {
            let one = one.clone();
            members.insert("type".to_owned(), one);
        }
    }
    if let Some(Value::Array(words)) = members.get_mut("enum") {
        words.retain(|word| !word.is_null());
    }
    let Some(Value::Array(mut either)) = members.remove("anyOf") else { return };
    either.retain(|one| one["type"] != "null");
    match <[Value; 1]>::try_from(either) {
        Ok([Value::Object(one)]) => members.extend(one),
        Ok([other]) => {
            members.insert("anyOf".to_owned(), json!([other]));
        }
        Err(either) => {
            members.insert("anyOf".to_owned(), json!(either));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_only_where_it_is_sent() {
        let mut schema = json!({
            "properties": {
                "a": {"type": ["string", "null"]},
                "b": {"type": ["string", "null"]},
                "c": {"anyOf": [{"$ref": "#/x"}, {"type": "null"}], "description": "c"},
                "d": {"type": ["string", "null"], "enum": ["x", null]},
            },
            "required": ["b"],
        });
        as_answered(&mut schema);
        assert_eq!(
            schema["properties"],
            json!({
                "a": {"type": "string"},
                "b": {"type": ["string", "null"]},
                "c": {"$ref": "#/x", "description": "c"},
                "d": {"type": "string", "enum": ["x"]},
            })
        );
    }

    #[test]
    fn whole_numbers_have_the_limits_of_their_type() {
        let mut schema = json!({"type": "integer", "format": "uint8", "minimum": 1});
        with_limits(&mut schema);
        assert_eq!(schema, json!({"type": "integer", "format": "uint8", "minimum": 1, "maximum": 255}));
    }
}
