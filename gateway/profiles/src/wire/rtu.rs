//! RTU frames (Modbus over Serial Line V1.02, 2.5.1): unit id, PDU, CRC.
//!
//! Nothing in the bytes says where a frame begins. The request says what its answer must look
//! like, so the answer is looked for: at every place where unit, function and length fit, the
//! checksum decides. Noise, half frames, foreign answers and echoes before it are passed over.

use bytes::{Buf, BytesMut};

use super::crc16;
use super::pdu::Request;

/// Longest frame (2.5.1): more than one of them never needs to be kept.
pub const LONGEST: usize = 256;

/// What the buffer holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cut {
    /// No whole answer yet.
    Partial,
    /// The answer's PDU; it and everything before it are gone from the buffer.
    Whole(Vec<u8>),
}

/// Returns a PDU as a frame, with its CRC.
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

/// Fewest bytes after an answer that may be what is left of another one: an exception has five. An adapter that
/// switches its direction adds one or two of its own.
const REMAINS: usize = 4;

/// Whether what follows an answer may be another one, which is then the answer to the last request: it begins like
/// one, or is as long as a frame whose unit or function is damaged.
#[must_use]
pub fn may_follow(rest: &[u8], unit: u8, request: &Request) -> bool {
    let function = request.function();
    let begins = rest.last() == Some(&unit);
    begins
        || rest.len() >= REMAINS
        || rest.windows(2).any(|pair| pair[0] == unit && pair[1] & 0x7F == function)
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
    // A read is never answered with itself: this is an echo.
    let is_echo = request.count_byte().is_some() && body[1..] == request.bytes;
    if !is_echo && crc16(body).to_le_bytes() == check { Candidate::Frame(length) } else { Candidate::No }
}
