//! The slot: erasing, writing word by word, finding out where a power cut struck.

use embedded_storage::nor_flash::NorFlash;
use linli_wire::identity::BootState;
use linli_wire::image::{BODY, HEADER, Header};
use linli_wire::update::{ALIGN, LONGEST_CHUNK, Refusal};

use super::{Receiver, Stage};
use crate::board::{Boot, Crypto};

/// What erased flash reads.
const BLANK: u8 = 0xFF;

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// The slot holds all of it.
    All,
    /// There is something else that cannot be overwritten, in this page.
    Torn(u32),
}

impl<F: NorFlash, B: Boot, C: Crypto> Receiver<F, B, C> {
    const PAGE: u32 = F::ERASE_SIZE as u32;

    /// Erases one page; behind the last one the header is written and receiving begins.
    pub(super) fn erase_next(&mut self, page: u32) -> Result<(), Refusal> {
        let header = self.header.ok_or(Refusal::NoSession)?;
        let from = page * Self::PAGE;
        if from < header.total() {
            self.erase(from)?;
            self.stage = Stage::Erasing { page: page + 1 };
            return Ok(());
        }
        self.write_header(&header)?;
        self.next = BODY;
        self.stage = Stage::Receiving;
        Ok(())
    }

    /// Takes up what a power cut interrupted.
    pub(super) fn resume(&mut self) {
        // A reverted image lies whole in the slot. It failed once: it must be sent again to be tried again.
        // On trial, the slot holds the firmware to go back to and is left alone.
        match self.boot.state() {
            BootState::Trial => return,
            BootState::Reverted => {
                if self.read_header().is_some() {
                    let _ = self.forget();
                }
                return;
            }
            BootState::Confirmed | BootState::Recovery => {}
        }
        let Some(header) = self.read_header() else { return };
        if self.rules.judge(&header, &self.crypto).is_err() {
            return;
        }
        (self.header, self.session) = (Some(header), header.id());
        self.next = self.end_of_written(header.total());
        self.stage = Stage::Receiving;
    }

    /// Back to a blank slot: without its header nothing in it counts.
    pub(super) fn forget(&mut self) -> Result<(), Refusal> {
        self.stage = Stage::Idle;
        self.header = None;
        (self.session, self.next) = (0, 0);
        self.erase(0)
    }

    /// Clears the page with the torn word; what was received before it stays.
    pub(super) fn turn_back(&mut self, page: u32) -> Result<(), Refusal> {
        let header = self.header.ok_or(Refusal::NoSession)?;
        self.erase(page)?;
        if page == 0 {
            self.write_header(&header)?;
        }
        self.next = page.max(BODY);
        Ok(())
    }

    /// Writes a chunk where it belongs. Words that are there already are left alone, so a chunk that
    /// was cut in two is completed.
    pub(super) fn write(&mut self, offset: u32, data: &[u8]) -> Result<Written, Refusal> {
        let mut there = [0; LONGEST_CHUNK];
        let there = &mut there[..data.len()];
        self.slot.read(offset, there).map_err(|_| Refusal::Flash)?;
        if there.iter().all(|byte| *byte == BLANK) {
            self.slot.write(offset, data).map_err(|_| Refusal::Flash)?;
            self.writes = self.writes.saturating_add(1);
        } else {
            let word = ALIGN as usize;
            for (index, (old, new)) in there.chunks(word).zip(data.chunks(word)).enumerate() {
                let at = offset + (index * word) as u32;
                if old == new {
                    continue;
                }
                if old.iter().any(|byte| *byte != BLANK) {
                    return Ok(Written::Torn(at - at % Self::PAGE));
                }
                self.slot.write(at, new).map_err(|_| Refusal::Flash)?;
                self.writes = self.writes.saturating_add(1);
            }
        }
        if self.holds(offset, data)? { Ok(Written::All) } else { Err(Refusal::Flash) }
    }

    /// Whether the slot holds exactly this.
    pub(super) fn holds(&mut self, offset: u32, data: &[u8]) -> Result<bool, Refusal> {
        let mut there = [0; LONGEST_CHUNK];
        let there = there.get_mut(..data.len()).ok_or(Refusal::Length)?;
        self.slot.read(offset, there).map_err(|_| Refusal::Flash)?;
        Ok(there == data)
    }

    /// The header in the slot, if it is one.
    pub(super) fn read_header(&mut self) -> Option<Header> {
        let mut bytes = [0; HEADER];
        self.slot.read(0, &mut bytes).ok()?;
        Header::decode(&bytes).ok()
    }

    fn write_header(&mut self, header: &Header) -> Result<(), Refusal> {
        self.slot.write(0, &header.encode()).map_err(|_| Refusal::Flash)?;
        self.writes = self.writes.saturating_add(1);
        Ok(())
    }

    fn erase(&mut self, page: u32) -> Result<(), Refusal> {
        self.slot.erase(page, page + Self::PAGE).map_err(|_| Refusal::Flash)?;
        self.erases = self.erases.saturating_add(1);
        Ok(())
    }

    /// Where the last word begins that is not blank: that one may be torn, and is asked for again.
    /// An image may itself hold 0xFF: then this is too low, and writing the same again does no harm.
    fn end_of_written(&mut self, total: u32) -> u32 {
        let mut piece = [0; 64];
        let mut end = total;
        while end > BODY {
            let from = (end - 1) / 64 * 64;
            let piece = &mut piece[..(end - from) as usize];
            if self.slot.read(from, piece).is_err() {
                return BODY;
            }
            if let Some(last) = piece.iter().rposition(|byte| *byte != BLANK) {
                return (from + last as u32) / ALIGN * ALIGN;
            }
            end = from;
        }
        BODY
    }
}
