//! Modbus protocol data units.

use linli_drivers::modbus::data::{Data, Span, Table, Write};
use linli_drivers::modbus::wire::pdu::{Request, Wrong, data};

fn span(table: Table, start: u16, count: u16) -> Span {
    Span { table, start, count }
}

#[test]
fn requests_are_those_of_the_standard() {
    // Examples of sections 6.1 to 6.12.
    assert_eq!(Request::read(span(Table::Coil, 0x13, 0x13)).bytes, [1, 0, 0x13, 0, 0x13]);
    assert_eq!(Request::read(span(Table::HoldingRegister, 0x6B, 3)).bytes, [3, 0, 0x6B, 0, 3]);
    assert_eq!(Request::write(&Write::Coil { address: 0xAC, on: true }).bytes, [5, 0, 0xAC, 0xFF, 0]);
    assert_eq!(Request::write(&Write::Register { address: 1, word: 3 }).bytes, [6, 0, 1, 0, 3]);
    let bits = [1, 0, 1, 1, 0, 0, 1, 1, 1, 0].map(|b| b == 1).to_vec();
    let coils = Request::write(&Write::Coils { address: 0x13, bits });
    assert_eq!(coils.bytes, [15, 0, 0x13, 0, 0x0A, 2, 0xCD, 1]);
    let registers = Request::write(&Write::Registers { address: 1, words: vec![0x0A, 0x0102] });
    assert_eq!(registers.bytes, [16, 0, 1, 0, 2, 4, 0, 0x0A, 1, 2]);
}

#[test]
fn answers_are_judged() {
    let ask = span(Table::HoldingRegister, 0x6B, 3);
    let request = Request::read(ask);
    let answer = [3, 6, 2, 0x2B, 0, 0, 0, 0x64];
    assert_eq!(request.judge(&answer), Ok(()));
    assert_eq!(data(ask, &answer), Data::Registers(vec![0x022B, 0, 0x64]));
    assert_eq!(request.judge(&[0x83, 2]), Err(Wrong::Exception(2)));
    assert_eq!(request.judge(&[3, 4, 0, 0, 0, 0]), Err(Wrong::Foreign));
    assert_eq!(request.judge(&[4, 6, 0, 0, 0, 0, 0, 0]), Err(Wrong::Foreign));
    assert_eq!(request.judge(&[]), Err(Wrong::Foreign));
    let write = Request::write(&Write::Register { address: 1, word: 3 });
    assert_eq!(write.judge(&[6, 0, 1, 0, 3]), Ok(()));
    assert_eq!(write.judge(&[6, 0, 1, 0, 4]), Err(Wrong::Foreign));
}

#[test]
fn bits_come_lowest_first() {
    let ask = span(Table::DiscreteInput, 0, 10);
    assert_eq!(
        data(ask, &[2, 2, 0b0000_0101, 0b0000_0010]),
        Data::Bits([1, 0, 1, 0, 0, 0, 0, 0, 0, 1].map(|b| b == 1).to_vec())
    );
}
