//! What a board without updates gives to its node instead: firmware that stays.

use embedded_hal::digital::{ErrorType, OutputPin};
use embedded_storage::nor_flash::{ErrorType as FlashError, NorFlash, NorFlashErrorKind, ReadNorFlash};
use linli_node::board::{Boot, Broken};
use linli_node::inputs::Inputs;
use linli_board::register::Register;
use linli_wire::identity::BootState;

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

/// The board's five buttons, on port E and F; pressed is low. The emulator moves the port's lines.
#[derive(Debug)]
pub struct Buttons;

impl Inputs for Buttons {
    fn is_high(&mut self, index: usize) -> Option<bool> {
        // SAFETY: the data registers of ports E (pins 0 to 3) and F (pin 1), by the chip's map.
        let (up_to_four, select) = unsafe { (Register::at(0x4002_43FC), Register::at(0x4002_53FC)) };
        match index {
            0..=3 => Some(!up_to_four.has(1 << index)),
            4 => Some(!select.has(1 << 1)),
            _ => None,
        }
    }
}

/// A relay: a pin of port D.
#[derive(Debug)]
pub struct Relay(pub u32);

impl Relay {
    fn port() -> Register {
        // SAFETY: the data register of port D, every pin of it, by the chip's map.
        unsafe { Register::at(0x4000_73FC) }
    }
}

impl ErrorType for Relay {
    type Error = core::convert::Infallible;
}

impl OutputPin for Relay {
    fn set_low(&mut self) -> Result<(), Self::Error> {
        Self::port().clear(1 << self.0);
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Self::Error> {
        Self::port().set(1 << self.0);
        Ok(())
    }
}
