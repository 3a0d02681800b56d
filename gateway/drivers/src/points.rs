//! Points of profiles that are code, not files.

use linli_domain::{Id, PointSpec, ValueType};

/// A point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// Its id.
    pub name: &'static str,
    /// UCUM code.
    pub unit: &'static str,
    /// What it holds.
    pub kind: ValueType,
    /// Whether commands may write it.
    pub writable: bool,
    /// What it is, for the documentation.
    pub about: &'static str,
}

/// A number.
pub(crate) const fn number(name: &'static str, unit: &'static str, about: &'static str) -> Point {
    Point { name, unit, kind: ValueType::Float, writable: false, about }
}

/// A whole number.
pub(crate) const fn count(name: &'static str, about: &'static str) -> Point {
    Point { name, unit: "1", kind: ValueType::Integer, writable: false, about }
}

/// Something that is or is not.
pub(crate) const fn flag(name: &'static str, about: &'static str) -> Point {
    Point { name, unit: "1", kind: ValueType::Bool, writable: false, about }
}

/// A text.
pub(crate) const fn text(name: &'static str, about: &'static str) -> Point {
    Point { name, unit: "1", kind: ValueType::Text, writable: false, about }
}

// === impl Point ===

impl Point {
    /// The same, and commands may write it.
    pub(crate) const fn writable(self) -> Self {
        Self { writable: true, ..self }
    }

    /// As it stands in a layout.
    pub(crate) fn spec(&self) -> Option<PointSpec> {
        Some(PointSpec {
            name: Id::new(self.name).ok()?,
            unit: self.unit.to_owned(),
            kind: self.kind,
            writable: self.writable,
        })
    }
}

/// All of them, as they stand in a layout.
pub(crate) fn specs(points: &[Point]) -> Vec<PointSpec> {
    points.iter().filter_map(Point::spec).collect()
}
