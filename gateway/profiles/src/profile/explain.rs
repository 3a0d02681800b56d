//! A profile for the person in front of the device.

use std::fmt::Write;

use super::{Point, Profile};
use crate::codec::Kind;
use crate::data::Table;
use linli_domain::unit;

// === impl Profile ===

impl Profile {
    /// The points as a table: where they are, what they measure, what may be written.
    #[must_use]
    pub fn explain(&self, zh: bool) -> String {
        let mut out = String::new();
        let (title, source) = if zh { (&self.title_zh, "来源") } else { (&self.title, "source") };
        let _ = writeln!(out, "{}: {title}\n{source}: {}\n", self.name, self.source);
        let rows: Vec<[String; 5]> = self.points.iter().map(|point| row(point, zh)).collect();
        let head = if zh {
            ["点", "地址", "类型", "单位", "说明"]
        } else {
            ["point", "address", "type", "unit", "meaning"]
        };
        let head = head.map(str::to_owned);
        let width = |column: usize| {
            std::iter::once(&head).chain(&rows).map(|r| r[column].chars().count()).max().unwrap_or(0)
        };
        let widths = [width(0), width(1), width(2), width(3)];
        for row in std::iter::once(&head).chain(&rows) {
            for (cell, width) in row.iter().zip(widths) {
                let _ = write!(out, "{cell:width$}  ");
            }
            let _ = writeln!(out, "{}", row[4]);
        }
        out
    }
}

fn row(point: &Point, zh: bool) -> [String; 5] {
    let table = match point.span.table {
        Table::Coil => "coil",
        Table::DiscreteInput => "discrete",
        Table::InputRegister => "input",
        Table::HoldingRegister => "holding",
    };
    let kind = match point.codec.kind {
        Kind::Text { registers, .. } => format!("text[{registers}]"),
        Kind::Bit(bit) => format!("bit {bit}"),
        Kind::Bool => "bool".to_owned(),
        Kind::U16 => "u16".to_owned(),
        Kind::I16 => "i16".to_owned(),
        Kind::U32 => "u32".to_owned(),
        Kind::I32 => "i32".to_owned(),
        Kind::U64 => "u64".to_owned(),
        Kind::I64 => "i64".to_owned(),
        Kind::F32 => "f32".to_owned(),
        Kind::F64 => "f64".to_owned(),
        Kind::Bcd16 => "bcd16".to_owned(),
        Kind::Bcd32 => "bcd32".to_owned(),
    };
    let unit = unit::find(&point.spec.unit);
    let mut meaning: Vec<String> = Vec::new();
    if point.about.is_empty() {
        meaning.extend(unit.map(|u| if zh { u.quantity_zh } else { u.quantity }.to_owned()));
    } else {
        meaning.push(point.about.clone());
    }
    if let Some((low, high)) = point.codec.range {
        meaning.push(format!("{low} … {high}"));
    }
    if let Some(write) = point.write {
        let word = if zh { "可写" } else { "writable" };
        meaning.push(format!("{word} {} … {}", write.min, write.max));
    }
    if point.counter {
        meaning.push(if zh { "累计量" } else { "counter" }.to_owned());
    }
    let symbol = unit.map_or("", |u| u.symbol).to_owned();
    [
        point.spec.name.to_string(),
        format!("{table} 0x{:04X}", point.span.start),
        kind,
        symbol,
        meaning.join(", "),
    ]
}
