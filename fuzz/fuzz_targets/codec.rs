//! Any registers as any type, order, scale and sentinel: what is no number is no value, and what is written reads back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use linli_domain::Value;
use linli_drivers::modbus::codec::{Codec, Encoding, Kind, Order, Scale};

const KINDS: [Kind; 12] = [
    Kind::U16,
    Kind::I16,
    Kind::U32,
    Kind::I32,
    Kind::U64,
    Kind::I64,
    Kind::F32,
    Kind::F64,
    Kind::Bcd16,
    Kind::Bcd32,
    Kind::Bit(5),
    Kind::Text { registers: 4, encoding: Encoding::Detect },
];
const ORDERS: [Order; 4] = [Order::Abcd, Order::Cdab, Order::Badc, Order::Dcba];

fuzz_target!(|input: (u8, u8, i16, i16, Option<u64>, [u16; 4])| {
    let (kind, order, scale, offset, none, words) = input;
    let kind = KINDS[usize::from(kind) % KINDS.len()];
    let Some(scale) = Scale::new(f64::from(scale) / 1000.0, f64::from(offset) / 10.0) else { return };
    let order = ORDERS[usize::from(order) % ORDERS.len()];
    let codec = Codec { kind, order, scale, none: none.into_iter().collect(), range: Some((-1e6, 1e6)) };
    for count in 0..=words.len() {
        let (quality, value) = codec.decode(&words[..count]);
        match value {
            Some(Value::Float(number)) => assert!(number.is_finite()),
            None => assert!(!quality.is_good()),
            Some(_) => {}
        }
    }
});
