//! Receives an update: refuses what must not run, survives power cuts, marks what is whole.
//!
//! The header comes first and is judged, signature included, before anything is erased. Then the
//! pages the image needs are erased, the header page first; only then is the header written. So a
//! header in the slot means: behind it is nothing but what this update wrote, in order. After a
//! power cut the place to go on is where the slot is still blank.
//!
//! The bootloader's recovery mode uses this too, without a [`crate::Node`].

mod flash;
mod verify;

use embedded_storage::nor_flash::NorFlash;
use linli_wire::identity::BootState;
use linli_wire::image::{BODY, HEADER, Header};
use linli_wire::map::update as at;
use linli_wire::update::{ALIGN, Command, LONGEST_CHUNK, Message, Refusal, State};
use linli_wire::version::Version;

use crate::board::{Boot, Crypto, Hash};
use crate::broken::Broken;
use flash::Written;

pub use verify::{Rules, verify};

/// Bytes hashed a step: a few milliseconds on a small processor, so that requests are answered.
const PIECE: u32 = 512;

/// What is worth a line in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// An update began.
    Begun(Version),
    /// It goes on at this offset.
    Resumed(u32),
    /// It was verified.
    Verified(Version),
    /// It will be booted.
    Activated(Version),
    /// The firmware that runs is kept.
    Confirmed,
    /// It was given up.
    Aborted,
    /// A restart was ordered.
    Restart,
    /// It failed after it was received.
    Failed(Refusal),
}

/// What a message did that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// A chunk was written.
    Chunk,
    /// A chunk that was there already.
    Repeat,
    /// Something for the log.
    Event(Event),
    /// Verification began.
    Verifying,
}

/// Where it stands.
#[derive(Debug)]
enum Stage<H> {
    Idle,
    Erasing { page: u32 },
    Receiving,
    Verifying { hash: H, at: u32 },
    Verified,
    Activating,
}

/// What is told about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// How far it is.
    pub state: State,
    /// Why the last message was refused.
    pub reason: Option<Refusal>,
    /// Where to go on.
    pub next: u32,
    /// The image that is received.
    pub header: Option<Header>,
    /// Percent of the present step.
    pub progress: u16,
}

/// The receiver of updates.
pub struct Receiver<F, B, C: Crypto> {
    slot: F,
    boot: B,
    crypto: C,
    rules: Rules,
    stage: Stage<C::Hash>,
    header: Option<Header>,
    session: u32,
    next: u32,
    reason: Option<Refusal>,
    writes: u32,
    erases: u32,
}

// === impl Receiver ===

impl<F: NorFlash, B: Boot, C: Crypto> Receiver<F, B, C> {
    /// Takes up an update that a power cut interrupted, if there is one.
    pub fn new(slot: F, mut boot: B, crypto: C, rules: Rules) -> Self {
        const { assert!((ALIGN as usize).is_multiple_of(F::WRITE_SIZE), "chunks are whole words of the flash") };
        let rules = Rules { floor: rules.floor.max(boot.floor()), capacity: boot.capacity(), ..rules };
        let mut receiver = Self {
            slot,
            boot,
            crypto,
            rules,
            stage: Stage::Idle,
            header: None,
            session: 0,
            next: 0,
            reason: None,
            writes: 0,
            erases: 0,
        };
        receiver.resume();
        receiver
    }

    /// Does what a message orders. `is_fit` says whether the self-test allows a confirmation.
    pub fn handle(&mut self, message: &Message, is_fit: bool) -> Result<Done, Refusal> {
        let result = match Command::from_code(message.command) {
            None => Err(Refusal::UnknownCommand),
            Some(Command::Restart) => Ok(Done::Event(Event::Restart)),
            Some(Command::Confirm) => self.confirm(is_fit),
            Some(_) if self.rules.capacity == 0 => Err(Refusal::NotSupported),
            Some(Command::Begin) => self.begin(message),
            Some(Command::Abort) => self.abort(),
            Some(Command::Chunk) => self.session(message).and_then(|()| self.chunk(message)),
            Some(Command::Finish) => self.session(message).and_then(|()| self.finish()),
            Some(Command::Activate) => self.session(message).and_then(|()| self.activate()),
        };
        self.reason = result.err();
        result
    }

    /// Goes on with what takes long: erasing a page, hashing a piece.
    pub fn step(&mut self) -> Option<Event> {
        match self.stage {
            Stage::Erasing { page } => match self.erase_next(page) {
                Ok(()) => None,
                Err(refusal) => Some(self.fail(refusal)),
            },
            Stage::Verifying { at, .. } => self.hash_next(at),
            _ => None,
        }
    }

    /// How it stands.
    pub fn status(&self) -> Status {
        let total = self.header.map_or(0, |header| header.total());
        let of = |done: u32, all: u32| (u64::from(done) * 100 / u64::from(all.max(1))).min(100) as u16;
        let (state, progress) = match &self.stage {
            Stage::Idle => (State::Idle, 0),
            Stage::Erasing { page } => (State::Erasing, of(page * F::ERASE_SIZE as u32, total)),
            Stage::Receiving => (State::Receiving, of(self.next, total)),
            Stage::Verifying { at, .. } => (State::Verifying, of(*at, total)),
            Stage::Verified => (State::Verified, 100),
            Stage::Activating => (State::Activating, 100),
        };
        Status { state, reason: self.reason, next: self.next, header: self.header, progress }
    }

    /// The registers of the update block; `trial_s` are the seconds left of a firmware's trial.
    pub fn words(&self, trial_s: u16) -> [u16; WORDS] {
        let status = self.status();
        let mut words = [0; WORDS];
        let base = at::STATE.address;
        at::STATE.put(&mut words, base, status.state.code());
        at::REASON.put(&mut words, base, status.reason.map_or(0, Refusal::code));
        at::NEXT.put(&mut words, base, status.next);
        if let Some(header) = status.header {
            at::TOTAL.put(&mut words, base, header.total());
            at::SESSION.put(&mut words, base, self.session);
            at::VERSION.put(&mut words, base, header.firmware.code());
            at::SECURITY.put(&mut words, base, header.security);
        }
        at::PROGRESS.put(&mut words, base, status.progress);
        at::LONGEST.put(&mut words, base, LONGEST_CHUNK as u16);
        at::CAPACITY.put(&mut words, base, self.rules.capacity);
        at::FLOOR.put(&mut words, base, self.rules.floor);
        at::TRIAL.put(&mut words, base, trial_s);
        words
    }

    /// Whether an update is going on or waits for its activation.
    pub const fn is_pending(&self) -> bool {
        !matches!(self.stage, Stage::Idle)
    }

    /// The bootloader's marks.
    pub fn boot(&mut self) -> &mut B {
        &mut self.boot
    }

    /// Whether the slot can be read.
    pub fn is_readable(&mut self) -> bool {
        self.slot.read(0, &mut [0; 8]).is_ok()
    }

    /// Writes and erases since this was asked last.
    pub fn take_wear(&mut self) -> (u32, u32) {
        (core::mem::take(&mut self.writes), core::mem::take(&mut self.erases))
    }

    /// A message that could not even be read.
    pub fn refuse(&mut self, refusal: Refusal) -> Refusal {
        self.reason = Some(refusal);
        refusal
    }

    /// Raises the anti-rollback counter to what runs and was confirmed.
    pub fn raise_floor(&mut self, to: u16) -> Result<(), Broken> {
        if to > self.rules.floor {
            self.boot.raise_floor(to)?;
            self.rules.floor = to;
        }
        Ok(())
    }

    /// The node became another kind.
    pub fn set_kind(&mut self, kind: Option<u16>) {
        self.rules.kind = kind;
    }

    fn session(&self, message: &Message) -> Result<(), Refusal> {
        match self.stage {
            Stage::Idle => Err(Refusal::NoSession),
            _ if message.session != self.session => Err(Refusal::OtherSession),
            Stage::Erasing { .. } | Stage::Verifying { .. } | Stage::Activating => Err(Refusal::Busy),
            Stage::Receiving | Stage::Verified => Ok(()),
        }
    }

    fn begin(&mut self, message: &Message) -> Result<Done, Refusal> {
        let header = Header::decode(message.data()).map_err(|_| Refusal::Header)?;
        if message.data().len() != HEADER || header.id() != message.session {
            return Err(Refusal::Header);
        }
        match self.stage {
            Stage::Idle => {}
            _ if message.session != self.session => return Err(Refusal::OtherSession),
            Stage::Erasing { .. } => return Err(Refusal::Busy),
            _ => return Ok(Done::Event(Event::Resumed(self.next))),
        }
        // While the firmware is on trial, the slot holds the one to go back to.
        if self.boot.state() == BootState::Trial {
            return Err(Refusal::OnTrial);
        }
        self.rules.judge(&header, &self.crypto)?;
        self.header = Some(header);
        (self.session, self.next) = (message.session, 0);
        self.stage = Stage::Erasing { page: 0 };
        Ok(Done::Event(Event::Begun(header.firmware)))
    }

    fn chunk(&mut self, message: &Message) -> Result<Done, Refusal> {
        let (offset, data) = (message.offset, message.data());
        let length = data.len() as u32;
        if data.is_empty() || !length.is_multiple_of(ALIGN) || !offset.is_multiple_of(ALIGN) {
            return Err(Refusal::Length);
        }
        let total = self.header.map_or(0, |header| header.total());
        if offset.checked_add(length).is_none_or(|end| end > total) {
            return Err(Refusal::BeyondEnd);
        }
        if offset > self.next {
            return Err(Refusal::Ahead);
        }
        if offset < self.next {
            // The answer to the last chunk was lost: the same again is taken, anything else is not.
            let is_last = offset + length == self.next && self.holds(offset, data)?;
            return if is_last { Ok(Done::Repeat) } else { Err(Refusal::Repeated) };
        }
        match self.write(offset, data)? {
            Written::All => {
                self.next = offset + length;
                Ok(Done::Chunk)
            }
            Written::Torn(page) => {
                self.turn_back(page)?;
                Err(Refusal::Torn)
            }
        }
    }

    fn finish(&mut self) -> Result<Done, Refusal> {
        let total = self.header.map_or(0, |header| header.total());
        match self.stage {
            Stage::Verified => Ok(Done::Verifying),
            _ if self.next < total => Err(Refusal::Incomplete),
            _ => {
                self.stage = Stage::Verifying { hash: C::Hash::new(), at: BODY };
                Ok(Done::Verifying)
            }
        }
    }

    fn activate(&mut self) -> Result<Done, Refusal> {
        let (Stage::Verified, Some(header)) = (&self.stage, self.header) else {
            return Err(Refusal::NotVerified);
        };
        self.boot.mark_updated().map_err(|_| Refusal::Mark)?;
        self.stage = Stage::Activating;
        Ok(Done::Event(Event::Activated(header.firmware)))
    }

    fn confirm(&mut self, is_fit: bool) -> Result<Done, Refusal> {
        if self.boot.state() != BootState::Trial {
            return Err(Refusal::NotOnTrial);
        }
        if !is_fit {
            return Err(Refusal::SelftestFailed);
        }
        self.boot.mark_booted().map_err(|_| Refusal::Mark)?;
        Ok(Done::Event(Event::Confirmed))
    }

    fn abort(&mut self) -> Result<Done, Refusal> {
        if matches!(self.stage, Stage::Idle) {
            return Err(Refusal::NoSession);
        }
        // What is marked will be booted: there is no way back but the trial.
        if matches!(self.stage, Stage::Activating) {
            return Err(Refusal::Busy);
        }
        self.forget()?;
        Ok(Done::Event(Event::Aborted))
    }

    fn hash_next(&mut self, at: u32) -> Option<Event> {
        let header = self.header?;
        let mut piece = [0; PIECE as usize];
        let length = (header.total() - at).min(PIECE);
        let piece = &mut piece[..length as usize];
        if self.slot.read(at, piece).is_err() {
            return Some(self.fail(Refusal::Flash));
        }
        let Stage::Verifying { hash, at } = &mut self.stage else { return None };
        hash.update(piece);
        *at += length;
        if *at < header.total() {
            return None;
        }
        let Stage::Verifying { hash, .. } = core::mem::replace(&mut self.stage, Stage::Verified) else {
            return None;
        };
        // What counts is what the bootloader will find, so the header is read again.
        let is_same = self.read_header() == Some(header);
        let event = match self.rules.judge(&header, &self.crypto) {
            _ if hash.finish() != header.hash || !is_same => self.fail(Refusal::Hash),
            Err(refusal) => self.fail(refusal),
            Ok(()) => Event::Verified(header.firmware),
        };
        Some(event)
    }

    /// Gives up what was received. The reason stays readable.
    fn fail(&mut self, refusal: Refusal) -> Event {
        let _ = self.forget();
        self.reason = Some(refusal);
        Event::Failed(refusal)
    }
}

/// Registers of the update block.
pub const WORDS: usize = (at::TRIAL.end() - at::STATE.address) as usize;

#[cfg(test)]
mod tests;
