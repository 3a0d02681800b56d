//! Names people give to centres, rooms, lines, devices and points.
//!
//! They are used in MQTT topics, metric labels, file names and URLs, so they are checked once,
//! here, and cheap to copy afterwards.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Longest identifier in bytes: fits topics and table columns.
const LONGEST: usize = 48;

/// A checked name: `a-z`, `0-9`, `-`, `_` and `.`, starting with a letter or digit.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Id(Arc<str>);

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text is empty.
    #[error("must not be empty")]
    Empty,
    /// More than 48 characters.
    #[error("is {0} characters long, at most {LONGEST} are allowed")]
    Long(usize),
    /// A character that a topic, label or path cannot carry everywhere.
    #[error("contains {0:?}; use a-z, 0-9, '-', '_' and '.', starting with a letter or digit")]
    Character(char),
}

// === impl Id ===

impl Id {
    /// Creates an id from a text.
    pub fn new(text: &str) -> Result<Self, IdError> {
        let first = text.chars().next().ok_or(IdError::Empty)?;
        if !(first.is_ascii_lowercase() || first.is_ascii_digit()) {
            return Err(IdError::Character(first));
        }
        let allowed = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(*c);
        if let Some(bad) = text.chars().find(|c| !allowed(c)) {
            return Err(IdError::Character(bad));
        }
        if text.len() > LONGEST {
            return Err(IdError::Long(text.len()));
        }
        Ok(Self(text.into()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Id {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        Self::new(&text)
    }
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        id.0.as_ref().to_owned()
    }
}

impl std::borrow::Borrow<str> for Id {
    fn borrow(&self) -> &str {
        &self.0
    }
}
