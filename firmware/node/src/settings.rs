//! The configuration: stored twice, changed by commit, new line settings on trial.

use linli_wire::config::{self, COMMIT, CONFIRM, CommitState, Config, DISCARD, FACTORY, Refusal, WORDS};
use linli_wire::crc::crc32;
use linli_wire::field::{from_bytes, to_bytes};
use linli_wire::health::Counter;
use linli_wire::log::Code;

use crate::broken::Broken;
use crate::clock::Ms;
use crate::copies::{BYTES, Copies};
use crate::retained::Retained;

/// First bytes of a stored copy.
const MAGIC: [u8; 2] = *b"LC";

/// Version of the stored form. A node with a later one must read this one too.
const FORM: u16 = 1;

/// Bytes before the checksum: magic, form, generation, the registers.
const CHECKED: usize = 8 + 2 * WORDS;

/// How the two copies were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Both whole and the same.
    Both,
    /// One was whole; the other was written again.
    One,
    /// None: the factory's configuration is in use.
    None,
    /// The memory does not answer or does not keep what is written.
    Broken,
}

/// The configuration of a running node.
#[derive(Debug)]
pub struct Settings {
    active: Config,
    factory: Config,
    shadow: [u16; WORDS],
    state: CommitState,
    reason: u16,
    trial: Option<Trial>,
    generation: u32,
    newest: usize,
    found: Found,
}

/// New line settings that nobody has confirmed yet.
#[derive(Debug, Clone, Copy)]
struct Trial {
    until: Ms,
    back: Config,
}

/// What a commit changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// Nothing that runs.
    Nothing,
    /// The configuration in use is another one now.
    Active,
}

// === impl Settings ===

impl Settings {
    /// Reads the stored configuration, mends what a power cut left, or falls back to the factory's.
    pub fn load(factory: Config, copies: &mut impl Copies, memory: &mut Retained) -> Self {
        let read = [stored(copies, 0), stored(copies, 1)];
        let newest = match read {
            [Ok(Some((a, _))), Ok(Some((b, _)))] => usize::from(b.wrapping_sub(a).cast_signed() > 0),
            [_, Ok(Some(_))] => 1,
            _ => 0,
        };
        let mut settings = Self {
            active: factory,
            factory,
            shadow: factory.encode(),
            state: CommitState::Clean,
            reason: 0,
            trial: None,
            generation: 0,
            newest,
            found: Found::None,
        };
        let Ok(Some((generation, config))) = read[newest] else {
            if read.iter().any(|copy| copy.is_err()) {
                settings.found = Found::Broken;
            }
            memory.log(0, Code::ConfigDefault, 0);
            return settings;
        };
        (settings.active, settings.shadow, settings.generation) = (config, config.encode(), generation);
        settings.found = if read[1 - newest] == read[newest] {
            Found::Both
        } else if write(copies, 1 - newest, generation, &config).is_ok() {
            memory.count(Counter::ConfigRepairs);
            memory.log(0, Code::ConfigRepaired, 1 - newest as u32);
            Found::One
        } else {
            Found::Broken
        };
        settings
    }

    /// What is in use.
    #[must_use]
    pub const fn active(&self) -> &Config {
        &self.active
    }

    /// How the stored copies are.
    #[must_use]
    pub const fn found(&self) -> Found {
        self.found
    }

    /// Whether new line settings are on trial.
    #[must_use]
    pub const fn is_on_trial(&self) -> bool {
        self.trial.is_some()
    }

    /// The shadow as it is read.
    #[must_use]
    pub const fn shadow(&self) -> &[u16; WORDS] {
        &self.shadow
    }

    /// The registers of the commit block.
    #[must_use]
    pub fn commit_words(&self, now: Ms) -> [u16; 4] {
        let left = self.trial.map_or(0, |trial| trial.until.saturating_sub(now).div_ceil(1000));
        [self.state.code(), self.reason, left as u16, self.generation as u16]
    }

    /// Changes the shadow. False if it has no such registers.
    pub fn write_shadow(&mut self, from: usize, words: &[u16]) -> bool {
        let Some(place) = self.shadow.get_mut(from..from + words.len()) else { return false };
        place.copy_from_slice(words);
        if self.trial.is_none() {
            self.state = CommitState::Changed;
        }
        true
    }

    /// Does what was written to the commit register.
    pub fn command(
        &mut self,
        command: u16,
        now: Ms,
        copies: &mut impl Copies,
        memory: &mut Retained,
    ) -> Result<Changed, Refusal> {
        let result = match command {
            COMMIT => self.commit(now, copies, memory),
            CONFIRM => self.confirm(now, copies, memory),
            DISCARD => {
                self.shadow = self.active.encode();
                self.state = if self.trial.is_some() { CommitState::Trial } else { CommitState::Clean };
                Ok(Changed::Nothing)
            }
            FACTORY => {
                let Config { serial, offsets, .. } = self.active;
                self.shadow = Config { serial, offsets, ..self.factory }.encode();
                self.state = CommitState::Changed;
                Ok(Changed::Nothing)
            }
            _ => Err(Refusal::Command),
        };
        self.reason = result.err().map_or(0, Refusal::code);
        if let Err(refusal) = result {
            if self.trial.is_none() {
                self.state = CommitState::Refused;
            }
            memory.log((now / 1000) as u32, Code::ConfigRefused, u32::from(refusal.code()));
        }
        result
    }

    /// Ends a trial that nobody confirmed. True if the configuration in use changed.
    pub fn tick(&mut self, now: Ms, memory: &mut Retained) -> bool {
        let Some(trial) = self.trial.filter(|trial| now >= trial.until) else { return false };
        memory.count(Counter::TrialFallbacks);
        memory.log((now / 1000) as u32, Code::TrialFellBack, u32::from(self.active.unit));
        self.active = trial.back;
        self.shadow = self.active.encode();
        self.trial = None;
        self.state = CommitState::FellBack;
        true
    }

    fn commit(
        &mut self,
        now: Ms,
        copies: &mut impl Copies,
        memory: &mut Retained,
    ) -> Result<Changed, Refusal> {
        if self.trial.is_some() {
            return Err(Refusal::TrialRuns);
        }
        let next = Config::decode(&self.shadow)?;
        if self.active.serial != 0 && next.serial != self.active.serial {
            return Err(Refusal::Serial);
        }
        if self.active.line_differs(&next) {
            let until = now + Ms::from(next.trial_s) * 1000;
            self.trial = Some(Trial { until, back: self.active });
            self.state = CommitState::Trial;
            memory.log((now / 1000) as u32, Code::TrialBegun, u32::from(next.unit));
        } else {
            self.store(&next, now, copies, memory)?;
            self.state = CommitState::Clean;
        }
        self.active = next;
        Ok(Changed::Active)
    }

    fn confirm(
        &mut self,
        now: Ms,
        copies: &mut impl Copies,
        memory: &mut Retained,
    ) -> Result<Changed, Refusal> {
        if self.trial.is_none() {
            return Err(Refusal::NoTrial);
        }
        let next = self.active;
        self.store(&next, now, copies, memory)?;
        self.trial = None;
        self.state = CommitState::Clean;
        memory.log((now / 1000) as u32, Code::TrialConfirmed, u32::from(next.unit));
        Ok(Changed::Nothing)
    }

    /// Writes both copies, the older one first: at every moment one of them is whole.
    fn store(
        &mut self,
        config: &Config,
        now: Ms,
        copies: &mut impl Copies,
        memory: &mut Retained,
    ) -> Result<(), Refusal> {
        let generation = self.generation.wrapping_add(1);
        let older = 1 - self.newest;
        if write(copies, older, generation, config).is_err() {
            self.found = Found::Broken;
            memory.log((now / 1000) as u32, Code::ConfigNotStored, 0);
            return Err(Refusal::Storage);
        }
        let both = write(copies, self.newest, generation, config).is_ok();
        self.found = if both { Found::Both } else { Found::Broken };
        (self.newest, self.generation) = (older, generation);
        memory.count(Counter::ConfigCommits);
        memory.log((now / 1000) as u32, Code::ConfigStored, generation);
        Ok(())
    }
}

/// Writes a copy and reads it back.
fn write(copies: &mut impl Copies, copy: usize, generation: u32, config: &Config) -> Result<(), Broken> {
    let bytes = encode(generation, config);
    copies.write(copy, &bytes)?;
    let mut back = [0; BYTES];
    copies.read(copy, &mut back)?;
    if back == bytes { Ok(()) } else { Err(Broken) }
}

/// The stored form of a configuration.
fn encode(generation: u32, config: &Config) -> [u8; BYTES] {
    let mut bytes = [0xFF; BYTES];
    bytes[..2].copy_from_slice(&MAGIC);
    bytes[2..4].copy_from_slice(&FORM.to_be_bytes());
    bytes[4..8].copy_from_slice(&generation.to_be_bytes());
    to_bytes(&config.encode(), &mut bytes[8..CHECKED]);
    let crc = crc32(&bytes[..CHECKED]);
    bytes[CHECKED..CHECKED + 4].copy_from_slice(&crc.to_be_bytes());
    bytes
}

/// Reads a copy: `None` if it is not whole, an error if the memory does not answer.
fn stored(copies: &mut impl Copies, copy: usize) -> Result<Option<(u32, Config)>, Broken> {
    let mut bytes = [0; BYTES];
    copies.read(copy, &mut bytes)?;
    Ok(decode(&bytes))
}

/// Reverse of [`encode`].
fn decode(bytes: &[u8; BYTES]) -> Option<(u32, Config)> {
    let word = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    let is_whole =
        bytes[..2] == MAGIC && bytes[2..4] == FORM.to_be_bytes() && word(CHECKED) == crc32(&bytes[..CHECKED]);
    if !is_whole {
        return None;
    }
    let mut words = [0; config::WORDS];
    from_bytes(&bytes[8..CHECKED], &mut words);
    Some((word(4), Config::decode(&words).ok()?))
}

#[cfg(test)]
mod tests;
