//! Memories that obey their rules, and lose power in the middle of any write or erase.
//!
//! What is promised to be survived: at the cut, a write has reached a part of its bytes and the
//! last of them only half; an erase has reached a part of its page, and one byte there is neither
//! old nor blank. Behind the cut nothing works until power returns.

use std::cmp::Ordering;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};

/// The supply of everything that is written; every clone is the same supply.
#[derive(Debug, Clone, Default)]
pub struct Power(Arc<Mutex<Supply>>);

#[derive(Debug, Default)]
struct Supply {
    changes: u64,
    cut_at: Option<u64>,
    is_off: bool,
}

/// Power is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lost;

/// What a single change of memory may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Go {
    Whole,
    /// Only this many of 256 parts, then nothing more.
    Part(u8),
}

/// Cells, and the file that keeps them beyond this process.
#[derive(Debug)]
struct Cells {
    bytes: Vec<u8>,
    file: Option<File>,
}

/// NOR flash: erased by pages to ones, written by words, each of them once.
#[derive(Debug, Clone)]
pub struct Flash<const WRITE: usize = 4, const ERASE: usize = 4096> {
    cells: Arc<Mutex<Cells>>,
    power: Power,
}

/// An EEPROM: any byte at any time.
#[derive(Debug, Clone)]
pub struct Eeprom {
    cells: Arc<Mutex<Cells>>,
    power: Power,
}

/// Why a flash refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused(NorFlashErrorKind);

// === impl Power ===

impl Power {
    /// Cuts power in the `n`-th change from now on, counted from 0.
    pub fn cut_at(&self, n: u64) {
        let mut supply = self.supply();
        supply.cut_at = Some(supply.changes + n);
    }

    /// Power returns, and no cut is planned.
    pub fn restore(&self) {
        let mut supply = self.supply();
        (supply.cut_at, supply.is_off) = (None, false);
    }

    /// Whether power was cut.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.supply().is_off
    }

    /// Changes so far: what a test walks through.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.supply().changes
    }

    fn supply(&self) -> MutexGuard<'_, Supply> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self) -> Result<Go, Lost> {
        let mut supply = self.supply();
        if supply.is_off {
            return Err(Lost);
        }
        let now = supply.changes;
        supply.changes += 1;
        if supply.cut_at == Some(now) {
            supply.is_off = true;
            // Early, in the middle and late, in turns.
            return Ok(Go::Part([1, 90, 128, 200, 255, 0][(now % 6) as usize]));
        }
        Ok(Go::Whole)
    }

    fn is_on(&self) -> Result<(), Lost> {
        if self.is_off() { Err(Lost) } else { Ok(()) }
    }
}

// === impl Cells ===

impl Cells {
    fn blank(length: usize) -> Arc<Mutex<Self>> {
        Arc::new(Mutex::new(Self { bytes: vec![0xFF; length], file: None }))
    }

    /// What the file holds, or a blank one.
    fn in_file(length: usize, path: &Path) -> io::Result<Arc<Mutex<Self>>> {
        let file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut bytes = vec![0xFF; length];
        if file.metadata()?.len() == length as u64 {
            file.read_exact_at(&mut bytes, 0)?;
        } else {
            file.set_len(0)?;
            file.write_all_at(&bytes, 0)?;
        }
        Ok(Arc::new(Mutex::new(Self { bytes, file: Some(file) })))
    }

    /// Changes a run of cells. A file that cannot be written is a memory that is worn out.
    fn change(&mut self, at: usize, length: usize, change: impl FnOnce(&mut [u8])) -> Result<(), Lost> {
        let place = &mut self.bytes[at..at + length];
        change(place);
        self.file.as_ref().map_or(Ok(()), |file| file.write_all_at(place, at as u64)).map_err(|_| Lost)
    }
}

// === impl Flash ===

impl<const WRITE: usize, const ERASE: usize> Flash<WRITE, ERASE> {
    /// Blank flash of so many pages.
    #[must_use]
    pub fn new(pages: usize, power: Power) -> Self {
        Self { cells: Cells::blank(pages * ERASE), power }
    }

    /// The same in a file, which is blank when it is new.
    pub fn in_file(pages: usize, power: Power, path: &Path) -> io::Result<Self> {
        Ok(Self { cells: Cells::in_file(pages * ERASE, path)?, power })
    }

    /// What it holds.
    #[must_use]
    pub fn image(&self) -> Vec<u8> {
        self.cells().bytes.clone()
    }

    /// Puts something there, as a programmer does.
    pub fn load(&self, at: usize, bytes: &[u8]) {
        let _ = self.cells().change(at, bytes.len(), |cells| cells.copy_from_slice(bytes));
    }

    fn cells(&self) -> MutexGuard<'_, Cells> {
        self.cells.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl NorFlashError for Refused {
    fn kind(&self) -> NorFlashErrorKind {
        self.0
    }
}

const GONE: Refused = Refused(NorFlashErrorKind::Other);

impl<const WRITE: usize, const ERASE: usize> ErrorType for Flash<WRITE, ERASE> {
    type Error = Refused;
}

impl<const WRITE: usize, const ERASE: usize> ReadNorFlash for Flash<WRITE, ERASE> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Refused> {
        check_read(self, offset, bytes.len()).map_err(Refused)?;
        self.power.is_on().map_err(|_| GONE)?;
        bytes.copy_from_slice(&self.cells().bytes[offset as usize..][..bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.cells().bytes.len()
    }
}

impl<const WRITE: usize, const ERASE: usize> NorFlash for Flash<WRITE, ERASE> {
    const WRITE_SIZE: usize = WRITE;
    const ERASE_SIZE: usize = ERASE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Refused> {
        check_erase(self, from, to).map_err(Refused)?;
        let (from, to) = (from as usize, to as usize);
        let go = self.power.change().map_err(|_| GONE)?;
        let reached = match go {
            Go::Whole => to - from,
            Go::Part(part) => (to - from) * usize::from(part) / 256,
        };
        let erased = self.cells().change(from, to - from, |cells| {
            cells[..reached].fill(0xFF);
            // One byte between old and blank.
            if let Some(torn) = cells.get_mut(reached) {
                *torn |= 0x5A;
            }
        });
        if go == Go::Whole { erased.map_err(|_| GONE) } else { Err(GONE) }
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Refused> {
        check_write(self, offset, bytes.len()).map_err(Refused)?;
        // Flash that corrects errors takes a word once; the strictest part sets the rule.
        let is_blank = self.cells().bytes[offset as usize..][..bytes.len()].iter().all(|cell| *cell == 0xFF);
        if !is_blank {
            return Err(Refused(NorFlashErrorKind::Other));
        }
        let go = self.power.change().map_err(|_| GONE)?;
        let reached = match go {
            Go::Whole => bytes.len(),
            Go::Part(part) => bytes.len() * usize::from(part) / 256,
        };
        let written = self.cells().change(offset as usize, bytes.len(), |cells| {
            for (index, (cell, byte)) in cells.iter_mut().zip(bytes).enumerate() {
                match index.cmp(&reached) {
                    // Programming only clears bits.
                    Ordering::Less => *cell &= byte,
                    Ordering::Equal => *cell &= byte | 0xA5,
                    Ordering::Greater => {}
                }
            }
        });
        if go == Go::Whole { written.map_err(|_| GONE) } else { Err(GONE) }
    }
}

// === impl Eeprom ===

impl Eeprom {
    /// A new EEPROM reads ones.
    #[must_use]
    pub fn new(bytes: usize, power: Power) -> Self {
        Self { cells: Cells::blank(bytes), power }
    }

    /// The same in a file, which is blank when it is new.
    pub fn in_file(bytes: usize, power: Power, path: &Path) -> io::Result<Self> {
        Ok(Self { cells: Cells::in_file(bytes, path)?, power })
    }

    /// Damages a byte, as age does.
    pub fn damage(&self, at: usize) {
        let _ = self.cells().change(at, 1, |cells| cells[0] ^= 0x10);
    }

    fn cells(&self) -> MutexGuard<'_, Cells> {
        self.cells.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl embedded_storage::ReadStorage for Eeprom {
    type Error = Lost;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Lost> {
        self.power.is_on()?;
        bytes.copy_from_slice(&self.cells().bytes[offset as usize..][..bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.cells().bytes.len()
    }
}

impl embedded_storage::Storage for Eeprom {
    /// Page by page, as the part does; every page is a change of its own.
    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Lost> {
        for (index, page) in bytes.chunks(32).enumerate() {
            let at = offset as usize + 32 * index;
            let go = self.power.change()?;
            let reached = match go {
                Go::Whole => page.len(),
                Go::Part(part) => page.len() * usize::from(part) / 256,
            };
            self.cells().change(at, page.len(), |cells| {
                cells[..reached].copy_from_slice(&page[..reached]);
                if let Some(torn) = cells.get_mut(reached) {
                    *torn ^= 0x5A;
                }
            })?;
            if go != Go::Whole {
                return Err(Lost);
            }
        }
        Ok(())
    }
}
