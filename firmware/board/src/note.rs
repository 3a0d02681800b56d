//! A note that survives a reset in memory that nobody initialises: why the last run ended, and what the
//! bootloader has to tell the application. After a power cut there is no note.

use crate::register::Register;

const MAGIC: u32 = 0x6C6C_0001;
/// Words: magic, why, what the bootloader did, check.
pub const BYTES: u32 = 16;

/// Why the last run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// No note: the power was off.
    Power,
    /// It ran when it was cut off: the watchdog, or the reset pin.
    Running,
    /// It asked for the reset itself.
    Asked,
    /// It panicked.
    Panic,
}

/// The note at its place.
#[derive(Debug, Clone, Copy)]
pub struct Note {
    base: usize,
}

// === impl Note ===

impl Note {
    /// The note at that address.
    ///
    /// # Safety
    /// Sixteen bytes of memory there belong to nobody else and are left alone by the start-up code.
    #[must_use]
    pub const unsafe fn at(base: u32) -> Self {
        Self { base: base as usize }
    }

    fn word(self, index: usize) -> Register {
        // SAFETY: promised by whoever made it.
        unsafe { Register::at(self.base + 4 * index) }
    }

    /// Reads why the last run ended.
    #[must_use]
    pub fn ended(self) -> Ended {
        let (why, told) = (self.word(1).read(), self.word(2).read());
        if self.word(0).read() != MAGIC || self.word(3).read() != !(why ^ told) {
            return Ended::Power;
        }
        match why {
            1 => Ended::Running,
            2 => Ended::Asked,
            3 => Ended::Panic,
            _ => Ended::Power,
        }
    }

    /// What the bootloader told last.
    #[must_use]
    pub fn told(self) -> u32 {
        if self.word(0).read() == MAGIC { self.word(2).read() } else { 0 }
    }

    /// Writes it anew.
    pub fn write(self, ended: Ended, told: u32) {
        let why = match ended {
            Ended::Power => 0,
            Ended::Running => 1,
            Ended::Asked => 2,
            Ended::Panic => 3,
        };
        self.word(0).write(0);
        self.word(1).write(why);
        self.word(2).write(told);
        self.word(3).write(!(why ^ told));
        self.word(0).write(MAGIC);
    }

    /// Ends this run: the next one learns why.
    pub fn reset(self, ended: Ended) -> ! {
        self.write(ended, self.told());
        cortex_m::peripheral::SCB::sys_reset()
    }
}
