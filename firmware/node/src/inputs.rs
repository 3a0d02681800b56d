//! Digital inputs: believed when they stand still.

use embedded_hal::digital::InputPin;
use linli_wire::kind::MOST_INPUTS;
use linli_wire::log::Code;

use crate::clock::Ms;
use crate::retained::Retained;

/// How long a level must last. A reed contact bounces for a few milliseconds.
const SETTLE_MS: Ms = 30;

/// Several pins. Implemented for arrays of [`InputPin`].
pub trait Inputs {
    /// Whether the pin is high; `None` if there is no such pin or it cannot be read.
    fn is_high(&mut self, index: usize) -> Option<bool>;
}

/// The inputs of a node.
#[derive(Debug, Default)]
pub struct Debounced {
    stable: u16,
    seen: u16,
    since: [Ms; MOST_INPUTS],
    begun: bool,
}

// === impl Inputs ===

impl<P: InputPin, const N: usize> Inputs for [P; N] {
    fn is_high(&mut self, index: usize) -> Option<bool> {
        self.get_mut(index)?.is_high().ok()
    }
}

// === impl Debounced ===

impl Debounced {
    /// Looks at the first `count` pins. `inverted` has a bit for every input that is on when low.
    pub fn tick(
        &mut self,
        now: Ms,
        pins: &mut impl Inputs,
        count: usize,
        inverted: u16,
        memory: &mut Retained,
    ) {
        for (index, since) in self.since.iter_mut().enumerate().take(count) {
            let bit = 1 << index;
            let Some(is_high) = pins.is_high(index) else { continue };
            let is_on = is_high != (inverted & bit != 0);
            if is_on != (self.seen & bit != 0) {
                self.seen ^= bit;
                *since = now;
            }
            if !self.begun {
                // What stands there at the start is no change.
                self.stable = self.stable & !bit | self.seen & bit;
            } else if (self.seen ^ self.stable) & bit != 0 && now - *since >= SETTLE_MS {
                self.stable ^= bit;
                memory.log((now / 1000) as u32, Code::InputChanged, (index as u32) << 16 | u32::from(is_on));
            }
        }
        self.begun = true;
    }

    /// A bit for every input that is on.
    #[must_use]
    pub const fn bits(&self) -> u16 {
        self.stable
    }
}

#[cfg(test)]
mod tests {
    use embedded_hal_mock::eh1::digital::{Mock, State, Transaction};

    use super::*;

    struct Level(bool);

    impl Inputs for Level {
        fn is_high(&mut self, index: usize) -> Option<bool> {
            (index == 0).then_some(self.0)
        }
    }

    #[test]
    fn a_bouncing_contact_changes_once() {
        let (mut inputs, mut memory) = (Debounced::default(), Retained::new());
        memory.revive();
        inputs.tick(0, &mut Level(false), 4, 0, &mut memory);
        for (now, level) in [(10, true), (12, false), (14, true), (16, false), (18, true), (47, true)] {
            inputs.tick(now, &mut Level(level), 4, 0, &mut memory);
            assert_eq!(inputs.bits(), 0, "at {now}");
        }
        inputs.tick(48, &mut Level(true), 4, 0, &mut memory);
        assert_eq!(inputs.bits(), 1);
        assert_eq!(memory.head(), 1);
    }

    #[test]
    fn an_open_contact_can_count_as_on() {
        let (mut inputs, mut memory) = (Debounced::default(), Retained::new());
        inputs.tick(0, &mut Level(false), 1, 1, &mut memory);
        assert_eq!(inputs.bits(), 1);
    }

    #[test]
    fn a_pin_that_cannot_be_read_keeps_its_state() {
        let broken = Transaction::get(State::High)
            .with_error(embedded_hal_mock::eh1::MockError::Io(std::io::ErrorKind::NotConnected));
        let pin = Mock::new(&[Transaction::get(State::High), broken]);
        let mut pins = [pin.clone()];
        let (mut inputs, mut memory) = (Debounced::default(), Retained::new());
        inputs.tick(0, &mut pins, 1, 0, &mut memory);
        inputs.tick(100, &mut pins, 1, 0, &mut memory);
        assert_eq!(inputs.bits(), 1);
        pins[0].done();
    }
}
