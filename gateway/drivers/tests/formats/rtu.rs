//! Answers are found in any stream of bytes.

use bytes::BytesMut;
use linli_drivers::modbus::data::{Span, Table};
use linli_drivers::modbus::wire::pdu::Request;
use linli_drivers::modbus::wire::rtu::{Cut, LONGEST, cut, frame};
use proptest::prelude::*;

fn request() -> Request {
    Request::read(Span { table: Table::InputRegister, start: 1, count: 2 })
}

const ANSWER: [u8; 9] = [0x01, 0x04, 0x04, 0x01, 0x31, 0x02, 0x22, 0x2A, 0xCE];

fn find(bytes: &[u8]) -> (Cut, u64) {
    let mut skipped = 0;
    (cut(&mut BytesMut::from(bytes), 1, &request(), &mut skipped), skipped)
}

#[test]
fn captured_frames_are_understood() {
    assert_eq!(frame(1, &request().bytes), [0x01, 0x04, 0x00, 0x01, 0x00, 0x02, 0x20, 0x0B]);
    assert_eq!(find(&ANSWER), (Cut::Whole(ANSWER[1..7].to_vec()), 0));
    assert_eq!(find(&[0x01, 0x84, 0x02, 0xC2, 0xC1]).0, Cut::Whole(vec![0x84, 0x02]));
}

#[test]
fn an_answer_is_found_behind_noise_echo_and_foreign_frames() {
    let echo = frame(1, &request().bytes);
    let foreign = frame(7, &[4, 4, 0, 1, 0, 2]);
    let half = &ANSWER[..5];
    for before in [&[0xFF, 0x00][..], &echo, &foreign, half, &[0x01], &[0x01, 0x04, 0x04]] {
        let bytes = [before, &ANSWER].concat();
        assert_eq!(find(&bytes), (Cut::Whole(ANSWER[1..7].to_vec()), before.len() as u64), "{before:02X?}");
    }
}

proptest! {
    #[test]
    fn the_answer_is_found_after_any_noise_in_any_pieces(
        noise in proptest::collection::vec(any::<u8>(), 0..300),
        step in 1..40_usize,
    ) {
        let bytes = [&noise[..], &ANSWER].concat();
        let (mut buffer, mut skipped, mut found) = (BytesMut::new(), 0, None);
        for piece in bytes.chunks(step) {
            buffer.extend_from_slice(piece);
            if let Cut::Whole(pdu) = cut(&mut buffer, 1, &request(), &mut skipped) {
                found = Some(pdu);
                break;
            }
            prop_assert!(buffer.len() <= LONGEST);
        }
        prop_assert_eq!(found, Some(ANSWER[1..7].to_vec()));
    }

    #[test]
    fn a_flipped_bit_is_never_a_value(at in 0..9_usize, bit in 0..8_u32) {
        let mut bytes = ANSWER;
        bytes[at] ^= 1 << bit;
        prop_assert_eq!(find(&bytes).0, Cut::Partial);
    }
}
