//! Corrects a file of the wrong shape in memory, so that one run reports all problems and not only
//! those of the shape. The result is checked but never used.

use serde_json::Value as Json;
use toml::{Table, Value};

use super::text::{Step, way};

/// How one mistake is corrected.
#[derive(Debug, Clone, PartialEq)]
pub enum Recovery {
    /// Remove an unknown key that resembles no known one.
    Remove(Vec<Step>),
    /// Rename an unknown key to the known one that it resembles.
    Rename(Vec<Step>, String),
    /// Insert a value where it is missing or of the wrong type.
    Put(Vec<Step>, Value),
}

/// Returns the corrected file; `None` when it is not TOML or a path does not exist.
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

/// Keys whose values were inserted: problems with them are not reported.
pub fn invented(recoveries: &[Recovery]) -> impl Iterator<Item = String> {
    recoveries.iter().filter_map(|recovery| match recovery {
        Recovery::Put(path, _) => Some(way(path)),
        Recovery::Remove(_) | Recovery::Rename(..) => None,
    })
}

/// Returns a value of the named type that satisfies its schema.
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
