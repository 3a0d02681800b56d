//! The anti-rollback counter: a page of records, each a value with its complement, that is only ever
//! appended to. The highest whole record counts; a torn one counts for nothing.

use embedded_storage::nor_flash::{NorFlash, NorFlashError, NorFlashErrorKind};

/// Bytes of a record: what every flash can write at once.
const RECORD: usize = 8;

/// The counter in its page.
#[derive(Debug)]
pub struct Counter<F> {
    flash: F,
}

// === impl Counter ===

impl<F: NorFlash> Counter<F> {
    /// The counter in this page.
    pub const fn new(flash: F) -> Self {
        Self { flash }
    }

    /// Its value.
    pub fn value(&mut self) -> Result<u16, NorFlashErrorKind> {
        self.scan().map(|(value, _)| value)
    }

    /// Raises it; a lower value changes nothing. There is room for hundreds of raises; a full page is
    /// refused rather than erased, because between erasing and writing there would be no counter.
    pub fn raise(&mut self, to: u16) -> Result<(), NorFlashErrorKind> {
        let (value, free) = self.scan()?;
        if to <= value {
            return Ok(());
        }
        let free = free.ok_or(NorFlashErrorKind::OutOfBounds)?;
        self.flash.write(free, &record(to)).map_err(|error| error.kind())
    }

    fn scan(&mut self) -> Result<(u16, Option<u32>), NorFlashErrorKind> {
        let (mut value, mut bytes) = (0, [0; RECORD]);
        for at in (0..self.flash.capacity() as u32).step_by(RECORD) {
            self.flash.read(at, &mut bytes).map_err(|error| error.kind())?;
            if bytes == [0xFF; RECORD] {
                return Ok((value, Some(at)));
            }
            let found = u16::from_be_bytes([bytes[0], bytes[1]]);
            if bytes == record(found) {
                value = value.max(found);
            }
        }
        Ok((value, None))
    }
}

fn record(value: u16) -> [u8; RECORD] {
    let (v, not) = (value.to_be_bytes(), (!value).to_be_bytes());
    [v[0], v[1], not[0], not[1], b'l', b'l', b'c', b'1']
}
