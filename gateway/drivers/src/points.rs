//! Points of profiles that are defined in code.

use linli_domain::{Id, PointSpec, ValueType};

/// A point of a driver's own layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// Id of the point.
    pub name: &'static str,
    /// Unit (UCUM code).
    pub unit: &'static str,
    /// Type of its values.
    pub kind: ValueType,
    /// Whether commands may write it.
    pub writable: bool,
    /// What it is, for the documentation.
    pub about: &'static str,
}

/// Defines a floating-point number.
pub(crate) const fn number(name: &'static str, unit: &'static str, about: &'static str) -> Point {
    Point { name, unit, kind: ValueType::Float, writable: false, about }
}

/// Defines a whole number without a unit.
pub(crate) const fn count(name: &'static str, about: &'static str) -> Point {
    Point { name, unit: "1", kind: ValueType::Integer, writable: false, about }
}

/// Returns a boolean point.
pub(crate) const fn flag(name: &'static str, about: &'static str) -> Point {
    Point { name, unit: "1", kind: ValueType::Bool, writable: false, about }
}

/// Returns a text point.
pub(crate) const fn text(name: &'static str, about: &'static str) -> Point {
    Point { name, unit: "1", kind: ValueType::Text, writable: false, about }
}

// === impl Point ===

impl Point {
    /// Returns the same point, writable by commands.
    pub(crate) const fn writable(self) -> Self {
        Self { writable: true, ..self }
    }

    /// Returns the point as part of a layout.
    pub(crate) fn spec(&self) -> Option<PointSpec> {
        Some(PointSpec {
            name: Id::new(self.name).ok()?,
            unit: self.unit.to_owned(),
            kind: self.kind,
            writable: self.writable,
        })
    }
}

/// Returns points as part of a layout.
pub(crate) fn specs(points: &[Point]) -> Vec<PointSpec> {
    points.iter().filter_map(Point::spec).collect()
}
