//! What else a point could mean: other addresses and other orders of bytes, and whether their values are plausible.

use linli_domain::{Quality, Value};

use crate::codec::{Codec, Kind, Order};
use crate::data::{Span, Table};

/// Sizes that measured floating-point numbers have: others come from bytes in a wrong order.
const MEASURED: std::ops::RangeInclusive<f64> = 1e-6..=1e12;

/// Whether somebody can measure this. Without a range, only floating-point numbers tell.
#[must_use]
pub fn is_plausible(codec: &Codec, words: &[u16]) -> bool {
    let (quality, value) = codec.decode(words);
    let is_float = matches!(codec.kind, Kind::F32 | Kind::F64);
    match (quality, value) {
        (Quality::Good, Some(Value::Float(number))) if is_float => {
            number == 0.0 || MEASURED.contains(&number.abs())
        }
        (Quality::Good, Some(_)) => true,
        // A sentinel says "no value" in the right place.
        _ => !is_float && codec.range.is_none(),
    }
}

/// Whether the value speaks for this place: plausible, and a number that does not come about by accident.
#[must_use]
pub fn speaks_for(codec: &Codec, words: &[u16]) -> bool {
    let can_tell = codec.range.is_some() || matches!(codec.kind, Kind::F32 | Kind::F64);
    can_tell && is_plausible(codec, words) && words.iter().any(|word| *word != 0)
}

/// The other orders of bytes that a value of this length can have.
pub fn other_orders(codec: &Codec) -> impl Iterator<Item = Order> {
    let is_long = codec.kind.words() > 1;
    let orders = if is_long {
        vec![Order::Abcd, Order::Cdab, Order::Badc, Order::Dcba]
    } else {
        vec![Order::Abcd, Order::Badc]
    };
    let own = codec.order;
    orders.into_iter().filter(move |order| *order != own)
}

/// Where else the registers of a point may be: manuals count from 1, and mix the tables.
pub fn other_places(span: Span) -> Vec<Span> {
    let at = |start: Option<u16>, table: Table| start.map(|start| Span { table, start, ..span });
    let other = match span.table {
        Table::HoldingRegister => Table::InputRegister,
        Table::InputRegister => Table::HoldingRegister,
        Table::Coil => Table::DiscreteInput,
        Table::DiscreteInput => Table::Coil,
    };
    let base = match span.table {
        Table::HoldingRegister => 40_001,
        Table::InputRegister => 30_001,
        Table::DiscreteInput => 10_001,
        Table::Coil => u16::MAX,
    };
    let start = span.start;
    let numbered = start.checked_sub(base);
    let places = [
        at(numbered, span.table),
        at(start.checked_sub(1), span.table),
        at(Some(start), other),
        at(start.checked_add(1), span.table),
        at(start.checked_sub(1), other),
    ];
    places
        .into_iter()
        .flatten()
        .filter(|place| u32::from(place.start) + u32::from(place.count) <= 65_536)
        .collect()
}
