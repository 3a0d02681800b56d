//! What the node finds out about itself, at every start and when asked.
//!
//! A failed item forbids that new firmware is confirmed. A single broken probe is a warning only:
//! it must not keep a node from being updated. When nothing on the bus answers, the firmware may be
//! what is broken, and that is a failure.

use linli_wire::selftest::{Item, State, Verdict};

use crate::clock::Ms;

/// How long the sensors may take to be tried.
const PATIENCE_MS: Ms = 5000;

/// What was looked at.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// The retained memory holds what is written.
    pub memory: bool,
    /// The configuration's memory.
    pub storage: crate::settings::Found,
    /// Every sensor was tried.
    pub tried: bool,
    /// Sensors of the kind.
    pub sensors: usize,
    /// Those whose points are not good.
    pub faulty: usize,
    /// Relays of the kind.
    pub relays: usize,
    /// Every relay takes what it is told.
    pub obeyed: bool,
    /// The slot can be read; `None` if the board takes no updates.
    pub slot: Option<bool>,
}

/// The self-test of a node.
#[derive(Debug)]
pub struct Selftest {
    state: State,
    verdicts: [Verdict; Item::ALL.len()],
    begun: Ms,
    ended: Option<Ms>,
}

// === impl Selftest ===

impl Default for Selftest {
    fn default() -> Self {
        Self::new()
    }
}

impl Selftest {
    /// Runs at the start.
    #[must_use]
    pub const fn new() -> Self {
        Self { state: State::Running, verdicts: [Verdict::NotTested; Item::ALL.len()], begun: 0, ended: None }
    }

    /// Starts it again.
    pub fn start(&mut self, now: Ms) {
        *self = Self { begun: now, ..Self::new() };
    }

    /// Goes on; the bits of the failed items when it has just ended.
    pub fn tick(&mut self, now: Ms, seen: impl FnOnce() -> Seen) -> Option<u16> {
        // A clock that stands still never lets it end: such a node is not confirmed.
        if self.state != State::Running || now == self.begun {
            return None;
        }
        let seen = seen();
        if !seen.tried && now - self.begun < PATIENCE_MS {
            return None;
        }
        self.judge(&seen);
        let failed = self.failed();
        self.state = if failed == 0 { State::Passed } else { State::Failed };
        self.ended = Some(now);
        Some(failed)
    }

    /// Whether it ended well.
    #[must_use]
    pub fn has_passed(&self) -> bool {
        self.state == State::Passed
    }

    /// Whether it ended badly.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.state == State::Failed
    }

    /// The registers of its block.
    #[must_use]
    pub fn words(&self, now: Ms) -> [u16; 4 + Item::ALL.len()] {
        let mut words = [0; 4 + Item::ALL.len()];
        let age = self.ended.map_or(u32::MAX, |at| (now.saturating_sub(at) / 1000) as u32);
        (words[0], words[1]) = (self.state.code(), self.failed());
        (words[2], words[3]) = ((age >> 16) as u16, age as u16);
        for (word, verdict) in words[4..].iter_mut().zip(self.verdicts) {
            *word = verdict.code();
        }
        words
    }

    fn failed(&self) -> u16 {
        let failed = self.verdicts.iter().enumerate().filter(|(_, verdict)| **verdict == Verdict::Fail);
        failed.fold(0, |bits, (index, _)| bits | 1 << index)
    }

    fn judge(&mut self, seen: &Seen) {
        use crate::settings::Found;
        let pass_or = |is_good: bool, bad: Verdict| if is_good { Verdict::Pass } else { bad };
        let mut set = |item: Item, verdict| self.verdicts[usize::from(item.code())] = verdict;
        set(Item::Clock, Verdict::Pass);
        set(Item::Memory, pass_or(seen.memory, Verdict::Fail));
        set(
            Item::Storage,
            match seen.storage {
                Found::Both | Found::None => Verdict::Pass,
                Found::One => Verdict::Warn,
                Found::Broken => Verdict::Fail,
            },
        );
        set(Item::Configuration, pass_or(seen.storage != Found::None, Verdict::Warn));
        let (sensors, bus) = match seen.sensors {
            0 => (Verdict::Absent, Verdict::Absent),
            all => (
                pass_or(seen.faulty == 0 && seen.tried, Verdict::Warn),
                pass_or(seen.faulty < all && seen.tried, Verdict::Fail),
            ),
        };
        set(Item::Sensors, sensors);
        set(Item::Bus, bus);
        let outputs = if seen.relays == 0 { Verdict::Absent } else { pass_or(seen.obeyed, Verdict::Fail) };
        set(Item::Outputs, outputs);
        set(
            Item::Image,
            seen.slot.map_or(Verdict::Absent, |is_readable| pass_or(is_readable, Verdict::Fail)),
        );
    }
}
