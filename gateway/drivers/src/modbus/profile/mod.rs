//! Device profiles: what a model's registers mean. Pure data, with its own test vectors.

mod check;
mod explain;
mod raw;
mod set;

use std::time::Duration;

use linli_domain::{Id, PointSpec};

use crate::modbus::codec::Codec;
use crate::modbus::data::{Data, Span, Table};

pub use check::vectors_hold;
pub use set::{ProfileError, ProfileSet, problems_of};

/// A checked profile.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) title_zh: String,
    pub(crate) source: String,
    pub(crate) limits: Limits,
    pub(crate) identify: Option<Identify>,
    pub(crate) points: Vec<Point>,
    pub(crate) vectors: Vec<Vector>,
}

/// What the model can bear.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Limits {
    /// Most registers in one request.
    pub block_registers: u16,
    /// Most bits in one request.
    pub block_bits: u16,
    /// Unused registers worth reading to save a request.
    pub gap_registers: u16,
    /// Pause needed between two requests.
    pub request_gap: Duration,
    /// Time it usually takes to begin its reply; for the budget only.
    pub reply: Duration,
}

/// How to tell that the device is this model.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Identify {
    pub span: Span,
    pub codec: Codec,
    pub plausible: (f64, f64),
}

/// One point of the model.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Point {
    pub spec: PointSpec,
    pub about: String,
    pub span: Span,
    pub codec: Codec,
    pub write: Option<WriteRule>,
    pub counter: bool,
}

/// What may be written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct WriteRule {
    pub min: f64,
    pub max: f64,
    /// Use FC 16 (or 15) even for a single register, because the model knows no FC 6 (or 5).
    pub multiple: bool,
}

/// A captured exchange and what it means.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Vector {
    pub data: Vec<(Table, u16, Data)>,
    pub expect: Vec<(Id, Expect)>,
}

/// What a point of a vector must give.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expect {
    Number(f64),
    Bool(bool),
    Text(String),
    Nothing,
}

// === impl Profile ===

impl Profile {
    /// `vendor/model`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is, in English.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What it is, in Chinese.
    #[must_use]
    pub fn title_zh(&self) -> &str {
        &self.title_zh
    }

    /// What its points are.
    #[must_use]
    pub fn points(&self) -> Vec<PointSpec> {
        self.points.iter().map(|point| point.spec.clone()).collect()
    }
}
