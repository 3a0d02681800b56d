//! RTU frames (Modbus over Serial Line V1.02, 2.5.1): unit id, PDU, CRC.
//!
//! Nothing in the bytes says where a frame begins. The request says what its answer must look
//! like, so the answer is looked for: at every place where unit, function and length fit, the
//! checksum decides. Noise, half frames, foreign answers and echoes before it are passed over.

use bytes::{Buf, BytesMut};

use super::crc16;
use super::pdu::Request;

/// Longest frame (2.5.1): more than one of them never needs to be kept.
const LONGEST: usize = 256;

/// What the buffer holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cut {
    /// No whole answer yet.
    Partial,
    /// The answer's PDU; it and everything before it are gone from the buffer.
    Whole(Vec<u8>),
}

/// Frames a PDU.
#[must_use]
pub fn frame(unit: u8, pdu: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(pdu.len() + 3);
    frame.push(unit);
    frame.extend(pdu);
    frame.extend(crc16(&frame).to_le_bytes());
    frame
}

/// Looks for the answer of `unit` to `request`. `skipped` grows by the bytes passed over.
pub fn cut(buffer: &mut BytesMut, unit: u8, request: &Request, skipped: &mut u64) -> Cut {
    let mut keep_from = buffer.len();
    for start in 0..buffer.len() {
        match candidate(&buffer[start..], unit, request) {
            Candidate::No => {}
            Candidate::Incomplete => keep_from = keep_from.min(start),
            Candidate::Frame(length) => {
                let pdu = buffer[start + 1..start + length - 2].to_vec();
                *skipped += start as u64;
                buffer.advance(start + length);
                return Cut::Whole(pdu);
            }
        }
    }
    let drop = keep_from.max(buffer.len().saturating_sub(LONGEST));
    *skipped += drop as u64;
    buffer.advance(drop);
    Cut::Partial
}

enum Candidate {
    No,
    Incomplete,
    Frame(usize),
}

fn candidate(bytes: &[u8], unit: u8, request: &Request) -> Candidate {
    if bytes[0] != unit {
        return Candidate::No;
    }
    let Some(function) = bytes.get(1) else { return Candidate::Incomplete };
    let length = if *function == request.function() | 0x80 {
        5
    } else if *function == request.function() {
        match (request.count_byte(), bytes.get(2)) {
            (Some(_), None) => return Candidate::Incomplete,
            (Some(expected), Some(count)) if expected != *count => return Candidate::No,
            _ => request.answer + 3,
        }
    } else {
        return Candidate::No;
    };
    let Some(frame) = bytes.get(..length) else { return Candidate::Incomplete };
    let (body, check) = frame.split_at(length - 2);
    if crc16(body).to_le_bytes() == check { Candidate::Frame(length) } else { Candidate::No }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modbus::data::{Span, Table};
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
            assert_eq!(
                find(&bytes),
                (Cut::Whole(ANSWER[1..7].to_vec()), before.len() as u64),
                "{before:02X?}"
            );
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
}
