//! A file with its text and its parsed table, so that every problem has a place.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One element of a path to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A key of a table.
    Key(String),
    /// An element of an array.
    Index(usize),
}

/// A parsed file.
pub struct Document<'a> {
    /// Path relative to the configuration directory.
    pub name: &'a str,
    /// The text.
    pub text: &'a str,
    /// The parsed table, with spans.
    pub root: Spanned<DeTable<'a>>,
}

// === impl Document ===

impl<'a> Document<'a> {
    /// Parses a file.
    ///
    /// # Errors
    /// The place of the first syntax error, with the message of the parser.
    pub fn parse(name: &'a str, text: &'a str) -> Result<Self, (Range<usize>, String)> {
        match DeTable::parse(text) {
            Ok(root) => Ok(Self { name, text, root }),
            Err(error) => Err((error.span().unwrap_or(0..0), error.message().to_owned())),
        }
    }

    /// Place of a value; for a missing value, that of the nearest table around it.
    pub fn place(&self, path: &[Step]) -> Range<usize> {
        let mut place = 0..0;
        let mut value: Option<&Spanned<DeValue<'_>>> = None;
        for step in path {
            let next = match (step, value) {
                (Step::Key(key), None) => entry(self.root.get_ref(), key),
                (Step::Key(key), Some(value)) => {
                    value.get_ref().as_table().and_then(|table| entry(table, key))
                }
                (Step::Index(index), Some(value)) => {
                    value.get_ref().as_array().and_then(|array| array.get(*index)).map(|v| (v.span(), v))
                }
                (Step::Index(_), None) => None,
            };
            let Some((span, found)) = next else { break };
            place = span;
            value = Some(found);
        }
        place
    }
}

/// Value of a key and the place to report: the value, or the key when the value is a table.
fn entry<'t, 'a>(table: &'t DeTable<'a>, key: &str) -> Option<(Range<usize>, &'t Spanned<DeValue<'a>>)> {
    let (name, value) = table.iter().find(|(name, _)| name.get_ref() == key)?;
    let place =
        if value.get_ref().is_table() || value.get_ref().is_array() { name.span() } else { value.span() };
    Some((place, value))
}

/// The path in text form, such as `device[3].poll`, counted from one.
pub fn way(path: &[Step]) -> String {
    path.iter().fold(String::new(), |way, step| match step {
        Step::Key(key) if way.is_empty() => key.clone(),
        Step::Key(key) => format!("{way}.{key}"),
        Step::Index(index) => format!("{way}[{}]", index + 1),
    })
}
