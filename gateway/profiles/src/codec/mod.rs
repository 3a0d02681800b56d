//! From registers to values and back: types, word orders, decimal scaling.

mod encoding;
mod number;
mod order;

use linli_domain::{Quality, Reason, Value, ValueType};

pub use encoding::Encoding;
pub use number::Scale;
pub use order::Order;

/// Powers of ten that a scale register may name (SunSpec Information Model Specification, 4.2.8: -10 to 10).
const LARGEST_FACTOR: std::ops::RangeInclusive<i16> = -10..=10;

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
        /// Encoding of the characters.
        encoding: Encoding,
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
            Self::Text { registers, .. } => registers,
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
        let (quality, value) = self.read(words);
        self.within(quality, value)
    }

    /// Reads a value that another register scales by a power of ten.
    #[must_use]
    pub fn decode_scaled(&self, words: &[u16], factor: u16) -> (Quality, Option<Value>) {
        let exponent = factor.cast_signed();
        if exponent == i16::MIN {
            return (Quality::Bad(Reason::NoValue), None);
        }
        if !LARGEST_FACTOR.contains(&exponent) {
            return (Quality::Bad(Reason::Undecodable), None);
        }
        let (quality, value) = self.read(words);
        let power = 10_f64.powi(i32::from(exponent.abs()));
        let scale = |value: f64| if exponent < 0 { value / power } else { value * power };
        let scaled = value.and_then(|value| value.as_f64()).and_then(|value| Value::float(scale(value)));
        if quality.is_good() && scaled.is_none() {
            return (Quality::Bad(Reason::NotANumber), None);
        }
        self.within(quality, scaled)
    }

    /// A number beyond the range is bad.
    fn within(&self, quality: Quality, value: Option<Value>) -> (Quality, Option<Value>) {
        match (self.range, value.as_ref().and_then(Value::as_f64)) {
            (Some((low, high)), Some(number)) if number < low || number > high => {
                (Quality::Bad(Reason::OutOfRange), None)
            }
            _ => (quality, value),
        }
    }

    fn read(&self, words: &[u16]) -> (Quality, Option<Value>) {
        if let Kind::Text { encoding, .. } = self.kind {
            return text(self.order, encoding, words);
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
        match value {
            Some(value) => (Quality::Good, Some(value)),
            None => (Quality::Bad(Reason::NotANumber), None),
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

    /// The value after which an unsigned register begins again at 0.
    #[must_use]
    pub fn most(&self) -> Option<f64> {
        let raw = match self.kind {
            Kind::U16 => i128::from(u16::MAX),
            Kind::U32 => i128::from(u32::MAX),
            Kind::Bcd16 => 9999,
            Kind::Bcd32 => 99_999_999,
            _ => return None,
        };
        self.scale.apply(raw).as_f64()
    }

    /// Smallest difference the registers can tell, for comparing a read-back.
    #[must_use]
    pub fn resolution(&self) -> f64 {
        if self.kind.is_float() { 0.0 } else { self.scale.step() }
    }
}

fn text(order: Order, encoding: Encoding, words: &[u16]) -> (Quality, Option<Value>) {
    let bytes: Vec<u8> = words.iter().flat_map(|word| order.word(*word).to_be_bytes()).collect();
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    match encoding.decode(&bytes[..end]) {
        Some(text) if !text.chars().any(char::is_control) => {
            (Quality::Good, Some(Value::Text(text.trim_end().into())))
        }
        _ => (Quality::Bad(Reason::Undecodable), None),
    }
}
