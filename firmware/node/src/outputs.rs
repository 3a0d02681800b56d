//! Relays with a lease: what is not refreshed falls to its safe state.
//!
//! The lease is the promise that a gateway which dies, or a cable that is cut, leaves nothing
//! switched for longer than stated. The node keeps it alone.

use embedded_hal::digital::OutputPin;
use linli_wire::config::LONGEST_LEASE_S;
use linli_wire::health::Counter;
use linli_wire::kind::MOST_RELAYS;
use linli_wire::log::Code;

use crate::clock::Ms;
use crate::retained::Retained;

/// Several relays. Implemented for arrays of [`OutputPin`]; high is on.
pub trait Outputs {
    /// Switches one; false if there is no such relay or it refused.
    fn set(&mut self, index: usize, is_on: bool) -> bool;
}

/// One relay.
#[derive(Debug, Clone, Copy, Default)]
struct Relay {
    is_on: bool,
    until: Option<Ms>,
    is_broken: bool,
}

/// The relays of a node.
#[derive(Debug, Default)]
pub struct Leased {
    relays: [Relay; MOST_RELAYS],
    count: usize,
    safe: u16,
}

// === impl Outputs ===

impl<P: OutputPin, const N: usize> Outputs for [P; N] {
    fn set(&mut self, index: usize, is_on: bool) -> bool {
        let Some(pin) = self.get_mut(index) else { return false };
        if is_on { pin.set_high().is_ok() } else { pin.set_low().is_ok() }
    }
}

// === impl Leased ===

impl Leased {
    /// The relays of the kind and their safe states. Whatever has no lease goes there at once.
    pub fn configure(&mut self, pins: &mut impl Outputs, count: usize, safe: u16) {
        (self.count, self.safe) = (count.min(MOST_RELAYS), safe);
        for index in 0..self.count {
            if self.relays[index].until.is_none() {
                self.switch(pins, index, safe & 1 << index != 0);
            }
        }
    }

    /// Sets a relay for that long; a lease of 0 gives it back to its safe state.
    pub fn set(
        &mut self,
        now: Ms,
        pins: &mut impl Outputs,
        index: usize,
        is_on: bool,
        lease_s: u16,
        memory: &mut Retained,
    ) -> bool {
        if index >= self.count || lease_s > LONGEST_LEASE_S {
            return false;
        }
        let is_on = if lease_s == 0 { self.is_safe_on(index) } else { is_on };
        if self.relays[index].is_on != is_on {
            memory.log((now / 1000) as u32, Code::RelaySet, (index as u32) << 16 | u32::from(is_on));
        }
        self.relays[index].until = (lease_s != 0).then(|| now + Ms::from(lease_s) * 1000);
        self.switch(pins, index, is_on);
        !self.relays[index].is_broken
    }

    /// Drops what has run out, and drives every relay again: a pin that lost its state gets it back.
    pub fn tick(&mut self, now: Ms, pins: &mut impl Outputs, memory: &mut Retained) {
        for index in 0..self.count {
            if self.relays[index].until.is_some_and(|until| now >= until) {
                self.relays[index].until = None;
                let safe = self.is_safe_on(index);
                if self.relays[index].is_on != safe {
                    memory.count(Counter::LeaseDrops);
                    memory.log((now / 1000) as u32, Code::LeaseDropped, index as u32);
                }
                self.relays[index].is_on = safe;
            }
            let is_on = self.relays[index].is_on;
            self.switch(pins, index, is_on);
        }
    }

    /// A bit for every relay that is on.
    #[must_use]
    pub fn bits(&self) -> u16 {
        let relays = self.relays.iter().take(self.count).enumerate();
        relays.fold(0, |bits, (index, relay)| bits | u16::from(relay.is_on) << index)
    }

    /// Whole seconds left of a lease, rounded up; 0 without one.
    #[must_use]
    pub fn left_s(&self, index: usize, now: Ms) -> u16 {
        let until = self.relays.get(index).and_then(|relay| relay.until);
        until.map_or(0, |until| until.saturating_sub(now).div_ceil(1000) as u16)
    }

    /// Whether every relay took what it was told.
    #[must_use]
    pub fn obey(&self) -> bool {
        self.relays.iter().take(self.count).all(|relay| !relay.is_broken)
    }

    /// How many there are.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }

    fn is_safe_on(&self, index: usize) -> bool {
        self.safe & 1 << index != 0
    }

    fn switch(&mut self, pins: &mut impl Outputs, index: usize, is_on: bool) {
        let relay = &mut self.relays[index];
        relay.is_on = is_on;
        relay.is_broken = !pins.set(index, is_on);
    }
}

#[cfg(test)]
mod tests {
    use embedded_hal_mock::eh1::digital::{Mock, State, Transaction};

    use super::*;

    /// Pins that remember.
    #[derive(Default)]
    struct Pins([bool; 2]);

    impl Outputs for Pins {
        fn set(&mut self, index: usize, is_on: bool) -> bool {
            self.0.get_mut(index).map(|pin| *pin = is_on).is_some()
        }
    }

    fn fresh() -> (Leased, Pins, Retained) {
        let mut memory = Retained::new();
        memory.revive();
        (Leased::default(), Pins::default(), memory)
    }

    #[test]
    fn a_lease_ends_exactly_when_it_says() {
        for start in [0, 1, 999, 4_294_967_295_u64 - 5000] {
            let (mut relays, mut pins, mut memory) = fresh();
            relays.configure(&mut pins, 2, 0b10);
            assert_eq!(pins.0, [false, true]);
            assert!(relays.set(start, &mut pins, 0, true, 7, &mut memory));
            assert!(relays.set(start, &mut pins, 1, false, 3600, &mut memory));
            relays.tick(start + 6999, &mut pins, &mut memory);
            assert_eq!((pins.0, relays.left_s(0, start + 6999)), ([true, false], 1));
            relays.tick(start + 7000, &mut pins, &mut memory);
            assert_eq!((pins.0, relays.left_s(0, start + 7000)), ([false, false], 0));
            relays.tick(start + 3_600_000, &mut pins, &mut memory);
            assert_eq!(pins.0, [false, true]);
            assert_eq!(memory.counter(Counter::LeaseDrops), 2);
        }
    }

    #[test]
    fn refreshing_moves_the_end_and_a_lease_of_nothing_gives_back() {
        let (mut relays, mut pins, mut memory) = fresh();
        relays.configure(&mut pins, 1, 0);
        relays.set(0, &mut pins, 0, true, 5, &mut memory);
        relays.set(4000, &mut pins, 0, true, 5, &mut memory);
        relays.tick(8999, &mut pins, &mut memory);
        assert_eq!(relays.bits(), 1);
        relays.set(8999, &mut pins, 0, true, 0, &mut memory);
        assert_eq!((relays.bits(), relays.left_s(0, 8999)), (0, 0));
        assert!(!relays.set(0, &mut pins, 1, true, 5, &mut memory), "there is no second relay");
        assert!(!relays.set(0, &mut pins, 0, true, 3601, &mut memory), "nor a lease that long");
    }

    #[test]
    fn a_relay_that_refuses_is_noticed() {
        let broken = Transaction::set(State::High)
            .with_error(embedded_hal_mock::eh1::MockError::Io(std::io::ErrorKind::NotConnected));
        let pin = Mock::new(&[Transaction::set(State::Low), broken]);
        let mut pins = [pin.clone()];
        let (mut relays, _, mut memory) = fresh();
        relays.configure(&mut pins, 1, 0);
        assert!(relays.obey());
        assert!(!relays.set(0, &mut pins, 0, true, 5, &mut memory));
        assert!(!relays.obey());
        pins[0].done();
    }
}
