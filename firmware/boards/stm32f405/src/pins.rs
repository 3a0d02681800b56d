//! The board's pins.

use linli_board::twowire::Lines;
use stm32f4xx_hal::gpio::{ErasedPin, Input, OpenDrain, Output, PushPull};

/// The two-wire bus.
pub struct Wires {
    /// The clock.
    pub clock: ErasedPin<Output<OpenDrain>>,
    /// The data.
    pub data: ErasedPin<Output<OpenDrain>>,
    /// Processor cycles of half a clock.
    pub half: u32,
}

/// A digital input; closed is low.
pub type In = ErasedPin<Input>;

/// A relay, or the RS-485 driver.
pub type Out = ErasedPin<Output<PushPull>>;

impl Lines for Wires {
    fn clock(&mut self, is_high: bool) {
        if is_high { self.clock.set_high() } else { self.clock.set_low() }
    }

    fn data(&mut self, is_high: bool) {
        if is_high { self.data.set_high() } else { self.data.set_low() }
    }

    fn is_clock_held(&mut self) -> bool {
        self.clock.is_low()
    }

    fn is_data_high(&mut self) -> bool {
        self.data.is_high()
    }

    fn pause(&mut self) {
        cortex_m::asm::delay(self.half);
    }
}
