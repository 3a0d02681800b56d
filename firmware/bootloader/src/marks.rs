//! The marks by which the application and the bootloader understand each other: embassy-boot's state
//! page and the anti-rollback counter.

use embassy_boot::{BlockingFirmwareState, State};
use embedded_storage::nor_flash::NorFlash;
use linli_node::board::{Boot, Broken};
use linli_wire::identity::BootState;
use linli_wire::image::Header;

use crate::counter::Counter;

/// Most bytes that a flash writes at once on any board.
const LONGEST_WORD: usize = 8;

/// The marks.
#[derive(Debug)]
pub struct Marks<F> {
    state: F,
    counter: Counter<F>,
    /// Whether nothing runs but the bootloader itself.
    is_recovery: bool,
    /// Whether this run began with a revert. Kept here, because the mark itself is cleared.
    was_reverted: bool,
    image: u32,
    capacity: u32,
}

// === impl Marks ===

impl<F: NorFlash> Marks<F> {
    /// The marks in these two pages, for the image with this header.
    pub fn new(state: F, counter: F, header: Option<&Header>, capacity: u32) -> Self {
        let mut marks = Self {
            state,
            counter: Counter::new(counter),
            is_recovery: header.is_none(),
            was_reverted: false,
            image: header.map_or(0, Header::id),
            capacity,
        };
        marks.was_reverted = marks.standing() == BootState::Reverted;
        marks
    }

    /// The revert was seen. From now on the slot belongs to the next update, also over a power cut.
    pub fn acknowledge_revert(&mut self) -> Result<(), Broken> {
        if self.standing() == BootState::Reverted {
            self.with(|state| state.mark_booted().map_err(|_| Broken))?;
        }
        Ok(())
    }

    fn standing(&mut self) -> BootState {
        self.with(|state| match state.get_state() {
            Ok(State::Swap) => BootState::Trial,
            Ok(State::Revert) => BootState::Reverted,
            _ => BootState::Confirmed,
        })
    }

    fn with<T>(&mut self, what: impl FnOnce(&mut BlockingFirmwareState<'_, &mut F>) -> T) -> T {
        const { assert!(F::WRITE_SIZE <= LONGEST_WORD, "the word fits the buffer") };
        let mut word = [0; LONGEST_WORD];
        what(&mut BlockingFirmwareState::new(&mut self.state, &mut word[..F::WRITE_SIZE]))
    }
}

impl<F: NorFlash> Boot for Marks<F> {
    fn state(&mut self) -> BootState {
        match self.standing() {
            _ if self.is_recovery => BootState::Recovery,
            BootState::Confirmed if self.was_reverted => BootState::Reverted,
            standing => standing,
        }
    }

    fn mark_updated(&mut self) -> Result<(), Broken> {
        self.with(|state| state.mark_updated().map_err(|_| Broken))
    }

    fn mark_booted(&mut self) -> Result<(), Broken> {
        self.with(|state| state.mark_booted().map_err(|_| Broken))
    }

    fn floor(&mut self) -> u16 {
        self.counter.value().unwrap_or(u16::MAX)
    }

    fn raise_floor(&mut self, to: u16) -> Result<(), Broken> {
        self.counter.raise(to).map_err(|_| Broken)
    }

    fn image_id(&mut self) -> u32 {
        self.image
    }

    fn capacity(&mut self) -> u32 {
        self.capacity
    }
}
