//! MBAP frames (Modbus Messaging on TCP/IP V1.0b, 3.1.3): transaction id, protocol id 0, length,
//! unit id, then the PDU.

use bytes::{Buf, BytesMut};

use super::pdu::Request;

/// Unit id and the longest PDU (253 bytes).
const LONGEST: u16 = 254;

/// A frame cut from the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The request it answers.
    pub transaction: u16,
    /// The unit that answers.
    pub unit: u8,
    /// Function code and data.
    pub pdu: Vec<u8>,
}

/// What the buffer holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cut {
    /// Not a whole frame yet.
    Partial,
    /// A frame; its bytes are gone from the buffer.
    Whole(Frame),
    /// The buffer does not begin with a header: the next one must be looked for.
    Broken,
}

/// Returns a PDU as a frame, with its header.
#[must_use]
pub fn frame(transaction: u16, unit: u8, pdu: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(7 + pdu.len());
    frame.extend(transaction.to_be_bytes());
    frame.extend([0, 0]);
    frame.extend(u16::try_from(pdu.len() + 1).expect("a PDU has at most 253 bytes").to_be_bytes());
    frame.push(unit);
    frame.extend(pdu);
    frame
}

/// Cuts the next frame. Of the answer to `request`, which has this transaction id, only a length that is possible
/// is believed; an exception is whole with its code, whatever length its header says.
pub fn cut_answer(buffer: &mut BytesMut, transaction: u16, request: &Request) -> Cut {
    let Some(header) = buffer.first_chunk::<8>() else { return Cut::Partial };
    let [t0, t1, p0, p1, l0, l1, unit, function] = *header;
    let is_ours = u16::from_be_bytes([t0, t1]) == transaction && [p0, p1] == [0, 0];
    if !is_ours {
        return cut(buffer);
    }
    if function == request.function() | 0x80 {
        let Some(code) = buffer.get(8).copied() else { return Cut::Partial };
        buffer.advance(9);
        return Cut::Whole(Frame { transaction, unit, pdu: vec![function, code] });
    }
    if usize::from(u16::from_be_bytes([l0, l1])) == request.answer + 1 {
        return cut(buffer);
    }
    // A length that cannot be: nothing of this frame is used.
    buffer.clear();
    Cut::Whole(Frame { transaction, unit, pdu: Vec::new() })
}

/// Cuts the next frame, whatever it answers.
pub fn cut(buffer: &mut BytesMut) -> Cut {
    let Some(header) = buffer.first_chunk::<6>() else { return Cut::Partial };
    let [t0, t1, p0, p1, l0, l1] = *header;
    let length = u16::from_be_bytes([l0, l1]);
    if [p0, p1] != [0, 0] || !(2..=LONGEST).contains(&length) {
        return Cut::Broken;
    }
    let whole = 6 + usize::from(length);
    if buffer.len() < whole {
        return Cut::Partial;
    }
    let frame =
        Frame { transaction: u16::from_be_bytes([t0, t1]), unit: buffer[6], pdu: buffer[7..whole].to_vec() };
    buffer.advance(whole);
    Cut::Whole(frame)
}
