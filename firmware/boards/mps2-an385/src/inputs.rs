//! Digital inputs by a PCA9552, relays by the board's LEDs.

use embedded_hal::digital::{ErrorType, OutputPin};
use embedded_hal::i2c::I2c;
use linli_board::register::Register;
use linli_node::inputs::Inputs;

/// Where the PCA9552 answers.
pub const EXPANDER: u8 = 0x60;

// SAFETY: the LEDs of the board's FPGA by its memory map; only this module uses them.
const LEDS: Register = unsafe { Register::at(0x4002_8000) };

/// The part's selectors of its first and second four pins, read in one go.
const SELECTORS: u8 = 0x16;

/// The inputs of the part on a shared bus.
#[derive(Debug)]
pub struct Expander<B> {
    bus: B,
    /// As read last: once a round for all of them.
    selectors: Option<[u8; 2]>,
}

impl<B> Expander<B> {
    /// The part on this bus.
    pub const fn new(bus: B) -> Self {
        Self { bus, selectors: None }
    }
}

impl<B: I2c> Inputs for Expander<B> {
    /// The emulator moves this part's drivers (its properties `led0` to `led7`), and what it shows as
    /// pin level differs between its versions: the selectors say it best.
    fn is_high(&mut self, index: usize) -> Option<bool> {
        if index == 0 {
            let mut selectors = [0; 2];
            self.selectors =
                self.bus.write_read(EXPANDER, &[SELECTORS], &mut selectors).ok().map(|()| selectors);
        }
        Some(self.selectors?.get(index / 4)? >> (index % 4 * 2) & 3 == 0)
    }
}

/// A relay: an LED of the board, by its number.
#[derive(Debug)]
pub struct Relay(pub u32);

impl ErrorType for Relay {
    type Error = core::convert::Infallible;
}

impl OutputPin for Relay {
    fn set_low(&mut self) -> Result<(), Self::Error> {
        LEDS.clear(1 << self.0);
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Self::Error> {
        LEDS.set(1 << self.0);
        Ok(())
    }
}
