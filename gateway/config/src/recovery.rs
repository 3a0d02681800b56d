//! A file whose shape is wrong, mended just enough to look further: people are told everything at
//! once, not one layer of mistakes a run. What comes out is only looked at, never run.

use serde_json::Value as Json;
use toml::{Table, Value};

use super::text::{Step, way};

/// How one mistake is mended.
#[derive(Debug, Clone, PartialEq)]
pub enum Recovery {
    /// An unknown key like no other.
    Remove(Vec<Step>),
    /// An unknown key that is nearly a known one.
    Rename(Vec<Step>, String),
    /// A value that is missing or of the wrong type.
    Put(Vec<Step>, Value),
}

/// The mended file, unless it cannot even be walked.
pub fn apply(text: &str, recoveries: &[Recovery]) -> Option<Value> {
    let mut root = Value::Table(text.parse::<Table>().ok()?);
    for recovery in recoveries {
        let (Recovery::Remove(path) | Recovery::Rename(path, _) | Recovery::Put(path, _)) = recovery;
        let (last, way) = path.split_last()?;
        let parent = way.iter().try_fold(&mut root, |value, step| match step {
            Step::Key(key) => value.as_table_mut()?.get_mut(key),
            Step::Index(index) => value.as_array_mut()?.get_mut(*index),
        });
        match (parent?, last, recovery) {
            (Value::Table(table), Step::Key(key), Recovery::Remove(_)) => drop(table.remove(key)),
            (Value::Table(table), Step::Key(key), Recovery::Rename(_, to)) => {
                let value = table.remove(key)?;
                table.entry(to).or_insert(value);
            }
            (Value::Table(table), Step::Key(key), Recovery::Put(_, value)) => {
                table.insert(key.clone(), value.clone());
            }
            (Value::Array(array), Step::Index(index), Recovery::Put(_, value)) => {
                *array.get_mut(*index)? = value.clone();
            }
            _ => return None,
        }
    }
    Some(root)
}

/// The keys whose values were invented: what is found wrong with them is not the user's doing.
pub fn invented(recoveries: &[Recovery]) -> impl Iterator<Item = String> {
    recoveries.iter().filter_map(|recovery| match recovery {
        Recovery::Put(path, _) => Some(way(path)),
        Recovery::Remove(_) | Recovery::Rename(..) => None,
    })
}

/// Some value of a type, given the type's name and its schema.
pub fn stand_in(kind: &str, schema: &Json) -> Value {
    match kind {
        "integer" => Value::Integer(schema["minimum"].as_i64().unwrap_or(1)),
        "number" => Value::Float(schema["minimum"].as_f64().unwrap_or(1.0)),
        "boolean" => Value::Boolean(false),
        "array" => Value::Array(Vec::new()),
        "object" | "kinds" => Value::Table(Table::new()),
        _ => Value::String(schema["examples"][0].as_str().unwrap_or_default().to_owned()),
    }
}
