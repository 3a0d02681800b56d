//! Predicates over readings, of which guards consist. Each is true, false, or unknown.

use serde::{Deserialize, Serialize};

use super::expression::{Literal, Op};
use super::truth::Truth;
use crate::facility::{Facility, Read, ReadSource};
use linli_domain::Value;

/// One comparison of one reading.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Predicate {
    /// Position of the fixture.
    pub fixture: usize,
    /// Position of the reading in it.
    pub read: usize,
    /// The comparison.
    pub claim: Claim,
}

/// The comparison of a reading.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Claim {
    /// Compares with a literal.
    Is(Op, Literal),
    /// Lies in a range, both ends included.
    Within(f64, f64),
}

/// The present readings.
pub trait Readings {
    /// Returns the value of a point if it is good and fresh.
    fn value(&self, point: &linli_domain::alarm::Source) -> Option<Value>;
}

// === impl Predicate ===

impl Predicate {
    /// Evaluates the predicate.
    #[must_use]
    pub fn truth(&self, facility: &Facility, readings: &dyn Readings) -> Truth {
        self.reading(facility, readings).map_or(Truth::Unknown, |reading| self.claim.of(&reading))
    }

    /// Returns the reading, by the names of its values.
    #[must_use]
    pub fn reading(&self, facility: &Facility, readings: &dyn Readings) -> Option<Literal> {
        let fixture = facility.fixtures.get(self.fixture)?;
        let read = fixture.reads.get(self.read)?;
        let value = match &read.from {
            ReadSource::Constant(number) => Literal::Number(*number),
            ReadSource::Point(point) => literal(&readings.value(point)?, &read.words)?,
        };
        match (read.is_per_volume, value) {
            (false, value) => Some(value),
            (true, Literal::Number(number)) => {
                let volume = facility.rooms.get(fixture.room)?.volume.filter(|volume| *volume > 0.0)?;
                Some(Literal::Number(number / volume))
            }
            (true, Literal::Word(_)) => None,
        }
    }

    /// Returns the predicate as text.
    #[must_use]
    pub fn text(&self, facility: &Facility) -> String {
        let Some(fixture) = facility.fixtures.get(self.fixture) else { return String::new() };
        let read = fixture.reads.get(self.read).map_or("?", |read| &read.name);
        match &self.claim {
            Claim::Is(op, literal) => format!("{}.{read} {op} {literal}", fixture.id),
            Claim::Within(low, high) => format!("{}.{read} in {low}..{high}", fixture.id),
        }
    }
}

// === impl Claim ===

impl Claim {
    /// Returns what is wrong with the comparison for this reading: an operator that words do not have, a word
    /// the reading never is, or a number for a reading of words.
    pub(super) fn fault(&self, read: &Read) -> Option<String> {
        let name = &read.name;
        match self {
            Self::Is(op, Literal::Word(word)) if read.speaks_words() => {
                if !matches!(op, Op::Equal | Op::Unequal) {
                    return Some(format!("{name} is a word: only == and != compare words"));
                }
                let known: Vec<&str> = read.words.iter().map(|(word, _)| word.as_str()).collect();
                (!known.contains(&word.as_str()))
                    .then(|| format!("{name} is never {word:?}; it is one of: {}", known.join(", ")))
            }
            Self::Is(_, Literal::Number(_)) | Self::Within(..) if read.speaks_words() => {
                Some(format!("{name} is a word, not a number"))
            }
            Self::Is(op, Literal::Word(word)) => (!matches!(op, Op::Equal | Op::Unequal))
                .then(|| format!("{name} cannot be greater or less than the word {word:?}")),
            _ => None,
        }
    }

    fn of(&self, reading: &Literal) -> Truth {
        match (self, reading) {
            (Self::Within(low, high), Literal::Number(number)) => (*low..=*high).contains(number).into(),
            (Self::Is(op, Literal::Number(with)), Literal::Number(number)) => {
                op.compare(*number, *with).into()
            }
            (Self::Is(op, Literal::Word(with)), Literal::Word(word)) => {
                let same = plain(word) == plain(with);
                match op {
                    Op::Equal => same.into(),
                    Op::Unequal => (!same).into(),
                    _ => Truth::Unknown,
                }
            }
            // A word compared with a number is unknown.
            _ => Truth::Unknown,
        }
    }
}

// === impl Op ===

impl Op {
    #[expect(clippy::float_cmp, reason = "states and words that happen to be numbers are compared exactly")]
    fn compare(self, left: f64, right: f64) -> bool {
        match self {
            Self::Equal => left == right,
            Self::Unequal => left != right,
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::More => left > right,
            Self::AtLeast => left >= right,
        }
    }
}

/// Returns the name of a value, where it has one.
fn literal(value: &Value, words: &[(String, Value)]) -> Option<Literal> {
    let same = |known: &Value| match (known.as_f64(), value.as_f64()) {
        (Some(known), Some(value)) => Op::Equal.compare(known, value),
        _ => known == value,
    };
    if let Some((word, _)) = words.iter().find(|(_, known)| same(known)) {
        return Some(Literal::Word(word.clone()));
    }
    // A value without a name among named values is unknown.
    if !words.is_empty() {
        return None;
    }
    match value {
        Value::Bool(is_on) => Some(Literal::Word(is_on.to_string())),
        Value::Text(text) => Some(Literal::Word(text.to_string())),
        number => number.as_f64().map(Literal::Number),
    }
}

/// `on` and `off` are `true` and `false`.
pub(super) fn plain(word: &str) -> &str {
    match word {
        "on" => "true",
        "off" => "false",
        other => other,
    }
}
