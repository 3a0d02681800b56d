//! Protocol data units (Modbus Application Protocol V1.1b3, section 6): what is asked and what
//! the answer says, without addresses and checksums.

use crate::data::{Data, Span, Table, Write};

/// A request, ready to be framed, with what its answer must look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Function code and data.
    pub bytes: Vec<u8>,
    /// Length of a normal answer.
    pub answer: usize,
}

/// An answer that is not what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// The device refuses (section 7).
    #[error("exception {0}")]
    Exception(u8),
    /// Not an answer to this request.
    #[error("not an answer to the request")]
    Foreign,
}

// === impl Request ===

impl Request {
    /// Returns the request that reads a span.
    #[must_use]
    pub fn read(span: Span) -> Self {
        let function = match span.table {
            Table::Coil => 1,
            Table::DiscreteInput => 2,
            Table::HoldingRegister => 3,
            Table::InputRegister => 4,
        };
        let mut bytes = vec![function];
        bytes.extend(span.start.to_be_bytes());
        bytes.extend(span.count.to_be_bytes());
        Self { bytes, answer: 2 + data_bytes(span) }
    }

    /// Returns the request that writes.
    #[must_use]
    pub fn write(write: &Write) -> Self {
        let mut bytes = Vec::with_capacity(16);
        match write {
            Write::Coil { address, on } => {
                bytes.push(5);
                bytes.extend(address.to_be_bytes());
                bytes.extend(if *on { [0xFF, 0] } else { [0, 0] });
            }
            Write::Register { address, word } => {
                bytes.push(6);
                bytes.extend(address.to_be_bytes());
                bytes.extend(word.to_be_bytes());
            }
            Write::Coils { address, bits } => {
                bytes.push(15);
                bytes.extend(address.to_be_bytes());
                bytes.extend(length(bits.len()).to_be_bytes());
                bytes.push(u8::try_from(bits.len().div_ceil(8)).expect("at most 1968 coils"));
                bytes.extend(
                    bits.chunks(8)
                        .map(|chunk| chunk.iter().rev().fold(0_u8, |byte, bit| byte << 1 | u8::from(*bit))),
                );
            }
            Write::Registers { address, words } => {
                bytes.push(16);
                bytes.extend(address.to_be_bytes());
                bytes.extend(length(words.len()).to_be_bytes());
                bytes.push(u8::try_from(words.len() * 2).expect("at most 123 registers"));
                bytes.extend(words.iter().flat_map(|word| word.to_be_bytes()));
            }
        }
        Self { bytes, answer: 5 }
    }

    /// Returns the function code.
    #[must_use]
    pub fn function(&self) -> u8 {
        self.bytes[0]
    }

    /// Whether it changes nothing at the device.
    #[must_use]
    pub fn is_read(&self) -> bool {
        self.function() <= 4
    }

    /// For reads, the byte count that a normal answer carries in its second byte.
    #[must_use]
    pub fn count_byte(&self) -> Option<u8> {
        self.is_read().then(|| u8::try_from(self.answer - 2).expect("at most 250 bytes"))
    }

    /// Whether `answer` is a normal answer to this request.
    pub fn judge(&self, answer: &[u8]) -> Result<(), Wrong> {
        match answer {
            [function, code] if *function == self.function() | 0x80 => Err(Wrong::Exception(*code)),
            [function, count, ..] if *function == self.function() && answer.len() == self.answer => {
                // Reads carry their byte count; writes echo address and value or quantity.
                let fits = match self.count_byte() {
                    Some(expected) => *count == expected,
                    None => answer[1..5] == self.bytes[1..5],
                };
                if fits { Ok(()) } else { Err(Wrong::Foreign) }
            }
            _ => Err(Wrong::Foreign),
        }
    }
}

/// The data of a normal answer to the read of `span`.
#[must_use]
pub fn data(span: Span, answer: &[u8]) -> Data {
    let body = answer.get(2..).unwrap_or_default();
    match span.table {
        Table::Coil | Table::DiscreteInput => {
            let bit = |i: usize| body.get(i / 8).is_some_and(|byte| byte >> (i % 8) & 1 == 1);
            Data::Bits((0..usize::from(span.count)).map(bit).collect())
        }
        _ => {
            Data::Registers(body.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect())
        }
    }
}

/// What exception codes mean (section 7).
#[must_use]
pub const fn exception(code: u8) -> &'static str {
    match code {
        1 => "illegal function: the device does not know this request",
        2 => "illegal data address: the device has no such register",
        3 => "illegal data value: the device does not take this value",
        4 => "server device failure",
        5 => "acknowledge: the device needs more time",
        6 => "server device busy",
        8 => "memory parity error",
        10 => "gateway path unavailable",
        11 => "gateway target device failed to respond",
        _ => "unknown exception",
    }
}

fn data_bytes(span: Span) -> usize {
    match span.table {
        Table::Coil | Table::DiscreteInput => usize::from(span.count).div_ceil(8),
        _ => 2 * usize::from(span.count),
    }
}

fn length(count: usize) -> u16 {
    u16::try_from(count).expect("bounded by the planner and the profile")
}
