//! Values of points.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A value that was measured. "No value" is `None`, never a number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// A coil, a discrete input, one bit of a register.
    Bool(bool),
    /// An unscaled integer register that fits.
    Integer(i64),
    /// An unsigned integer above `i64::MAX`.
    Unsigned(u64),
    /// A finite number: scaled registers and floats.
    Float(f64),
    /// A name, a serial number.
    Text(Arc<str>),
}

/// The kind of value a point announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueType {
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Integer,
    /// A number with decimals.
    Float,
    /// Text.
    Text,
}

// === impl Value ===

impl Value {
    /// A finite float, or nothing: `NaN` and infinities are "no value".
    #[must_use]
    pub fn float(value: f64) -> Option<Self> {
        value.is_finite().then_some(Self::Float(value))
    }

    /// An unsigned integer in its smallest form.
    #[must_use]
    pub fn unsigned(value: u64) -> Self {
        i64::try_from(value).map_or(Self::Unsigned(value), Self::Integer)
    }

    /// As a number, for dead-bands, limits and trends. Text has none.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "trends and limits need no more than 53 bits")]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Bool(b) => Some(f64::from(u8::from(*b))),
            Self::Integer(i) => Some(*i as f64),
            Self::Unsigned(u) => Some(*u as f64),
            Self::Float(f) => Some(*f),
            Self::Text(_) => None,
        }
    }

    /// Which kind it is.
    #[must_use]
    pub const fn kind(&self) -> ValueType {
        match self {
            Self::Bool(_) => ValueType::Bool,
            Self::Integer(_) | Self::Unsigned(_) => ValueType::Integer,
            Self::Float(_) => ValueType::Float,
            Self::Text(_) => ValueType::Text,
        }
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bool(b) => b.fmt(f),
            Self::Integer(i) => i.fmt(f),
            Self::Unsigned(u) => u.fmt(f),
            Self::Float(x) => x.fmt(f),
            Self::Text(t) => t.fmt(f),
        }
    }
}

// === impl ValueType ===

impl ValueType {
    /// The word used in `meta` payloads.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Integer => "i64",
            Self::Float => "f64",
            Self::Text => "text",
        }
    }
}
