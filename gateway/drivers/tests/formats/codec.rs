//! Registers to values and back.

use linli_domain::{Quality, Reason, Value};
use linli_drivers::modbus::codec::{Codec, Encoding, Kind, Order, Scale};

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
    check(
        Kind::Text { registers: 3, encoding: Encoding::Detect },
        1.0,
        &[0x4142, 0x4320, 0],
        Some(Value::Text("ABC".into())),
    );
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
