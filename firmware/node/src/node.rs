//! The node: owns every part, and goes round.

use linli_wire::clock::Source;
use linli_wire::config::{Baud, Config, Parity};
use linli_wire::health::Counter;
use linli_wire::identity::{BootState, Identity, reset, status};
use linli_wire::kind::{KINDS, Kind};
use linli_wire::log::Code;
use linli_wire::point;
use linli_wire::update::{Message, Refusal};

use crate::board::{Board, Boot, Firmware, Parts, Watchdog};
use crate::clock::{Clock, Ms, Wall};
use crate::inputs::Debounced;
use crate::outputs::Leased;
use crate::receiver::{Done, Event, Receiver, Rules};
use crate::sampler::Sampler;
use crate::selftest::{Seen, Selftest};
use crate::server::{Answer, RequestOutcome, serve};
use crate::settings::{Changed, Found, Settings};

/// How long new firmware may run without being confirmed.
pub const TRIAL_MS: Ms = 600_000;

/// Time for the answer to leave before a restart.
const FAREWELL_MS: Ms = 250;

/// How the line is to be driven. To be read again after every answer was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Our address.
    pub unit: u8,
    /// Speed.
    pub baud: Baud,
    /// Parity.
    pub parity: Parity,
    /// Silence that ends a frame.
    pub gap_us: u32,
    /// Wait before an answer.
    pub turnaround_us: u32,
}

/// What the board has to do after a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick {
    /// Restart now.
    pub restart: bool,
}

/// A whole node.
pub struct Node<B: Board> {
    pub(crate) i2c: B::I2c,
    pub(crate) pins: B::Inputs,
    pub(crate) relays: B::Outputs,
    pub(crate) copies: B::Copies,
    pub(crate) watchdog: B::Watchdog,
    pub(crate) memory: B::Memory,
    pub(crate) receiver: Receiver<B::Slot, B::Boot, B::Crypto>,
    pub(crate) firmware: Firmware,
    pub(crate) kind: &'static Kind,
    pub(crate) clock: Clock,
    pub(crate) wall: Wall,
    pub(crate) settings: Settings,
    pub(crate) sampler: Sampler,
    pub(crate) inputs: Debounced,
    pub(crate) outputs: Leased,
    pub(crate) selftest: Selftest,
    pub(crate) cursor: u32,
    reset_cause: u16,
    boot_state: BootState,
    image: u32,
    restart_at: Option<Ms>,
    fed_at: Option<Ms>,
    rounds: u8,
}

/// Every part has had its turn.
const ALL_ROUNDS: u8 = 0b1_1111;

// === impl Node ===

impl<B: Board> Node<B> {
    /// A node that has just started. `reset_cause` are bits of [`reset`], `board_ms` what the
    /// board's counter shows.
    pub fn new(parts: Parts<B>, firmware: Firmware, reset_cause: u16, board_ms: u32) -> Self {
        let Parts { i2c, inputs, outputs, mut copies, slot, mut boot, crypto, watchdog, mut memory } = parts;
        memory.revive();
        let factory = Config { gap: firmware.gap, ..Config::factory(firmware.kind) };
        let settings = Settings::load(factory, &mut copies, &mut memory);
        let kind = Kind::from_id(settings.active().kind).unwrap_or(&KINDS[0]);
        let boot_state = boot.state();
        // A power cut between the confirmation and the counter is made up for here.
        if boot_state == BootState::Confirmed && boot.floor() < firmware.security {
            let _ = boot.raise_floor(firmware.security);
        }
        let rules = Rules {
            board: firmware.board,
            kind: Some(kind.id),
            above: Some(firmware.version),
            floor: 0,
            capacity: 0,
        };
        let image = boot.image_id();
        let receiver = Receiver::new(slot, boot, crypto, rules);
        let mut node = Self {
            i2c,
            pins: inputs,
            relays: outputs,
            copies,
            watchdog,
            memory,
            receiver,
            firmware,
            kind,
            clock: Clock::new(board_ms),
            wall: Wall::unknown(),
            settings,
            sampler: Sampler::new(),
            inputs: Debounced::default(),
            outputs: Leased::default(),
            selftest: Selftest::new(),
            cursor: 0,
            reset_cause,
            boot_state,
            image,
            restart_at: None,
            fed_at: None,
            rounds: 0,
        };
        node.outputs.configure(&mut node.relays, kind.relays.len(), node.settings.active().safe);
        node.say_hello();
        node
    }

    /// One round of the loop. Call it often, at least every few milliseconds.
    pub fn tick(&mut self, board_ms: u32) -> Tick {
        let before = self.clock.now();
        let now = self.clock.at(board_ms);
        let longest = self.memory.counter(Counter::LongestLoop);
        let took = now.saturating_sub(before).min(Ms::from(u32::MAX)) as u32;
        self.memory.set(Counter::LongestLoop, longest.max(took));
        let config = *self.settings.active();
        self.sampler.tick(now, &mut self.i2c, self.kind, &config, &mut self.memory);
        self.rounds |= 1;
        let count = self.kind.inputs.len();
        self.inputs.tick(now, &mut self.pins, count, config.inverted, &mut self.memory);
        self.rounds |= 1 << 1;
        self.outputs.tick(now, &mut self.relays, &mut self.memory);
        self.rounds |= 1 << 2;
        if self.settings.tick(now, &mut self.memory) {
            self.apply();
        }
        self.rounds |= 1 << 3;
        if let Some(event) = self.receiver.step() {
            self.note(event);
        }
        self.count_wear();
        self.test(now);
        self.watch_trial(now);
        self.rounds |= 1 << 4;
        self.feed(now);
        Tick { restart: self.restart_at.is_some_and(|at| now >= at) }
    }

    /// Serves one frame as it came from the line. Returns the bytes to send, 0 for silence.
    pub fn frame(&mut self, board_ms: u32, request: &[u8], answer: &mut Answer) -> usize {
        self.clock.at(board_ms);
        let unit = self.settings.active().unit;
        let heard = serve(unit, request, self, answer);
        let counter = match heard {
            RequestOutcome::Answered => Counter::Answers,
            RequestOutcome::Refused(_) => Counter::Exceptions,
            RequestOutcome::Fragment => Counter::Fragments,
            RequestOutcome::Damaged => Counter::CrcErrors,
            RequestOutcome::Broadcast => Counter::Broadcasts,
            RequestOutcome::OtherUnit => Counter::OtherUnits,
        };
        self.memory.count(counter);
        if !matches!(heard, RequestOutcome::Fragment | RequestOutcome::Damaged) {
            self.memory.count(Counter::Frames);
        }
        answer.len()
    }

    /// How the line is to be driven.
    pub fn line(&self) -> Line {
        let config = self.settings.active();
        Line {
            unit: config.unit,
            baud: config.baud,
            parity: config.parity,
            gap_us: config.gap_us(),
            turnaround_us: u32::from(config.turnaround) * 100,
        }
    }

    /// Bytes were lost on the line, or a frame was too long.
    pub fn overrun(&mut self) {
        self.memory.count(Counter::Overruns);
    }

    /// Sets a counter that only the board can know.
    pub fn set_counter(&mut self, counter: Counter, to: u32) {
        self.memory.set(counter, to);
    }

    /// Somebody knows what time it is, in Unix seconds: the board's clock chip at the start, or the
    /// gateway. False if that is no time.
    pub fn set_time(&mut self, unix_s: u32, source: Source) -> bool {
        let set = self.wall.set(self.clock.uptime_s(), unix_s, source);
        if set == Some(true) {
            self.log(Code::ClockSet, unix_s);
        }
        set.is_some()
    }

    /// The time that was set over the line and a clock chip does not know yet.
    pub fn take_time(&mut self) -> Option<u32> {
        if self.wall.take_news() { self.wall.now(self.clock.uptime_s()) } else { None }
    }

    /// What it is.
    pub const fn kind(&self) -> &'static Kind {
        self.kind
    }

    /// Takes it apart again, for a restart on a host.
    pub fn into_memory(self) -> B::Memory {
        self.memory
    }

    /// The identity block.
    pub fn identity(&self) -> Identity {
        Identity {
            map_version: linli_wire::MAP_VERSION,
            board: self.firmware.board,
            kind: self.kind.id,
            firmware: self.firmware.version,
            security: self.firmware.security,
            boot: self.boot_state.code(),
            serial: self.settings.active().serial,
            reset_cause: self.reset_cause,
            status: self.status(),
            uptime_s: self.clock.uptime_s(),
            points: self.kind.points.len() as u16,
            points_base: point::BASE,
            inputs: self.kind.inputs.len() as u16,
            relays: self.kind.relays.len() as u16,
            image: self.image,
        }
    }

    /// Seconds left of the firmware's trial, 0 if it is not on trial.
    pub(crate) fn trial_left_s(&self) -> u16 {
        if self.boot_state != BootState::Trial {
            return 0;
        }
        TRIAL_MS.saturating_sub(self.clock.now()).div_ceil(1000).max(1) as u16
    }

    /// Takes a message of the mailbox.
    pub(crate) fn update(&mut self, message: Result<Message, Refusal>) -> Result<(), Refusal> {
        let is_fit = self.selftest.has_passed();
        let result = match message {
            Ok(message) => self.receiver.handle(&message, is_fit),
            Err(refusal) => Err(self.receiver.refuse(refusal)),
        };
        match result {
            Ok(Done::Chunk) => self.memory.count(Counter::Chunks),
            Ok(Done::Repeat) => self.memory.count(Counter::ChunkRepeats),
            Ok(Done::Verifying) => {}
            Ok(Done::Event(event)) => self.note(event),
            Err(refusal) => {
                self.memory.refused(refusal.code());
                // A client that asks again while the node is busy does nothing wrong.
                if refusal != Refusal::Busy {
                    self.log(Code::UpdateRefused, u32::from(refusal.code()));
                }
            }
        }
        self.count_wear();
        result.map(|_| ())
    }

    /// Does what was written to the commit register.
    pub(crate) fn commit(&mut self, command: u16) -> Result<(), linli_wire::config::Refusal> {
        let now = self.clock.now();
        let changed = self.settings.command(command, now, &mut self.copies, &mut self.memory)?;
        if changed == Changed::Active {
            self.apply();
        }
        Ok(())
    }

    pub(crate) fn log(&mut self, code: Code, argument: u32) {
        self.memory.log(self.clock.uptime_s(), code, argument);
    }

    /// Makes the parts follow the configuration in use.
    fn apply(&mut self) {
        let config = *self.settings.active();
        let kind = Kind::from_id(config.kind).unwrap_or(self.kind);
        if kind.id != self.kind.id {
            self.kind = kind;
            self.sampler.restart(self.clock.now());
            self.inputs = Debounced::default();
            self.receiver.set_kind(Some(kind.id));
        }
        self.outputs.configure(&mut self.relays, kind.relays.len(), config.safe);
    }

    fn status(&self) -> u16 {
        let (now, config) = (self.clock.now(), self.settings.active());
        let flags = [
            (self.selftest.has_failed(), status::SELFTEST_FAILED),
            (self.settings.found() == Found::None, status::CONFIG_DEFAULT),
            (self.sampler.faulty(now, self.kind, config) > 0, status::SENSOR_FAULTY),
            (self.reset_cause & reset::WATCHDOG != 0, status::WATCHDOG),
            (self.receiver.is_pending(), status::UPDATE_PENDING),
            (self.settings.is_on_trial(), status::LINE_TRIAL),
            (B::Watchdog::RUNS, status::WATCHDOG_RUNS),
            (self.settings.found() == Found::Broken, status::STORAGE_FAILED),
        ];
        flags.iter().filter(|(is_set, _)| *is_set).fold(0, |bits, (_, bit)| bits | bit)
    }

    fn say_hello(&mut self) {
        self.memory.count(Counter::Resets);
        if self.reset_cause & reset::WATCHDOG != 0 {
            self.memory.count(Counter::WatchdogResets);
        }
        if self.reset_cause & reset::BROWN_OUT != 0 {
            self.memory.count(Counter::BrownOuts);
        }
        self.log(Code::Booted, u32::from(self.reset_cause));
        self.log(Code::Firmware, self.firmware.version.code());
        if self.boot_state != BootState::Confirmed {
            self.log(Code::BootState, u32::from(self.boot_state.code()));
        }
        if self.receiver.is_pending() {
            let next = self.receiver.status().next;
            self.log(Code::UpdateResumed, next);
        }
    }

    fn note(&mut self, event: Event) {
        match event {
            Event::Begun(version) => self.log(Code::UpdateBegun, version.code()),
            Event::Resumed(offset) => self.log(Code::UpdateResumed, offset),
            Event::Verified(version) => self.log(Code::UpdateVerified, version.code()),
            Event::Aborted => self.log(Code::UpdateAborted, 0),
            Event::Failed(refusal) => {
                self.memory.refused(refusal.code());
                self.log(Code::UpdateRefused, u32::from(refusal.code()));
            }
            Event::Activated(version) => {
                self.log(Code::UpdateActivated, version.code());
                self.restart_soon();
            }
            Event::Restart => {
                self.log(Code::Restarting, 0);
                self.restart_soon();
            }
            Event::Confirmed => {
                self.boot_state = self.receiver.boot().state();
                let _ = self.receiver.raise_floor(self.firmware.security);
                self.log(Code::Confirmed, 0);
            }
        }
    }

    fn restart_soon(&mut self) {
        self.restart_at = Some(self.clock.now() + FAREWELL_MS);
    }

    fn count_wear(&mut self) {
        let (writes, erases) = self.receiver.take_wear();
        self.memory.add(Counter::FlashWrites, writes);
        self.memory.add(Counter::FlashErases, erases);
    }

    fn test(&mut self, now: Ms) {
        let Self { selftest, memory, settings, sampler, outputs, receiver, kind, .. } = self;
        let ended = selftest.tick(now, || Seen {
            memory: memory.works(),
            storage: settings.found(),
            tried: sampler.has_tried_all(kind),
            sensors: kind.points.len(),
            faulty: sampler.faulty(now, kind, settings.active()),
            relays: kind.relays.len(),
            obeyed: outputs.obey(),
            slot: (receiver.boot().capacity() != 0).then(|| receiver.is_readable()),
        });
        match ended {
            Some(0) => self.log(Code::SelftestPassed, 0),
            Some(failed) => self.log(Code::SelftestFailed, u32::from(failed)),
            None => {}
        }
    }

    /// New firmware that nobody confirms gives way to the old one.
    fn watch_trial(&mut self, now: Ms) {
        if self.boot_state == BootState::Trial && now >= TRIAL_MS && self.restart_at.is_none() {
            self.log(Code::TrialExpired, 0);
            self.restart_at = Some(now);
        }
    }

    /// Feeds the watchdog if every part had its turn and time goes on: a clock that stands still
    /// would hold every lease for ever.
    fn feed(&mut self, now: Ms) {
        if self.rounds == ALL_ROUNDS && self.fed_at != Some(now) {
            self.watchdog.feed();
            self.fed_at = Some(now);
            self.rounds = 0;
        }
    }
}
