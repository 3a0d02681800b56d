//! Device profiles: what a model's registers mean. Pure data, with its own test vectors.

mod check;
mod explain;
mod identity;
mod naming;
mod quality;
mod raw;
mod set;
mod vectors;

use std::time::Duration;

use linli_domain::{Id, PointSpec, Quality, Value};

use crate::codec::Codec;
use crate::data::{Data, Span, Table};

pub use identity::Identity;
pub use quality::QualityRule;
pub use set::{ProfileError, ProfileSet, problems_of, problems_of_own};
pub use vectors::vectors_hold;

/// A checked profile.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) title_zh: String,
    pub(crate) source: String,
    /// What one request may ask of it.
    pub limits: Limits,
    /// How to tell that a device is of this model; `None` where the profile does not say.
    pub identity: Option<Identity>,
    /// Its points, in the order of the file.
    pub points: Vec<Point>,
    pub(crate) vectors: Vec<Vector>,
    /// What may be a mistake, as sentences.
    pub(crate) warnings: Vec<String>,
}

/// Limits of the model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Most registers in one request.
    pub block_registers: u16,
    /// Most bits in one request.
    pub block_bits: u16,
    /// Unused registers worth reading to save a request.
    pub gap_registers: u16,
    /// Pause needed between two requests.
    pub request_gap: Duration,
    /// Typical response time; used for the budget only.
    pub reply: Duration,
}

/// One point of the model.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Name, unit and type.
    pub spec: PointSpec,
    /// What it is, where name and unit do not tell.
    pub about: String,
    /// Where its value is.
    pub span: Span,
    /// How its value lies there.
    pub codec: Codec,
    /// What may be written; `None` for a point that is only read.
    pub write: Option<WriteRule>,
    /// Whether it only increases: a decrease is a fault or a new meter.
    pub counter: bool,
    /// The register with the quality of the value.
    pub quality: Option<QualityRule>,
    /// Address of the register, in the same table, with the power of ten that scales the value.
    pub factor: Option<u16>,
}

/// What may be written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WriteRule {
    /// Least value.
    pub min: f64,
    /// Greatest value.
    pub max: f64,
    /// Use FC 16 (or 15) even for a single register, because the model knows no FC 6 (or 5).
    pub multiple: bool,
    /// The device holds the value only for the time of a lease: it is refreshed this often.
    pub refresh: Option<Duration>,
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

// === impl Point ===

impl Point {
    /// The addresses that one request must read for the value.
    #[must_use]
    pub fn reach(&self) -> Span {
        let Some(factor) = self.factor else { return self.span };
        let start = self.span.start.min(factor);
        let end = (self.span.start + (self.span.count - 1)).max(factor);
        Span { start, count: (end - start).saturating_add(1), ..self.span }
    }

    /// The value, and how good it is: by the codec, and where the device says so, by the device. `factor` is the
    /// content of the register that scales it.
    #[must_use]
    pub fn decode(&self, words: &[u16], factor: Option<u16>) -> (Quality, Option<Value>) {
        let value = words.get(..usize::from(self.codec.kind.words())).unwrap_or(words);
        let (quality, value) = match factor {
            Some(factor) => self.codec.decode_scaled(value, factor),
            None => self.codec.decode(value),
        };
        let Some(rule) = &self.quality else { return (quality, value) };
        let reported = words.get(usize::from(rule.offset)).map(|code| rule.quality(*code));
        match (reported, quality) {
            (Some(bad @ Quality::Bad(_)), _) => (bad, None),
            (Some(uncertain @ Quality::Uncertain(_)), Quality::Good) => (uncertain, value),
            _ => (quality, value),
        }
    }
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

    /// Whether a device of this model reports its serial number.
    #[must_use]
    pub fn tells_serial(&self) -> bool {
        self.identity.as_ref().is_some_and(Identity::tells_serial)
    }

    /// What may be a mistake in it.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// What its points are.
    #[must_use]
    pub fn points(&self) -> Vec<PointSpec> {
        self.points.iter().map(|point| point.spec.clone()).collect()
    }
}
