//! A profile as written. Every key is here; unknown ones are errors.

use std::collections::BTreeMap;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::codec::{Encoding, Order};
use crate::duration::Period;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawProfile {
    pub vendor: Option<String>,
    pub model: Option<String>,
    pub title: Option<String>,
    pub title_zh: Option<String>,
    /// Document, version and page the map was taken from.
    pub source: Option<String>,
    #[serde(default)]
    pub limits: RawLimits,
    /// One check, or several that must all hold.
    #[serde(default, deserialize_with = "one_or_many")]
    pub identify: Vec<RawIdentify>,
    pub serial: Option<RawSerial>,
    #[serde(default)]
    pub point: Vec<RawPoint>,
    #[serde(default)]
    pub test: Vec<RawTest>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawLimits {
    pub block_registers: u16,
    pub block_bits: u16,
    pub gap_registers: u16,
    pub request_gap: Period,
    pub reply: Period,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawIdentify {
    #[serde(default, deserialize_with = "address")]
    pub input: Option<u16>,
    #[serde(default, deserialize_with = "address")]
    pub holding: Option<u16>,
    #[serde(rename = "type")]
    pub kind: RawKind,
    #[serde(default)]
    pub order: Order,
    pub scale: Option<f64>,
    pub plausible: (f64, f64),
}

/// Registers of the device's serial number.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSerial {
    #[serde(default, deserialize_with = "address")]
    pub input: Option<u16>,
    #[serde(default, deserialize_with = "address")]
    pub holding: Option<u16>,
    #[serde(rename = "type")]
    pub kind: RawKind,
    #[serde(default)]
    pub order: Order,
}

/// Where the device says how good a value is, and what its codes mean.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawQuality {
    /// Address of the register, in the point's table, after the value.
    pub register: u16,
    pub codes: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPoint {
    pub name: String,
    /// Repeats the point: `name-1` to `name-n` at following addresses.
    pub repeat: Option<u16>,
    #[serde(default, deserialize_with = "address")]
    pub coil: Option<u16>,
    #[serde(default, deserialize_with = "address")]
    pub discrete: Option<u16>,
    #[serde(default, deserialize_with = "address")]
    pub input: Option<u16>,
    #[serde(default, deserialize_with = "address")]
    pub holding: Option<u16>,
    #[serde(rename = "type")]
    pub kind: Option<RawKind>,
    pub bit: Option<u8>,
    pub registers: Option<u16>,
    /// Encoding of a text.
    pub encoding: Option<Encoding>,
    #[serde(default)]
    pub order: Order,
    pub scale: Option<f64>,
    pub offset: Option<f64>,
    /// Name of the point whose value is the power of ten by which this one is multiplied.
    pub scale_point: Option<String>,
    pub unit: Option<String>,
    #[serde(default, deserialize_with = "number_or_numbers")]
    pub none: Vec<i64>,
    pub range: Option<(f64, f64)>,
    #[serde(default)]
    pub counter: bool,
    pub write: Option<RawWrite>,
    pub quality: Option<RawQuality>,
    #[serde(default)]
    pub about: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RawKind {
    Bool,
    Bit,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F32,
    F64,
    Bcd16,
    Bcd32,
    Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWrite {
    pub min: Option<f64>,
    pub max: Option<f64>,
    #[serde(default)]
    pub multiple: bool,
    /// Write the value again this often for as long as it stands.
    pub refresh: Option<Period>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTest {
    #[serde(default)]
    pub coil: BTreeMap<String, String>,
    #[serde(default)]
    pub discrete: BTreeMap<String, String>,
    #[serde(default)]
    pub input: BTreeMap<String, String>,
    #[serde(default)]
    pub holding: BTreeMap<String, String>,
    #[serde(default)]
    pub expect: BTreeMap<String, toml::Value>,
    /// Points that must give no value.
    #[serde(default)]
    pub nothing: Vec<String>,
}

/// A table, or an array of tables. By hand: an untagged enum would hide which key is wrong.
fn one_or_many<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<RawIdentify>, D::Error> {
    struct OneOrMany;
    impl<'de> Visitor<'de> for OneOrMany {
        type Value = Vec<RawIdentify>;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a table or an array of tables")
        }
        fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Self::Value, M::Error> {
            RawIdentify::deserialize(MapAccessDeserializer::new(map)).map(|one| vec![one])
        }
        fn visit_seq<S: SeqAccess<'de>>(self, seq: S) -> Result<Self::Value, S::Error> {
            Vec::deserialize(SeqAccessDeserializer::new(seq))
        }
    }
    from.deserialize_any(OneOrMany)
}

/// A number, or an array of numbers.
fn number_or_numbers<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<i64>, D::Error> {
    struct Numbers;
    impl<'de> Visitor<'de> for Numbers {
        type Value = Vec<i64>;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a number or an array of numbers")
        }
        fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
            Ok(vec![number])
        }
        fn visit_seq<S: SeqAccess<'de>>(self, seq: S) -> Result<Self::Value, S::Error> {
            Vec::deserialize(SeqAccessDeserializer::new(seq))
        }
    }
    from.deserialize_any(Numbers)
}

/// An address on the wire. Numbers of manuals with six digits (Modicon: 400001) are beyond what it can be.
fn address<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u16>, D::Error> {
    const TABLES: [(i64, &str); 3] = [(400_001, "holding"), (300_001, "input"), (100_001, "discrete")];
    let number = i64::deserialize(from)?;
    if let Ok(address) = u16::try_from(number) {
        return Ok(Some(address));
    }
    let table = TABLES.into_iter().find(|(first, _)| (*first..first + 65_536).contains(&number));
    Err(D::Error::custom(match table {
        Some((first, table)) => {
            format!(
                "{number} looks like a Modicon number: write {table} = {}, the address on the wire",
                number - first
            )
        }
        None => format!("{number} is no address: 0 to 65535"),
    }))
}

// === impl RawLimits ===

impl Default for RawLimits {
    fn default() -> Self {
        Self {
            // Modbus Application Protocol V1.1b3, 6.1 to 6.4.
            block_registers: 125,
            block_bits: 2000,
            // Eight registers cost 16 bytes, less than the 8 + 5 bytes and two silences of a
            // request of its own at any baud rate.
            gap_registers: 8,
            request_gap: Period::from_millis(0),
            reply: Period::from_millis(10),
        }
    }
}
