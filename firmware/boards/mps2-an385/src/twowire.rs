//! The board's two-wire bus: two lines that software moves (SBCon). The emulator puts devices that are
//! given no bus on the one of the second shield.

use core::cell::RefCell;

use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, NoAcknowledgeSource, Operation};
use linli_board::register::Register;

const CLOCK: u32 = 1;
const DATA: u32 = 2;

// SAFETY: the bus of the second shield by the board's memory map; only this module uses it.
const SET: Register = unsafe { Register::at(0x4002_A000) };
// SAFETY: as above.
const CLEAR: Register = unsafe { Register::at(0x4002_A004) };

/// The bus.
#[derive(Debug)]
pub struct TwoWire(());

/// Nobody acknowledged.
#[derive(Debug, Clone, Copy)]
pub struct Silent(NoAcknowledgeSource);

// === impl TwoWire ===

impl TwoWire {
    /// The bus, released.
    #[must_use]
    pub fn new() -> Self {
        let bus = Self(());
        bus.stop();
        bus
    }

    fn clock(&self, is_high: bool) {
        if is_high { SET.write(CLOCK) } else { CLEAR.write(CLOCK) }
    }

    fn data(&self, is_high: bool) {
        if is_high { SET.write(DATA) } else { CLEAR.write(DATA) }
    }

    fn start(&self) {
        self.data(true);
        self.clock(true);
        self.data(false);
        self.clock(false);
    }

    fn stop(&self) {
        self.data(false);
        self.clock(true);
        self.data(true);
    }

    fn put(&self, bit: bool) {
        self.data(bit);
        self.clock(true);
        self.clock(false);
    }

    fn get(&self) -> bool {
        self.data(true);
        self.clock(true);
        let bit = SET.has(DATA);
        self.clock(false);
        bit
    }

    /// Says whether it was acknowledged.
    fn write_byte(&self, byte: u8) -> bool {
        (0..8).rev().for_each(|bit| self.put(byte >> bit & 1 != 0));
        !self.get()
    }

    fn read_byte(&self, has_more: bool) -> u8 {
        let byte = (0..8).fold(0, |byte, _| byte << 1 | u8::from(self.get()));
        self.put(!has_more);
        byte
    }

    fn one(&self, operation: &mut Operation<'_>, has_more: bool) -> Result<(), Silent> {
        match operation {
            Operation::Write(bytes) => {
                let is_taken = bytes.iter().all(|byte| self.write_byte(*byte));
                is_taken.then_some(()).ok_or(Silent(NoAcknowledgeSource::Data))
            }
            Operation::Read(bytes) => {
                let last = bytes.len().saturating_sub(1);
                for (at, byte) in bytes.iter_mut().enumerate() {
                    *byte = self.read_byte(at < last || has_more);
                }
                Ok(())
            }
        }
    }

    fn all(&self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), Silent> {
        let mut direction = None;
        for at in 0..operations.len() {
            let reads = matches!(operations[at], Operation::Read(_));
            let has_more = reads && matches!(operations.get(at + 1), Some(Operation::Read(_)));
            if direction != Some(reads) {
                self.start();
                if !self.write_byte(address << 1 | u8::from(reads)) {
                    return Err(Silent(NoAcknowledgeSource::Address));
                }
            }
            direction = Some(reads);
            self.one(&mut operations[at], has_more)?;
        }
        Ok(())
    }
}

impl Default for TwoWire {
    fn default() -> Self {
        Self::new()
    }
}

impl embedded_hal::i2c::Error for Silent {
    fn kind(&self) -> ErrorKind {
        ErrorKind::NoAcknowledge(self.0)
    }
}

impl ErrorType for TwoWire {
    type Error = Silent;
}

impl I2c for TwoWire {
    fn transaction(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), Silent> {
        let done = self.all(address, operations);
        self.stop();
        done
    }
}

/// One of several users of the bus; each has it for a whole transaction.
#[derive(Debug, Clone, Copy)]
pub struct Shared<'a>(pub &'a RefCell<TwoWire>);

impl ErrorType for Shared<'_> {
    type Error = Silent;
}

impl I2c for Shared<'_> {
    fn transaction(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), Silent> {
        self.0.borrow_mut().transaction(address, operations)
    }
}
