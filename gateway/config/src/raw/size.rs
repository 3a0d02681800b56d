//! Sizes in bytes.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// A size in bytes such as "512MiB".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Size(pub u64);

// === impl Size ===

impl TryFrom<String> for Size {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let units = [("KiB", 1_u64 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
        let found =
            units.into_iter().find_map(|(unit, size)| text.strip_suffix(unit).map(|number| (number, size)));
        found
            .and_then(|(number, size)| number.parse::<u64>().ok()?.checked_mul(size))
            .map(Self)
            .ok_or_else(|| format!("{text:?} is not a size; write a whole number and a unit, such as \"512MiB\" (KiB, MiB, GiB)"))
    }
}

impl JsonSchema for Size {
    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[0-9]+(KiB|MiB|GiB)$", "examples": ["512MiB"]})
    }

    fn inline_schema() -> bool {
        true
    }
}
