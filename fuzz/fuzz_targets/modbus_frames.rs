//! Whatever comes over a line, in whatever pieces: no panic, bounded memory, and what is found is
//! an answer to the question.
#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use linli_drivers::modbus::plan::{Span, Table};
use linli_drivers::modbus::wire::pdu::{self, Request};
use linli_drivers::modbus::wire::{mbap, rtu};

const TABLES: [Table; 4] = [Table::Coil, Table::DiscreteInput, Table::InputRegister, Table::HoldingRegister];

fuzz_target!(|input: (u8, u8, u8, Vec<Vec<u8>>)| {
    let (unit, table, count, pieces) = input;
    let span = Span { table: TABLES[usize::from(table % 4)], start: 0, count: u16::from(count % 125) + 1 };
    let request = Request::read(span);
    let (mut serial, mut network, mut skipped) = (BytesMut::new(), BytesMut::new(), 0);
    for piece in pieces {
        serial.extend_from_slice(&piece);
        network.extend_from_slice(&piece);
        while let rtu::Cut::Whole(answer) = rtu::cut(&mut serial, unit, &request, &mut skipped) {
            if request.judge(&answer).is_ok() {
                let _ = pdu::data(span, &answer);
            }
        }
        assert!(serial.len() <= 512, "no more is kept than two frames hold");
        // As the line looks for the answer to a request: what cannot be one is passed over byte by byte.
        let mut answers = network.clone();
        loop {
            match mbap::cut_answer(&mut answers, u16::from(unit), &request) {
                mbap::Cut::Partial => break,
                mbap::Cut::Broken => bytes::Buf::advance(&mut answers, 1),
                mbap::Cut::Whole(frame) => {
                    let _ = request.judge(&frame.pdu);
                }
            }
        }
        while let mbap::Cut::Whole(frame) = mbap::cut(&mut network) {
            if request.judge(&frame.pdu).is_ok() {
                let _ = pdu::data(span, &frame.pdu);
            }
        }
    }
});
