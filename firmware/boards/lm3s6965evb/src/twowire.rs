//! The chip's two-wire master, polled.
//!
//! Real silicon keeps the bus between a write and a read by a repeated START (feature
//! `repeated_start`). The emulator ignores a START on a bus that is held, so without the feature the
//! direction changes by STOP and START, which every device of this board understands as well.

use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, NoAcknowledgeSource, Operation};
use linli_board::register::Register;

const RUN: u32 = 1;
const START: u32 = 1 << 1;
const STOP: u32 = 1 << 2;
const ACK: u32 = 1 << 3;

const BUSY: u32 = 1;
const ERROR: u32 = 1 << 1;
const ADDRESS_SILENT: u32 = 1 << 2;
const DATA_SILENT: u32 = 1 << 3;
const LOST: u32 = 1 << 4;
const HELD: u32 = 1 << 6;

/// Turns of a loop that no transfer of a byte takes.
const PATIENCE: u32 = 100_000;

/// The bus.
#[derive(Debug)]
pub struct TwoWire(());

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failed {
    /// Nobody is there.
    Address,
    /// A byte was not taken.
    Data,
    /// The bus hangs.
    Hangs,
}

const fn register(offset: usize) -> Register {
    // SAFETY: the chip's first two-wire master, by its memory map; only this module uses it.
    unsafe { Register::at(0x4002_0000 + offset) }
}

// === impl TwoWire ===

impl TwoWire {
    /// The bus at 100 kHz; its clock is on.
    #[must_use]
    pub fn new() -> Self {
        register(0x20).write(0x10);
        register(0x0C).write(5);
        Self(())
    }

    fn order(&self, command: u32) -> Result<(), Failed> {
        register(0x04).write(command);
        let state = (0..PATIENCE).map(|_| register(0x04).read()).find(|state| state & BUSY == 0);
        let state = state.ok_or(Failed::Hangs)?;
        if state & ERROR == 0 {
            return Ok(());
        }
        if state & HELD != 0 && state & LOST == 0 {
            register(0x04).write(STOP);
        }
        // The emulator reports an absent device as a lost arbitration.
        let is_absent = state & (ADDRESS_SILENT | LOST) != 0;
        Err(match state & DATA_SILENT {
            _ if is_absent => Failed::Address,
            0 => Failed::Hangs,
            _ => Failed::Data,
        })
    }

    /// One operation; `begins` and `ends` say whether the direction changes before and after it.
    fn one(
        &self,
        operation: &mut Operation<'_>,
        begins: bool,
        ends: bool,
        stops: bool,
    ) -> Result<(), Failed> {
        let start = |at: usize| if at == 0 && begins { START } else { 0 };
        match operation {
            Operation::Write(bytes) => {
                for (at, byte) in bytes.iter().enumerate() {
                    register(0x08).write(u32::from(*byte));
                    let stop = if at + 1 == bytes.len() && stops { STOP } else { 0 };
                    self.order(RUN | start(at) | stop)?;
                }
            }
            Operation::Read(bytes) => {
                let last = bytes.len().saturating_sub(1);
                for (at, byte) in bytes.iter_mut().enumerate() {
                    let end = match (at == last && ends, stops) {
                        (true, true) => STOP,
                        (true, false) => 0,
                        (false, _) => ACK,
                    };
                    self.order(RUN | start(at) | end)?;
                    *byte = register(0x08).read() as u8;
                }
            }
        }
        Ok(())
    }
}

impl Default for TwoWire {
    fn default() -> Self {
        Self::new()
    }
}

impl embedded_hal::i2c::Error for Failed {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Address => ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address),
            Self::Data => ErrorKind::NoAcknowledge(NoAcknowledgeSource::Data),
            Self::Hangs => ErrorKind::Bus,
        }
    }
}

impl ErrorType for TwoWire {
    type Error = Failed;
}

impl I2c for TwoWire {
    fn transaction(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), Failed> {
        let mut before = None;
        for at in 0..operations.len() {
            let reads = matches!(operations[at], Operation::Read(_));
            let next = operations.get(at + 1).map(|next| matches!(next, Operation::Read(_)));
            let ends = next != Some(reads);
            let stops = if cfg!(feature = "repeated_start") { next.is_none() } else { ends };
            register(0x00).write(u32::from(address) << 1 | u32::from(reads));
            self.one(&mut operations[at], before != Some(reads), ends, stops)?;
            before = Some(reads);
        }
        Ok(())
    }
}
