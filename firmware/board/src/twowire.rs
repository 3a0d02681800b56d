//! A two-wire bus on two lines that software moves: for boards without a master, and for chips whose
//! master hangs when a device holds the bus. Nothing here waits for ever.

use core::cell::RefCell;

use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, NoAcknowledgeSource, Operation};

/// The lines, open drain: high is released.
pub trait Lines {
    /// Moves the clock.
    fn clock(&mut self, is_high: bool);
    /// Moves the data.
    fn data(&mut self, is_high: bool);
    /// Whether a device still holds the clock low.
    fn is_clock_held(&mut self) -> bool;
    /// Whether data is high.
    fn is_data_high(&mut self) -> bool;
    /// Half a clock.
    fn pause(&mut self);
}

/// Half clocks for which a device may hold the clock: more than any sensor takes.
const PATIENCE: u32 = 1000;

/// The bus.
#[derive(Debug)]
pub struct TwoWire<L> {
    lines: L,
}

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failed {
    /// Nobody acknowledged.
    Silent(NoAcknowledgeSource),
    /// A device holds the clock.
    Held,
}

// === impl TwoWire ===

impl<L: Lines> TwoWire<L> {
    /// The bus, released: a device that a reset cut off in the middle of a byte is clocked out.
    pub fn new(lines: L) -> Self {
        let mut bus = Self { lines };
        for _ in 0..9 {
            let _ = bus.get();
        }
        bus.stop();
        bus
    }

    fn rise(&mut self) -> Result<(), Failed> {
        self.lines.clock(true);
        self.lines.pause();
        let mut waited = 0;
        while self.lines.is_clock_held() {
            waited += 1;
            if waited > PATIENCE {
                return Err(Failed::Held);
            }
            self.lines.pause();
        }
        Ok(())
    }

    fn fall(&mut self) {
        self.lines.clock(false);
        self.lines.pause();
    }

    fn start(&mut self) -> Result<(), Failed> {
        self.lines.data(true);
        self.rise()?;
        self.lines.data(false);
        self.lines.pause();
        self.fall();
        Ok(())
    }

    fn stop(&mut self) {
        self.lines.data(false);
        self.lines.pause();
        let _ = self.rise();
        self.lines.data(true);
        self.lines.pause();
    }

    fn put(&mut self, bit: bool) -> Result<(), Failed> {
        self.lines.data(bit);
        self.rise()?;
        self.fall();
        Ok(())
    }

    fn get(&mut self) -> Result<bool, Failed> {
        self.lines.data(true);
        self.rise()?;
        let bit = self.lines.is_data_high();
        self.fall();
        Ok(bit)
    }

    fn write_byte(&mut self, byte: u8, source: NoAcknowledgeSource) -> Result<(), Failed> {
        for bit in (0..8).rev() {
            self.put(byte >> bit & 1 != 0)?;
        }
        if self.get()? { Err(Failed::Silent(source)) } else { Ok(()) }
    }

    fn read_byte(&mut self, has_more: bool) -> Result<u8, Failed> {
        let mut byte = 0;
        for _ in 0..8 {
            byte = byte << 1 | u8::from(self.get()?);
        }
        self.put(!has_more)?;
        Ok(byte)
    }

    fn one(&mut self, operation: &mut Operation<'_>, has_more: bool) -> Result<(), Failed> {
        match operation {
            Operation::Write(bytes) => {
                bytes.iter().try_for_each(|byte| self.write_byte(*byte, NoAcknowledgeSource::Data))
            }
            Operation::Read(bytes) => {
                let last = bytes.len().saturating_sub(1);
                for (at, byte) in bytes.iter_mut().enumerate() {
                    *byte = self.read_byte(at < last || has_more)?;
                }
                Ok(())
            }
        }
    }

    fn all(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), Failed> {
        let mut direction = None;
        for at in 0..operations.len() {
            let reads = matches!(operations[at], Operation::Read(_));
            let has_more = reads && matches!(operations.get(at + 1), Some(Operation::Read(_)));
            if direction != Some(reads) {
                self.start()?;
                self.write_byte(address << 1 | u8::from(reads), NoAcknowledgeSource::Address)?;
            }
            direction = Some(reads);
            self.one(&mut operations[at], has_more)?;
        }
        Ok(())
    }
}

impl embedded_hal::i2c::Error for Failed {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Silent(source) => ErrorKind::NoAcknowledge(*source),
            Self::Held => ErrorKind::Bus,
        }
    }
}

impl<L> ErrorType for TwoWire<L> {
    type Error = Failed;
}

impl<L: Lines> I2c for TwoWire<L> {
    fn transaction(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), Failed> {
        let done = self.all(address, operations);
        self.stop();
        done
    }
}

/// One of several users of a bus; each has it for a whole transaction.
#[derive(Debug)]
pub struct Shared<'a, B>(pub &'a RefCell<B>);

impl<B: ErrorType> ErrorType for Shared<'_, B> {
    type Error = B::Error;
}

impl<B: I2c> I2c for Shared<'_, B> {
    fn transaction(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), B::Error> {
        self.0.borrow_mut().transaction(address, operations)
    }
}
