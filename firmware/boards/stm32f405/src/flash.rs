//! The chip's flash, part by part, sector by sector.

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_read, check_write,
};
use linli_bootloader::Parts;
use stm32f4xx_hal::flash::{FlashExt, LockedFlash};
use stm32f4xx_hal::pac::FLASH;

use crate::layout::{ACTIVE, COUNTER, OTHER, STATE};

const BASE: u32 = 0x0800_0000;

/// A part of the flash: whole sectors.
#[derive(Debug)]
pub struct Part {
    from: u32,
    len: u32,
}

/// What the flash refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused(NorFlashErrorKind);

/// The parts the bootloader works on.
#[must_use]
pub const fn parts() -> Parts<Part> {
    Parts { active: part(ACTIVE), other: part(OTHER), state: part(STATE), counter: part(COUNTER) }
}

const fn part((base, len): (u32, u32)) -> Part {
    Part { from: base - BASE, len }
}

/// The flash controller. Programs have one thread, and no interrupt writes to flash.
fn controller() -> LockedFlash {
    // SAFETY: whoever asks has it for one operation, and nobody interrupts that with another.
    LockedFlash::new(unsafe { FLASH::steal() })
}

impl NorFlashError for Refused {
    fn kind(&self) -> NorFlashErrorKind {
        self.0
    }
}

impl ErrorType for Part {
    type Error = Refused;
}

impl ReadNorFlash for Part {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Refused> {
        check_read(self, offset, bytes.len()).map_err(Refused)?;
        let flash = controller();
        let from = (self.from + offset) as usize;
        bytes.copy_from_slice(&flash.read()[from..from + bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.len as usize
    }
}

impl NorFlash for Part {
    const WRITE_SIZE: usize = 4;
    /// The sectors of the slots. The smaller ones of state and counter are erased whole, too.
    const ERASE_SIZE: usize = 128 * 1024;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Refused> {
        if from > to || to > self.len {
            return Err(Refused(NorFlashErrorKind::OutOfBounds));
        }
        let (mut at, end) = ((self.from + from) as usize, (self.from + to) as usize);
        let mut flash = controller();
        while at < end {
            let sector = flash.sector(at).ok_or(Refused(NorFlashErrorKind::OutOfBounds))?;
            if sector.offset != at {
                return Err(Refused(NorFlashErrorKind::NotAligned));
            }
            flash.unlocked().erase(sector.number).map_err(|error| Refused(error.kind()))?;
            at += sector.size;
        }
        if at == end { Ok(()) } else { Err(Refused(NorFlashErrorKind::NotAligned)) }
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Refused> {
        check_write(self, offset, bytes.len()).map_err(Refused)?;
        let mut flash = controller();
        let from = (self.from + offset) as usize;
        flash.unlocked().program(from, bytes.iter()).map_err(|error| Refused(error.kind()))
    }
}
