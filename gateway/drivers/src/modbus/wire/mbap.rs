//! MBAP frames (Modbus Messaging on TCP/IP V1.0b, 3.1.3): transaction id, protocol id 0, length,
//! unit id, then the PDU.

use bytes::{Buf, BytesMut};

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
    /// Not Modbus TCP: the stream cannot be trusted any more and must be opened anew.
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

/// Cuts the next frame.
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
