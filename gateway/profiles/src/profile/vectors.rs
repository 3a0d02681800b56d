//! Captured exchanges: a profile shows by itself that it decodes what a real device said.

use linli_domain::Value;

use super::raw::RawTest;
use super::{Expect, Point, Profile, Vector};
use crate::data::{Data, Span, Table};

/// Values of a vector may differ from the written ones by this share: they are written rounded.
const ROUNDING: f64 = 1e-6;

/// Checks one vector; what is wrong is noted.
pub(super) fn check_vector(
    raw: &RawTest,
    index: usize,
    points: &[Point],
    problems: &mut Vec<String>,
) -> Option<Vector> {
    let before = problems.len();
    let mut wrong = |what: String| problems.push(format!("test {}: {what}", index + 1));
    let mut data = Vec::new();
    for (table, rows) in [
        (Table::Coil, &raw.coil),
        (Table::DiscreteInput, &raw.discrete),
        (Table::InputRegister, &raw.input),
        (Table::HoldingRegister, &raw.holding),
    ] {
        for (address, text) in rows {
            match (parse_address(address), parse_data(table, text)) {
                (Some(start), Some(found)) => data.push((table, start, found)),
                (None, _) => wrong(format!("{address:?} is not an address")),
                _ => {
                    wrong(format!("{text:?} is not register words in hex (\"42F6 E979\") or bits (\"101\")"))
                }
            }
        }
    }
    let known =
        |name: &str| points.iter().find(|p| p.spec.name.as_str() == name).map(|p| p.spec.name.clone());
    let mut expect = Vec::new();
    for (name, value) in &raw.expect {
        #[expect(clippy::cast_precision_loss, reason = "test values are small")]
        let value = match value {
            toml::Value::Integer(i) => Some(Expect::Number(*i as f64)),
            toml::Value::Float(f) => Some(Expect::Number(*f)),
            toml::Value::Boolean(b) => Some(Expect::Bool(*b)),
            toml::Value::String(s) => Some(Expect::Text(s.clone())),
            _ => None,
        };
        match (known(name), value) {
            (Some(id), Some(value)) => expect.push((id, value)),
            (None, _) => wrong(format!("there is no point {name:?}")),
            (_, None) => wrong(format!("{name}: expected a number, true, false or text")),
        }
    }
    for name in &raw.nothing {
        match known(name) {
            Some(id) => expect.push((id, Expect::Nothing)),
            None => wrong(format!("there is no point {name:?}")),
        }
    }
    if expect.is_empty() {
        wrong("expects nothing".to_owned());
    }
    (problems.len() == before).then_some(Vector { data, expect })
}

pub(super) fn parse_address(text: &str) -> Option<u16> {
    text.strip_prefix("0x").map_or_else(|| text.parse().ok(), |hex| u16::from_str_radix(hex, 16).ok())
}

fn parse_data(table: Table, text: &str) -> Option<Data> {
    if matches!(table, Table::Coil | Table::DiscreteInput) {
        let bit = |c: char| match c {
            '0' => Some(false),
            '1' => Some(true),
            _ => None,
        };
        return text.chars().filter(|c| *c != ' ').map(bit).collect::<Option<_>>().map(Data::Bits);
    }
    let words: Option<Vec<u16>> =
        text.split_whitespace().map(|word| u16::from_str_radix(word, 16).ok()).collect();
    words.filter(|words| !words.is_empty()).map(Data::Registers)
}

/// Runs every vector of a profile; a sentence for each value that comes out differently.
#[must_use]
pub fn vectors_hold(profile: &Profile) -> Vec<String> {
    let mut problems = Vec::new();
    for (index, vector) in profile.vectors.iter().enumerate() {
        for (name, expect) in &vector.expect {
            let Some(point) = profile.points.iter().find(|p| p.spec.name == *name) else { continue };
            let got = match find(vector, point.span) {
                Some(Found::Bit(bit)) => Some(Value::Bool(bit)),
                Some(Found::Words(words)) => match point.factor.map(|at| factor(vector, point.span, at)) {
                    Some(None) => {
                        problems.push(format!("test {}: {name}: its scale_point is not given", index + 1));
                        continue;
                    }
                    Some(Some(factor)) => point.decode(words, Some(factor)).1,
                    None => point.decode(words, None).1,
                },
                None => {
                    problems.push(format!("test {}: {name}: its registers are not given", index + 1));
                    continue;
                }
            };
            if !agrees(expect, got.as_ref()) {
                problems.push(format!("test {}: {name}: expected {expect:?}, got {got:?}", index + 1));
            }
        }
    }
    problems
}

enum Found<'a> {
    Bit(bool),
    Words(&'a [u16]),
}

/// The register that scales a value.
fn factor(vector: &Vector, value: Span, address: u16) -> Option<u16> {
    match find(vector, Span { start: address, count: 1, ..value })? {
        Found::Words(words) => words.first().copied(),
        Found::Bit(_) => None,
    }
}

fn find(vector: &Vector, span: Span) -> Option<Found<'_>> {
    vector.data.iter().filter(|(table, ..)| *table == span.table).find_map(|(_, start, data)| {
        let from = usize::from(span.start.checked_sub(*start)?);
        match data {
            Data::Bits(bits) => bits.get(from).map(|bit| Found::Bit(*bit)),
            Data::Registers(words) => words.get(from..from + usize::from(span.count)).map(Found::Words),
        }
    })
}

fn agrees(expect: &Expect, got: Option<&Value>) -> bool {
    match (expect, got) {
        (Expect::Nothing, None) => true,
        (Expect::Bool(a), Some(Value::Bool(b))) => a == b,
        (Expect::Text(a), Some(Value::Text(b))) => **a == **b,
        (Expect::Number(a), Some(value @ (Value::Integer(_) | Value::Unsigned(_) | Value::Float(_)))) => {
            value.as_f64().is_some_and(|b| (a - b).abs() <= a.abs() * ROUNDING)
        }
        _ => false,
    }
}
