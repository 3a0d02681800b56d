//! What a bootloader does between two lives of the node: swap, trial, revert.
//!
//! It leaves the slot as embassy-boot leaves it: behind a swap the old image lies there, moved up
//! by one page, below it the first page of the new one.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use linli_wire::identity::BootState;
use linli_wire::image::Header;
use linli_wire::version::Version;

use super::flash::{Eeprom, Flash, Power};
use super::{Keys, Options};
use crate::board::{Boot, Firmware};
use crate::broken::Broken;
use crate::receiver::{Rules, verify};

/// Bytes of a slot.
pub const SLOT: u32 = 128 * 1024;

/// Bytes of a page.
const PAGE: usize = 4096;

/// Everything that survives a power cut; every clone is the same.
#[derive(Debug, Clone)]
pub struct Disk {
    /// The configuration's memory.
    pub eeprom: Eeprom,
    /// Where updates are received; one page more than an image, as the swap needs it.
    pub slot: Flash,
    /// The supply of all of it.
    pub power: Power,
    marks: Arc<Mutex<Marks>>,
}

#[derive(Debug, Default)]
struct Marks {
    dir: Option<PathBuf>,
    is_updated: bool,
    state: Option<BootState>,
    floor: u16,
    active: Vec<u8>,
    previous: Vec<u8>,
}

// === impl Disk ===

impl Default for Disk {
    fn default() -> Self {
        Self::new()
    }
}

impl Disk {
    /// A node fresh from the factory.
    #[must_use]
    pub fn new() -> Self {
        let power = Power::default();
        Self {
            eeprom: Eeprom::new(4096, power.clone()),
            slot: Flash::new(SLOT as usize / PAGE + 1, power.clone()),
            power,
            marks: Arc::default(),
        }
    }

    /// A node whose memories are files in a directory: it goes on after the process was killed.
    pub fn in_dir(dir: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(dir)?;
        let power = Power::default();
        Ok(Self {
            eeprom: Eeprom::in_file(4096, power.clone(), &dir.join("eeprom"))?,
            slot: Flash::in_file(SLOT as usize / PAGE + 1, power.clone(), &dir.join("slot"))?,
            power,
            marks: Arc::new(Mutex::new(Marks::load(dir))),
        })
    }

    /// The image that runs; empty for the one the program itself is.
    #[must_use]
    pub fn active(&self) -> Vec<u8> {
        self.marks().active.clone()
    }

    /// What the bootloader does at a start; returns the firmware that runs then.
    pub(super) fn boot_up(&self, options: &Options, keys: &Keys) -> Firmware {
        let mut marks = self.marks();
        if marks.state == Some(BootState::Trial) {
            self.revert(&mut marks);
        } else if marks.is_updated {
            self.swap(&mut marks, options, keys);
        } else if marks.state == Some(BootState::Reverted) {
            marks.state = Some(BootState::Confirmed);
        }
        // A mark that is not kept shows at the next start as the state before it.
        let _ = marks.save();
        let header = Header::decode(&marks.active).ok();
        Firmware {
            board: options.board,
            version: header.map_or(options.version, |header| header.firmware),
            security: header.map_or(options.security, |header| header.security),
            kind: options.kind,
            gap: options.gap,
        }
    }

    /// The image in the slot becomes the one that runs, if it is what it says.
    fn swap(&self, marks: &mut Marks, options: &Options, keys: &Keys) {
        marks.is_updated = false;
        let rules =
            Rules { board: options.board, kind: None, above: None, floor: marks.floor, capacity: SLOT };
        let mut slot = self.slot.clone();
        let Ok(header) = verify(&mut slot, 0, keys, &rules) else { return };
        let mut image = self.slot.image();
        image.truncate(header.total() as usize);
        marks.previous = std::mem::replace(&mut marks.active, image);
        self.slot.load(PAGE, &vec![0; SLOT as usize]);
        self.slot.load(PAGE, &marks.previous);
        marks.state = Some(BootState::Trial);
    }

    fn revert(&self, marks: &mut Marks) {
        let failed = std::mem::take(&mut marks.active);
        marks.active = std::mem::take(&mut marks.previous);
        self.slot.load(0, &failed);
        marks.state = Some(BootState::Reverted);
    }

    fn marks(&self) -> MutexGuard<'_, Marks> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_on(&self) -> Result<(), Broken> {
        if self.power.is_off() { Err(Broken) } else { Ok(()) }
    }
}

// === impl Marks ===

impl Marks {
    fn load(dir: &Path) -> Self {
        let read = |name: &str| std::fs::read(dir.join(name)).unwrap_or_default();
        let marks = read("marks");
        let byte = |at: usize| marks.get(at).copied().unwrap_or(0);
        Self {
            dir: Some(dir.to_owned()),
            is_updated: byte(0) == 1,
            state: BootState::from_code(u16::from(byte(1))),
            floor: u16::from_be_bytes([byte(2), byte(3)]),
            active: read("active"),
            previous: read("previous"),
        }
    }

    fn save(&self) -> Result<(), Broken> {
        let Some(dir) = &self.dir else { return Ok(()) };
        let [high, low] = self.floor.to_be_bytes();
        let state = self.state.unwrap_or(BootState::Confirmed).code() as u8;
        let marks = [u8::from(self.is_updated), state, high, low];
        let write = |name: &str, bytes: &[u8]| {
            // Renamed into place: a kill in the middle leaves the one before.
            let part = dir.join(format!("{name}.part"));
            std::fs::write(&part, bytes).and_then(|()| std::fs::rename(&part, dir.join(name)))
        };
        write("active", &self.active)
            .and_then(|()| write("previous", &self.previous))
            .and_then(|()| write("marks", &marks))
            .map_err(|_| Broken)
    }
}

impl Boot for Disk {
    fn state(&mut self) -> BootState {
        self.marks().state.unwrap_or(BootState::Confirmed)
    }

    fn mark_updated(&mut self) -> Result<(), Broken> {
        self.is_on()?;
        let mut marks = self.marks();
        marks.is_updated = true;
        marks.save()
    }

    fn mark_booted(&mut self) -> Result<(), Broken> {
        self.is_on()?;
        let mut marks = self.marks();
        marks.state = Some(BootState::Confirmed);
        marks.save()
    }

    fn floor(&mut self) -> u16 {
        self.marks().floor
    }

    fn raise_floor(&mut self, to: u16) -> Result<(), Broken> {
        self.is_on()?;
        let mut marks = self.marks();
        marks.floor = marks.floor.max(to);
        marks.save()
    }

    fn image_id(&mut self) -> u32 {
        Header::decode(&self.marks().active).map_or(0, |header| header.id())
    }

    fn capacity(&mut self) -> u32 {
        SLOT
    }
}

impl Options {
    /// The first firmware of a node for this kind, version 1.0.0.
    #[must_use]
    pub fn new(kind: &'static linli_wire::kind::Kind, keys: Keys) -> Self {
        Self {
            kind,
            board: linli_wire::board::Board::Software.code(),
            version: Version::new(1, 0, 0),
            security: 1,
            gap: 0,
            keys,
        }
    }
}
