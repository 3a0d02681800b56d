//! What a board without updates gives to its node instead: firmware that stays.

use embedded_storage::nor_flash::{ErrorType as FlashError, NorFlash, NorFlashErrorKind, ReadNorFlash};
use linli_node::board::{Boot, Broken};
use linli_wire::identity::BootState;
use linli_wire::version::Version;

/// Nothing is marked, because nothing can be received.
#[derive(Debug)]
pub struct Fixed;

/// A slot of no bytes.
#[derive(Debug)]
pub struct NoSlot;

impl Boot for Fixed {
    fn state(&mut self) -> BootState {
        BootState::Confirmed
    }

    fn mark_updated(&mut self) -> Result<(), Broken> {
        Err(Broken)
    }

    fn mark_booted(&mut self) -> Result<(), Broken> {
        Err(Broken)
    }

    fn floor(&mut self) -> u16 {
        0
    }

    fn raise_floor(&mut self, _: u16) -> Result<(), Broken> {
        Ok(())
    }

    fn image_id(&mut self) -> u32 {
        0
    }

    fn capacity(&mut self) -> u32 {
        0
    }
}

impl FlashError for NoSlot {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for NoSlot {
    const READ_SIZE: usize = 1;

    fn read(&mut self, _: u32, _: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        Err(NorFlashErrorKind::OutOfBounds)
    }

    fn capacity(&self) -> usize {
        0
    }
}

impl NorFlash for NoSlot {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 4096;

    fn erase(&mut self, _: u32, _: u32) -> Result<(), NorFlashErrorKind> {
        Err(NorFlashErrorKind::OutOfBounds)
    }

    fn write(&mut self, _: u32, _: &[u8]) -> Result<(), NorFlashErrorKind> {
        Err(NorFlashErrorKind::OutOfBounds)
    }
}

/// The version of a program that no header describes: the workspace's.
#[must_use]
pub fn package_version() -> Version {
    let number = |text: &str| text.bytes().fold(0, |sum: u16, digit| sum * 10 + u16::from(digit - b'0'));
    Version::new(
        number(env!("CARGO_PKG_VERSION_MAJOR")) as u8,
        number(env!("CARGO_PKG_VERSION_MINOR")) as u8,
        number(env!("CARGO_PKG_VERSION_PATCH")),
    )
}
