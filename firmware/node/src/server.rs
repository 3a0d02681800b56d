//! A Modbus RTU server for one frame: parsing and answers by `rmodbus`, registers by our own map.
//!
//! `rmodbus` offers a context that holds the whole map in arrays. Ours is computed when it is read,
//! and a write may be refused with other exceptions than "illegal address", so its interface for
//! external storage is used. What it does not look at is checked here first: that the checksum fits
//! before anything is answered, also for unknown functions, and that lengths agree with counts
//! (MODBUS Application Protocol V1.1b3, section 6).

use linli_wire::crc;
use rmodbus::server::{ModbusFrame, Read, Write};
use rmodbus::{ErrorKind, ModbusProto};

/// The answer to a request, ready to be sent.
pub type Answer = heapless::Vec<u8, 256>;

/// Why a request is answered with an exception (V1.1b3, section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exception {
    /// 1: there is no such function.
    Function,
    /// 2: there are no such registers.
    Address,
    /// 3: the value or the count is not allowed.
    Value,
    /// 4: it could not be done.
    Failure,
    /// 6: not now.
    Busy,
}

/// The four spaces of a Modbus server.
pub trait Space {
    /// Reads coils, or discrete inputs, into bits from the lowest of the first byte on.
    fn read_bits(&mut self, coils: bool, address: u16, count: u16, bits: &mut [u8]) -> Result<(), Exception>;
    /// Reads holding registers, or input registers.
    fn read_words(&mut self, holding: bool, address: u16, words: &mut [u16]) -> Result<(), Exception>;
    /// Writes coils.
    fn write_bits(&mut self, address: u16, count: u16, bits: &[u8]) -> Result<(), Exception>;
    /// Writes holding registers.
    fn write_words(&mut self, address: u16, words: &[u16]) -> Result<(), Exception>;
}

/// What became of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestOutcome {
    /// The answer is to be sent.
    Answered,
    /// The answer is an exception, to be sent.
    Refused(Exception),
    /// Nothing is sent: too short, or no request.
    Fragment,
    /// Nothing is sent: the checksum does not fit.
    Damaged,
    /// Nothing is sent and nothing is done: for everyone.
    Broadcast,
    /// Nothing is sent: for somebody else.
    OtherUnit,
}

/// Registers of the longest request or answer.
const MOST_WORDS: usize = 125;

/// Serves one frame. `answer` is empty unless something is to be sent.
pub fn serve(unit: u8, request: &[u8], space: &mut impl Space, answer: &mut Answer) -> RequestOutcome {
    answer.clear();
    let Some((body, sum)) = request.split_last_chunk::<2>().filter(|(body, _)| body.len() >= 2) else {
        return RequestOutcome::Fragment;
    };
    if crc::modbus(body) != u16::from_le_bytes(*sum) {
        return RequestOutcome::Damaged;
    }
    match body[0] {
        // A write to everyone would move every relay of a line without anyone's answer.
        0 => return RequestOutcome::Broadcast,
        other if other != unit => return RequestOutcome::OtherUnit,
        _ => {}
    }
    // 128 and above are answers with exceptions: an echo of our own line.
    if body[1] >= 0x80 {
        return RequestOutcome::Fragment;
    }
    let mut frame = ModbusFrame::new(unit, request, ModbusProto::Rtu, answer);
    frame.responding_to_fn = body[1];
    let result = check(body).and_then(|()| process(&mut frame, space));
    if let Err(exception) = result {
        // An answer half made is dropped for the exception; for both there is always room.
        let _ = frame.set_modbus_error_if_unset(&exception.kind());
    }
    if frame.finalize_response().is_err() {
        frame.response.clear();
        return RequestOutcome::Fragment;
    }
    match result {
        Ok(()) => RequestOutcome::Answered,
        Err(exception) => RequestOutcome::Refused(exception),
    }
}

/// That function, lengths and counts fit together.
fn check(body: &[u8]) -> Result<(), Exception> {
    let half = |at: usize| Some(u16::from_be_bytes([*body.get(at)?, *body.get(at + 1)?]));
    let count = half(4).ok_or(Exception::Value);
    let fits = match body[1] {
        1 | 2 => body.len() == 6 && (1..=2000).contains(&count?),
        3 | 4 => body.len() == 6 && (1..=125).contains(&count?),
        5 => body.len() == 6 && matches!(count?, 0xFF00 | 0),
        6 => body.len() == 6,
        15 => (1..=1968).contains(&count?) && has_bytes(body, usize::from(count?).div_ceil(8)),
        16 => (1..=123).contains(&count?) && has_bytes(body, 2 * usize::from(count?)),
        _ => return Err(Exception::Function),
    };
    if !fits {
        return Err(Exception::Value);
    }
    let span = if matches!(body[1], 5 | 6) { 1 } else { u32::from(count?) };
    let start = half(2).map_or(0, u32::from);
    if start + span > 0x1_0000 { Err(Exception::Address) } else { Ok(()) }
}

fn has_bytes(body: &[u8], bytes: usize) -> bool {
    body.get(6).is_some_and(|said| usize::from(*said) == bytes) && body.len() == 7 + bytes
}

fn process(frame: &mut ModbusFrame<'_, Answer>, space: &mut impl Space) -> Result<(), Exception> {
    frame.parse().map_err(|_| Exception::Failure)?;
    let coils_or_holding = matches!(frame.responding_to_fn, 1 | 3);
    let done = if frame.readonly {
        match frame.get_external_read().map_err(|_| Exception::Failure)? {
            Read::Bits(read) => space.read_bits(coils_or_holding, read.address, read.count, read.buf),
            Read::Words(read) => {
                let mut words = [0; MOST_WORDS];
                let words = &mut words[..usize::from(read.count)];
                let done = space.read_words(coils_or_holding, read.address, words);
                for (pair, word) in read.buf.chunks_exact_mut(2).zip(words) {
                    pair.copy_from_slice(&word.to_be_bytes());
                }
                done
            }
        }
    } else {
        match frame.get_external_write().map_err(|_| Exception::Failure)? {
            Write::Bits(write) => space.write_bits(write.address, write.count, write.data),
            Write::Words(write) => {
                let mut words = [0; MOST_WORDS];
                linli_wire::field::from_bytes(write.data, &mut words);
                space.write_words(write.address, &words[..usize::from(write.count)])
            }
        }
    };
    done?;
    let finished = if frame.readonly {
        frame.process_external_read(Ok(()))
    } else {
        frame.process_external_write(Ok(()))
    };
    finished.map_err(|_| Exception::Failure)
}

// === impl Exception ===

impl Exception {
    const fn kind(self) -> ErrorKind {
        match self {
            Self::Function => ErrorKind::IllegalFunction,
            Self::Address => ErrorKind::IllegalDataAddress,
            Self::Value => ErrorKind::IllegalDataValue,
            Self::Failure => ErrorKind::SlaveDeviceFailure,
            Self::Busy => ErrorKind::SlaveDeviceBusy,
        }
    }
}

#[cfg(test)]
mod tests;
