//! Recovery: no slot holds an image that may run. The bootloader answers on the line as a node without
//! points, at the address and with the line settings of the factory, and takes an update. Nothing else.

use embedded_storage::nor_flash::NorFlash;
use linli_node::board::{Boot, Crypto};
use linli_node::receiver::{self, Done, Event, Receiver, Rules};
use linli_node::server::{Answer, Exception, Space, serve};
use linli_wire::config::Config;
use linli_wire::identity::{self, BootState, Identity};
use linli_wire::kind::KINDS;
use linli_wire::map;
use linli_wire::update::{self, Message, Refusal};
use linli_wire::version::Version;

/// The address it answers at.
pub const UNIT: u8 = Config::factory(&KINDS[0]).unit;

/// The factory's line settings.
pub const LINE: Config = Config::factory(&KINDS[0]);

/// A bootloader that waits for an image.
pub struct Recovery<F, B, C: Crypto> {
    receiver: Receiver<F, B, C>,
    board: u16,
    reset_cause: u16,
    uptime_s: u32,
    wants_restart: bool,
}

// === impl Recovery ===

impl<F: NorFlash, B: Boot, C: Crypto> Recovery<F, B, C> {
    /// Takes up an update that a power cut interrupted.
    pub fn new(slot: F, boot: B, crypto: C, board: u16, reset_cause: u16) -> Self {
        let rules = Rules { board, kind: None, above: None, floor: 0, capacity: 0 };
        let receiver = Receiver::new(slot, boot, crypto, rules);
        Self { receiver, board, reset_cause, uptime_s: 0, wants_restart: false }
    }

    /// Serves one frame; returns the bytes to send, 0 for silence.
    pub fn frame(&mut self, request: &[u8], answer: &mut Answer) -> usize {
        serve(UNIT, request, self, answer);
        answer.len()
    }

    /// One round of the loop. Says whether to restart; the answer was sent before.
    pub fn tick(&mut self, uptime_s: u32) -> bool {
        self.uptime_s = uptime_s;
        let event = self.receiver.step();
        self.note(event);
        self.wants_restart
    }

    fn note(&mut self, event: Option<Event>) {
        self.wants_restart |= matches!(event, Some(Event::Activated(_) | Event::Restart));
    }

    fn identity(&mut self) -> Identity {
        Identity {
            map_version: linli_wire::MAP_VERSION,
            board: self.board,
            kind: 0,
            firmware: Version::from_code(0),
            security: self.receiver.boot().floor(),
            boot: BootState::Recovery.code(),
            serial: 0,
            reset_cause: self.reset_cause,
            status: if self.receiver.is_pending() { identity::status::UPDATE_PENDING } else { 0 },
            uptime_s: self.uptime_s,
            points: 0,
            points_base: linli_wire::point::BASE,
            inputs: 0,
            relays: 0,
            image: 0,
        }
    }
}

impl<F: NorFlash, B: Boot, C: Crypto> Space for Recovery<F, B, C> {
    fn read_bits(&mut self, _: bool, _: u16, _: u16, _: &mut [u8]) -> Result<(), Exception> {
        Err(Exception::Address)
    }

    fn read_words(&mut self, holding: bool, address: u16, words: &mut [u16]) -> Result<(), Exception> {
        let identity = self.identity().encode();
        let update: [u16; receiver::WORDS] = self.receiver.words(0);
        let blocks: [(u16, &[u16]); 2] = [(0, &identity), (map::update::STATE.address, &update)];
        let found = blocks.iter().find_map(|(base, block)| {
            let from = usize::from(address.checked_sub(*base)?);
            block.get(from..from + words.len())
        });
        words.copy_from_slice(found.filter(|_| !holding).ok_or(Exception::Address)?);
        Ok(())
    }

    fn write_bits(&mut self, _: u16, _: u16, _: &[u8]) -> Result<(), Exception> {
        Err(Exception::Address)
    }

    fn write_words(&mut self, address: u16, words: &[u16]) -> Result<(), Exception> {
        if address != update::BASE {
            return Err(Exception::Address);
        }
        let done = match Message::decode(words) {
            Ok(message) => self.receiver.handle(&message, false),
            Err(refusal) => Err(self.receiver.refuse(refusal)),
        };
        match done {
            Ok(Done::Event(event)) => self.note(Some(event)),
            Ok(Done::Chunk | Done::Repeat | Done::Verifying) => {}
            Err(Refusal::Busy) => return Err(Exception::Busy),
            Err(_) => return Err(Exception::Failure),
        }
        Ok(())
    }
}
