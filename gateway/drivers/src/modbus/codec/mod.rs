//! From registers to values and back: types, word orders, decimal scaling.

mod number;
mod order;

use linli_domain::{Quality, Reason, Value, ValueType};

pub use number::Scale;
pub use order::Order;

/// How a value lies in registers or bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A coil or discrete input.
    Bool,
    /// One bit of a register, 0 is the least significant.
    Bit(u8),
    /// Unsigned 16 bits.
    U16,
    /// Two's complement 16 bits.
    I16,
    /// Unsigned 32 bits.
    U32,
    /// Two's complement 32 bits.
    I32,
    /// Unsigned 64 bits.
    U64,
    /// Two's complement 64 bits.
    I64,
    /// IEEE 754 single.
    F32,
    /// IEEE 754 double.
    F64,
    /// Four decimal digits.
    Bcd16,
    /// Eight decimal digits.
    Bcd32,
    /// Characters, two to a register, padded with NUL or space.
    Text {
        /// Length in registers.
        registers: u16,
    },
}

/// Everything needed to read and write one point's registers.
#[derive(Debug, Clone, PartialEq)]
pub struct Codec {
    /// Type.
    pub kind: Kind,
    /// Order of bytes and words.
    pub order: Order,
    /// Value = raw × scale + offset.
    pub scale: Scale,
    /// Raw words that mean "no measurement".
    pub none: Vec<u64>,
    /// What the device can physically measure.
    pub range: Option<(f64, f64)>,
}

// === impl Kind ===

impl Kind {
    /// Registers (or bits) it takes.
    #[must_use]
    pub const fn words(self) -> u16 {
        match self {
            Self::Bool | Self::Bit(_) | Self::U16 | Self::I16 | Self::Bcd16 => 1,
            Self::U32 | Self::I32 | Self::F32 | Self::Bcd32 => 2,
            Self::U64 | Self::I64 | Self::F64 => 4,
            Self::Text { registers } => registers,
        }
    }

    const fn is_float(self) -> bool {
        matches!(self, Self::F32 | Self::F64)
    }
}

// === impl Codec ===

impl Codec {
    /// The kind of value a point with this codec gives.
    #[must_use]
    pub const fn value_type(&self) -> ValueType {
        match self.kind {
            Kind::Bool | Kind::Bit(_) => ValueType::Bool,
            Kind::Text { .. } => ValueType::Text,
            Kind::F32 | Kind::F64 => ValueType::Float,
            _ if self.scale.is_identity() => ValueType::Integer,
            _ => ValueType::Float,
        }
    }

    /// Reads a value from exactly [`Kind::words`] registers.
    #[must_use]
    pub fn decode(&self, words: &[u16]) -> (Quality, Option<Value>) {
        if let Kind::Text { .. } = self.kind {
            return text(words);
        }
        let raw = self.order.join(words);
        if self.none.contains(&raw) {
            return (Quality::Bad(Reason::NoValue), None);
        }
        let value = match self.kind {
            Kind::Bit(bit) => return (Quality::Good, Some(Value::Bool(raw >> bit & 1 == 1))),
            Kind::F32 | Kind::F64 => {
                number::float(self.kind, raw).and_then(|f| Value::float(self.scale.apply_float(f)))
            }
            Kind::Bcd16 | Kind::Bcd32 => match number::from_bcd(raw) {
                Some(decimal) => Some(self.scale.apply(i128::from(decimal))),
                None => return (Quality::Bad(Reason::Undecodable), None),
            },
            kind => Some(self.scale.apply(number::integer(kind, raw))),
        };
        let Some(value) = value else { return (Quality::Bad(Reason::NotANumber), None) };
        match (self.range, value.as_f64()) {
            (Some((low, high)), Some(number)) if number < low || number > high => {
                (Quality::Bad(Reason::OutOfRange), None)
            }
            _ => (Quality::Good, Some(value)),
        }
    }

    /// The registers that hold `value`; the error is a sentence for the sender.
    pub fn encode(&self, value: f64) -> Result<Vec<u16>, String> {
        let raw = if self.kind.is_float() {
            number::float_bits(self.kind, self.scale.undo_float(value))
        } else {
            let raw = self.scale.undo(value).ok_or("is not a number the register can hold")?;
            match self.kind {
                Kind::Bcd16 | Kind::Bcd32 => number::to_bcd(raw, self.kind.words()),
                kind => number::integer_bits(kind, raw),
            }
        };
        let raw = raw.ok_or_else(|| "does not fit the register".to_owned())?;
        Ok(self.order.split(raw, self.kind.words()))
    }

    /// Smallest difference the registers can tell, for comparing a read-back.
    #[must_use]
    pub fn resolution(&self) -> f64 {
        if self.kind.is_float() { 0.0 } else { self.scale.step() }
    }
}

fn text(words: &[u16]) -> (Quality, Option<Value>) {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    match std::str::from_utf8(&bytes[..end]) {
        Ok(text) if !text.chars().any(char::is_control) => {
            (Quality::Good, Some(Value::Text(text.trim_end().into())))
        }
        _ => (Quality::Bad(Reason::Undecodable), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn codec(kind: Kind, scale: f64) -> Codec {
        let scale = Scale::new(scale, 0.0).unwrap();
        Codec { kind, order: Order::Abcd, scale, none: Vec::new(), range: None }
    }

    fn check(kind: Kind, scale: f64, words: &[u16], expect: Option<Value>) {
        assert_eq!(codec(kind, scale).decode(words).1, expect, "{kind:?} {words:04X?}");
    }

    #[test]
    fn each_type_reads_as_its_standard_says() {
        check(Kind::U16, 1.0, &[0xFFFF], Some(Value::Integer(65535)));
        check(Kind::I16, 0.1, &[0xFF33], Some(Value::Float(-20.5)));
        check(Kind::U16, 0.1, &[0x0131], Some(Value::Float(30.5)));
        check(Kind::U32, 1.0, &[0x0001, 0x0000], Some(Value::Integer(65536)));
        check(Kind::I32, 1.0, &[0xFFFF, 0xFFFE], Some(Value::Integer(-2)));
        check(Kind::U64, 1.0, &[0xFFFF; 4], Some(Value::Unsigned(u64::MAX)));
        check(Kind::I64, 1.0, &[0xFFFF; 4], Some(Value::Integer(-1)));
        check(Kind::F32, 1.0, &[0x4366, 0x3333], Some(Value::Float(230.2)));
        check(Kind::F64, 1.0, &[0x3FF8, 0, 0, 0], Some(Value::Float(1.5)));
        check(Kind::Bcd16, 1.0, &[0x1234], Some(Value::Integer(1234)));
        check(Kind::Bcd32, 0.01, &[0x1234, 0x5678], Some(Value::Float(123_456.78)));
        check(Kind::Bit(3), 1.0, &[0x0008], Some(Value::Bool(true)));
        check(Kind::Text { registers: 3 }, 1.0, &[0x4142, 0x4320, 0], Some(Value::Text("ABC".into())));
    }

    #[test]
    fn what_is_no_value_never_becomes_a_number() {
        let bad = |codec: &Codec, words: &[u16]| codec.decode(words);
        assert_eq!(bad(&codec(Kind::F32, 1.0), &[0x7FC0, 0]), (Quality::Bad(Reason::NotANumber), None));
        assert_eq!(bad(&codec(Kind::F32, 1.0), &[0xFF80, 0]), (Quality::Bad(Reason::NotANumber), None));
        assert_eq!(bad(&codec(Kind::Bcd16, 1.0), &[0x12A4]), (Quality::Bad(Reason::Undecodable), None));
        let sentinel = Codec { none: vec![0x8000], ..codec(Kind::I16, 0.1) };
        assert_eq!(bad(&sentinel, &[0x8000]), (Quality::Bad(Reason::NoValue), None));
        let limited = Codec { range: Some((-40.0, 85.0)), ..codec(Kind::I16, 0.1) };
        assert_eq!(bad(&limited, &[3000]), (Quality::Bad(Reason::OutOfRange), None));
    }

    #[test]
    fn what_does_not_fit_is_not_written() {
        assert!(codec(Kind::U16, 1.0).encode(-1.0).is_err());
        assert!(codec(Kind::U16, 0.1).encode(6553.6).is_err());
        assert!(codec(Kind::Bcd16, 1.0).encode(10_000.0).is_err());
        assert!(codec(Kind::I32, 1.0).encode(f64::NAN).is_err());
        assert_eq!(codec(Kind::I16, 0.1).encode(-20.5), Ok(vec![0xFF33]));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(raw in any::<i16>(), decimals in 0..3_i32, order in 0..4_usize) {
            let scale = 10_f64.powi(-decimals);
            let order = [Order::Abcd, Order::Cdab, Order::Badc, Order::Dcba][order];
            for kind in [Kind::I16, Kind::I32, Kind::I64, Kind::F64] {
                let codec = Codec { order, ..codec(kind, scale) };
                let value = f64::from(raw) / 10_f64.powi(decimals);
                let back = codec.decode(&codec.encode(value).unwrap()).1.and_then(|v| v.as_f64()).unwrap();
                prop_assert!((back - value).abs() < 1e-9, "{kind:?} {order:?} {value} {back}");
            }
        }
    }
}
