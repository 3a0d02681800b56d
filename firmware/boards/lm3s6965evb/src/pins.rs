//! Digital inputs and relays on the chip's ports.

use embedded_hal::digital::{ErrorType, OutputPin};
use linli_board::register::Register;
use linli_node::inputs::Inputs;

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
