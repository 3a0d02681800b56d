//! Memory that a warm reset leaves alone: the log and the counters.
//!
//! After power-on it holds anything. Every log entry carries its own check, so that a ring in which
//! the reset struck in the middle of an entry loses that entry and no other.

use linli_wire::health::{COUNT, Counter, MOST_REFUSALS};
use linli_wire::log::{Code, Entry};

/// Entries the ring holds.
pub const ENTRIES: usize = 64;

/// Says that the counters are counters. Changes with their layout.
const MAGIC: u32 = 0x4C4C_5203;

/// One entry with its check.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
struct LogEntry {
    seq: u32,
    uptime_s: u32,
    code: u32,
    argument: u32,
    check: u32,
}

/// What survives a warm reset. Any bits are a valid value, so a board may place it where memory is
/// not initialised.
#[derive(Debug)]
#[repr(C)]
pub struct Retained {
    magic: u32,
    counters: [u32; COUNT],
    refusals: [u32; MOST_REFUSALS as usize],
    log: [LogEntry; ENTRIES],
    head: u32,
    scratch: u32,
}

// === impl LogEntry ===

impl LogEntry {
    const EMPTY: Self = Self { seq: 0, uptime_s: 0, code: 0, argument: 0, check: 0 };

    fn sum(&self) -> u32 {
        // Rotated, so that two words that changed places do not go unnoticed.
        MAGIC
            ^ self.seq.rotate_left(3)
            ^ self.uptime_s.rotate_left(11)
            ^ self.code.rotate_left(17)
            ^ self.argument.rotate_left(23)
    }

    fn is_whole(&self, place: usize) -> bool {
        self.seq != 0 && self.check == self.sum() && self.seq as usize % ENTRIES == place
    }
}

// === impl Retained ===

impl Default for Retained {
    fn default() -> Self {
        Self::new()
    }
}

impl Retained {
    /// Empty memory.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            magic: 0,
            counters: [0; COUNT],
            refusals: [0; MOST_REFUSALS as usize],
            log: [LogEntry::EMPTY; ENTRIES],
            head: 0,
            scratch: 0,
        }
    }

    /// Keeps what is whole after a reset, clears what is not; whether the counters went on.
    pub fn revive(&mut self) -> bool {
        let goes_on = self.magic == MAGIC;
        if !goes_on {
            self.counters = [0; COUNT];
            self.refusals = [0; MOST_REFUSALS as usize];
            self.magic = MAGIC;
        }
        let newest = self.log.iter().enumerate().filter(|(place, entry)| entry.is_whole(*place));
        self.head = newest.map(|(_, entry)| entry.seq).max().unwrap_or(0);
        let head = self.head;
        for (place, entry) in self.log.iter_mut().enumerate() {
            // After power-on a ring of another run may show through: only what is near the newest counts.
            if !entry.is_whole(place) || head - entry.seq >= ENTRIES as u32 {
                *entry = LogEntry::EMPTY;
            }
        }
        goes_on
    }

    /// One more.
    pub fn count(&mut self, counter: Counter) {
        self.add(counter, 1);
    }

    /// Some more; a counter stops at its greatest value.
    pub fn add(&mut self, counter: Counter, more: u32) {
        let at = &mut self.counters[usize::from(counter.code())];
        *at = at.saturating_add(more);
    }

    /// Sets a counter that is a level.
    pub fn set(&mut self, counter: Counter, to: u32) {
        self.counters[usize::from(counter.code())] = to;
    }

    /// What a counter shows.
    #[must_use]
    pub fn counter(&self, counter: Counter) -> u32 {
        self.counters[usize::from(counter.code())]
    }

    /// One more refusal for that reason.
    pub fn refused(&mut self, reason: u16) {
        if let Some(at) = self.refusals.get_mut(usize::from(reason)) {
            *at = at.saturating_add(1);
        }
    }

    /// Refusals for that reason.
    #[must_use]
    pub fn refusals(&self, reason: u16) -> u16 {
        self.refusals.get(usize::from(reason)).map_or(0, |count| (*count).min(0xFFFF) as u16)
    }

    /// Writes an entry; the oldest makes room.
    pub fn log(&mut self, uptime_s: u32, code: Code, argument: u32) {
        self.head = self.head.wrapping_add(1).max(1);
        let place = &mut self.log[self.head as usize % ENTRIES];
        let overwrites = place.seq != 0;
        *place = LogEntry { seq: self.head, uptime_s, code: u32::from(code.code()), argument, check: 0 };
        // The check comes last: a reset before it leaves an entry that does not count.
        place.check = place.sum();
        if overwrites {
            self.count(Counter::LogOverwrites);
        }
    }

    /// Sequence number of the newest entry, 0 if there is none.
    #[must_use]
    pub const fn head(&self) -> u32 {
        self.head
    }

    /// Sequence number of the oldest entry kept, 0 if there is none.
    #[must_use]
    pub fn oldest(&self) -> u32 {
        self.log.iter().map(|entry| entry.seq).filter(|seq| *seq != 0).min().unwrap_or(0)
    }

    /// The entry with that number, if it is kept.
    #[must_use]
    pub fn entry(&self, seq: u32) -> Option<Entry> {
        let entry = &self.log[seq as usize % ENTRIES];
        let found =
            Entry { seq, uptime_s: entry.uptime_s, code: entry.code as u16, argument: entry.argument };
        (seq != 0 && entry.seq == seq).then_some(found)
    }

    /// Whether the memory holds what is written to it.
    pub fn works(&mut self) -> bool {
        [0x5555_AAAA, 0xAAAA_5555, 0].into_iter().all(|pattern| {
            self.scratch = pattern;
            core::hint::black_box(&mut self.scratch);
            self.scratch == pattern
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ring_keeps_the_newest_and_goes_on_after_a_warm_reset() {
        let mut memory = Retained::new();
        assert!(!memory.revive());
        for n in 0..100 {
            memory.log(n, Code::Booted, n);
        }
        memory.count(Counter::Frames);
        assert!(memory.revive());
        assert_eq!((memory.oldest(), memory.head()), (37, 100));
        assert_eq!(memory.counter(Counter::LogOverwrites), 36);
        assert_eq!(memory.counter(Counter::Frames), 1);
        assert_eq!(memory.entry(36), None);
        assert_eq!(memory.entry(100).map(|e| (e.uptime_s, e.argument)), Some((99, 99)));
        assert_eq!(memory.entry(101), None);
    }

    #[test]
    fn an_entry_the_reset_cut_in_two_is_lost_and_no_other() {
        let mut memory = Retained::new();
        memory.revive();
        for n in 0..10 {
            memory.log(n, Code::Booted, n);
        }
        memory.log[10].argument ^= 1;
        assert!(memory.revive());
        assert_eq!(memory.head(), 9);
        memory.log(77, Code::Booted, 0);
        assert_eq!(memory.entry(10).map(|e| e.uptime_s), Some(77));
    }

    #[test]
    fn what_power_on_left_is_not_a_log() {
        let mut memory = Retained::new();
        for (n, entry) in memory.log.iter_mut().enumerate() {
            *entry = LogEntry { seq: n as u32 * 977, uptime_s: 3, code: 1, argument: 9, check: 0xFFFF_FFFF };
        }
        memory.counters = [0xDEAD_BEEF; COUNT];
        assert!(!memory.revive());
        assert_eq!((memory.head(), memory.oldest()), (0, 0));
        assert_eq!(memory.counter(Counter::Frames), 0);
    }

    #[test]
    fn counters_stop_at_their_greatest_value() {
        let mut memory = Retained::new();
        memory.set(Counter::Frames, u32::MAX);
        memory.count(Counter::Frames);
        assert_eq!(memory.counter(Counter::Frames), u32::MAX);
        assert!(memory.works());
    }
}
