//! Memory that keeps the rules of NOR flash: erased to ones page by page, programmed only from one to
//! zero, word by word. On an emulated board it lies in a file of the host and survives a power cut.

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};

use crate::register::Register;

/// Processor cycles that one word takes; a part in the field needs 16 µs.
const WORD_CYCLES: u32 = if cfg!(feature = "slow") { 60_000 } else { 400 };

/// A page of erased words.
pub const PAGE: u32 = 4096;

/// A span of such memory.
#[derive(Debug)]
pub struct Mapped {
    base: u32,
    len: u32,
}

/// What it refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused(pub NorFlashErrorKind);

// === impl Mapped ===

impl Mapped {
    /// A span.
    ///
    /// # Safety
    /// Nothing else writes to this memory while the span exists, and the program holds no reference
    /// into it.
    #[must_use]
    pub const unsafe fn new(base: u32, len: u32) -> Self {
        Self { base, len }
    }

    fn word(&self, offset: u32) -> Register {
        // SAFETY: promised by whoever made the span; callers have checked the offset.
        unsafe { Register::at((self.base + offset) as usize) }
    }
}

impl NorFlashError for Refused {
    fn kind(&self) -> NorFlashErrorKind {
        self.0
    }
}

impl ErrorType for Mapped {
    type Error = Refused;
}

impl ReadNorFlash for Mapped {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Refused> {
        check_read(self, offset, bytes.len()).map_err(Refused)?;
        for (at, byte) in (offset..).zip(bytes) {
            *byte = (self.word(at & !3).read() >> (8 * (at & 3))) as u8;
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.len as usize
    }
}

impl NorFlash for Mapped {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = PAGE as usize;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Refused> {
        check_erase(self, from, to).map_err(Refused)?;
        for at in (from..to).step_by(4) {
            self.word(at).write(u32::MAX);
            cortex_m::asm::delay(WORD_CYCLES / 8);
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Refused> {
        check_write(self, offset, bytes.len()).map_err(Refused)?;
        for (at, bytes) in (offset..).step_by(4).zip(bytes.chunks_exact(4)) {
            let word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
            self.word(at).write(self.word(at).read() & word);
            cortex_m::asm::delay(WORD_CYCLES);
        }
        Ok(())
    }
}
