//! Two copies of a small record, so that one is whole whatever happens.

use embedded_storage::Storage;
use embedded_storage::nor_flash::NorFlash;

use crate::broken::Broken;

/// Bytes kept for one copy; a multiple of every flash's word.
pub const BYTES: usize = 96;

/// A memory with two places.
pub trait Copies {
    /// Reads the place.
    fn read(&mut self, copy: usize, bytes: &mut [u8; BYTES]) -> Result<(), Broken>;
    /// Replaces what is there. A power cut may leave anything in this place, nothing in the other.
    fn write(&mut self, copy: usize, bytes: &[u8; BYTES]) -> Result<(), Broken>;
}

/// Two pages of flash.
#[derive(Debug)]
pub struct InNor<F> {
    flash: F,
    first: u32,
}

/// An EEPROM: two places far enough apart that no page write touches both.
#[derive(Debug)]
pub struct InEeprom<S> {
    memory: S,
    first: u32,
}

// === impl InNor ===

impl<F: NorFlash> InNor<F> {
    /// Two pages, beginning at an offset that is a multiple of the page.
    pub const fn new(flash: F, first: u32) -> Self {
        Self { flash, first }
    }

    fn place(&self, copy: usize) -> u32 {
        self.first + (copy as u32 & 1) * F::ERASE_SIZE as u32
    }
}

impl<F: NorFlash> Copies for InNor<F> {
    fn read(&mut self, copy: usize, bytes: &mut [u8; BYTES]) -> Result<(), Broken> {
        self.flash.read(self.place(copy), bytes).map_err(|_| Broken)
    }

    fn write(&mut self, copy: usize, bytes: &[u8; BYTES]) -> Result<(), Broken> {
        const { assert!(BYTES.is_multiple_of(F::WRITE_SIZE) && BYTES <= F::ERASE_SIZE) };
        let at = self.place(copy);
        self.flash.erase(at, at + F::ERASE_SIZE as u32).map_err(|_| Broken)?;
        self.flash.write(at, bytes).map_err(|_| Broken)
    }
}

// === impl InEeprom ===

/// Pages of the 24x series are at most 256 bytes.
const APART: u32 = 256;

impl<S: Storage> InEeprom<S> {
    /// Two places, beginning at an offset that is a multiple of 256.
    pub const fn new(memory: S, first: u32) -> Self {
        Self { memory, first }
    }

    fn place(&self, copy: usize) -> u32 {
        self.first + (copy as u32 & 1) * APART
    }
}

impl<S: Storage> Copies for InEeprom<S> {
    fn read(&mut self, copy: usize, bytes: &mut [u8; BYTES]) -> Result<(), Broken> {
        self.memory.read(self.place(copy), bytes).map_err(|_| Broken)
    }

    fn write(&mut self, copy: usize, bytes: &[u8; BYTES]) -> Result<(), Broken> {
        self.memory.write(self.place(copy), bytes).map_err(|_| Broken)
    }
}

#[cfg(test)]
mod tests {
    use eeprom24x::{Eeprom24x, SlaveAddr, Storage as Eeprom};
    use embedded_hal_mock::eh1::delay::NoopDelay;
    use embedded_hal_mock::eh1::i2c::{Mock, Transaction};

    use super::*;

    #[test]
    fn an_eeprom_on_the_bus_keeps_both_copies() {
        let record: [u8; BYTES] = core::array::from_fn(|at| at as u8);
        let page = |from: usize| {
            let address = 256 + from as u16;
            let mut bytes = address.to_be_bytes().to_vec();
            bytes.extend(&record[from..from + 32]);
            Transaction::write(0x50, bytes)
        };
        let transfers =
            [page(0), page(32), page(64), Transaction::write_read(0x50, vec![1, 0], record.to_vec())];
        let mut bus = Mock::new(&transfers);
        let eeprom = Eeprom24x::new_24x32(bus.clone(), SlaveAddr::default());
        let mut copies = InEeprom::new(Eeprom::new(eeprom, NoopDelay::new()), 0);
        copies.write(1, &record).expect("the mock takes it");
        let mut back = [0; BYTES];
        copies.read(1, &mut back).expect("the mock gives it");
        assert_eq!(back, record);
        bus.done();
    }
}
