//! The node's registers: what each block reads, what a write does.
//!
//! A request may span blocks, but not the holes between them. Writes are checked completely before
//! the first of them takes effect, and stay within one block.

use linli_wire::clock::Source;
use linli_wire::config::{LONGEST_LEASE_S, Refusal as ConfigRefusal, WORDS as CONFIG_WORDS};
use linli_wire::field::Value;
use linli_wire::health::{COUNT, Counter, MOST_REFUSALS, REFUSALS};
use linli_wire::kind::MOST_RELAYS;
use linli_wire::log::{ENTRY_WORDS, WINDOW};
use linli_wire::map::{self, commit, control, health, log, mailbox, outputs};
use linli_wire::point;
use linli_wire::selftest;
use linli_wire::update::{self, Message};

use crate::board::Board;
use crate::node::Node;
use crate::server::{Exception, Space};

/// The part of a request that falls into one block.
struct Part<'a> {
    words: &'a mut [u16],
    address: u16,
    filled: usize,
}

// === impl Part ===

impl Part<'_> {
    /// Copies what the request wants of a block.
    fn take(&mut self, base: u16, block: &[u16]) {
        for (word, address) in self.words.iter_mut().zip(self.address..=u16::MAX) {
            let at = address.checked_sub(base).and_then(|at| block.get(usize::from(at)));
            if let Some(value) = at {
                *word = *value;
                self.filled += 1;
            }
        }
    }

    /// Whether it wants anything of a block.
    fn wants(&self, base: u16, words: usize) -> bool {
        let (from, to) = (usize::from(self.address), usize::from(self.address) + self.words.len());
        from < usize::from(base) + words && to > usize::from(base)
    }

    fn is_complete(&self) -> Result<(), Exception> {
        if self.filled == self.words.len() { Ok(()) } else { Err(Exception::Address) }
    }
}

// === impl Space for Node ===

impl<B: Board> Space for Node<B> {
    fn read_bits(&mut self, coils: bool, address: u16, count: u16, bits: &mut [u8]) -> Result<(), Exception> {
        let (have, state) = if coils {
            (self.outputs.count(), self.outputs.bits())
        } else {
            (self.kind.inputs.len(), self.inputs.bits())
        };
        if usize::from(address) + usize::from(count) > have {
            return Err(Exception::Address);
        }
        bits.fill(0);
        for index in 0..count {
            bits[usize::from(index / 8)] |= ((state >> (address + index) & 1) as u8) << (index % 8);
        }
        Ok(())
    }

    fn read_words(&mut self, holding: bool, address: u16, words: &mut [u16]) -> Result<(), Exception> {
        let mut part = Part { words, address, filled: 0 };
        if holding {
            self.read_holding(&mut part)
        } else {
            self.read_input(&mut part)
        }
        part.is_complete()
    }

    fn write_bits(&mut self, address: u16, count: u16, bits: &[u8]) -> Result<(), Exception> {
        if usize::from(address) + usize::from(count) > self.outputs.count() {
            return Err(Exception::Address);
        }
        let lease_s = self.settings.active().lease_s;
        for index in 0..count {
            let is_on = bits[usize::from(index / 8)] >> (index % 8) & 1 == 1;
            self.set_output(usize::from(address + index), is_on, lease_s)?;
        }
        Ok(())
    }

    fn write_words(&mut self, address: u16, words: &[u16]) -> Result<(), Exception> {
        let end = usize::from(address) + words.len();
        let within = |base: u16, length: usize| address >= base && end <= usize::from(base) + length;
        if within(map::config::UNIT.address, CONFIG_WORDS) {
            self.settings.write_shadow(usize::from(address), words);
            return Ok(());
        }
        if within(commit::COMMIT.address, 1) {
            return self.commit(words[0]).map_err(|refusal| match refusal {
                ConfigRefusal::Storage => Exception::Failure,
                _ => Exception::Value,
            });
        }
        if within(outputs::OUTPUT, 2 * self.outputs.count()) {
            return self.write_outputs(usize::from(address - outputs::OUTPUT), words);
        }
        if within(control::SELFTEST.address, 1) {
            if words[0] != selftest::START {
                return Err(Exception::Value);
            }
            self.selftest.start(self.clock.now());
            return Ok(());
        }
        if address == control::TIME.address && words.len() == 2 {
            return if self.set_time(u32::read(words), Source::Line) {
                Ok(())
            } else {
                Err(Exception::Value)
            };
        }
        if within(control::CURSOR.address, 2) {
            let mut cursor = [0; 2];
            self.cursor.write(&mut cursor);
            let from = usize::from(address - control::CURSOR.address);
            cursor[from..from + words.len()].copy_from_slice(words);
            self.cursor = u32::read(&cursor);
            return Ok(());
        }
        if address == mailbox::COMMAND.address && end <= usize::from(address) + update::WORDS {
            return self.update(Message::decode(words)).map_err(|refusal| match refusal {
                update::Refusal::Busy => Exception::Busy,
                _ => Exception::Failure,
            });
        }
        Err(Exception::Address)
    }
}

impl<B: Board> Node<B> {
    fn read_input(&mut self, part: &mut Part<'_>) {
        let (now, config) = (self.clock.now(), *self.settings.active());
        if part.wants(0, usize::from(linli_wire::identity::WORDS)) {
            part.take(0, &self.identity().encode());
        }
        for index in 0..point::MOST {
            let base = point::address(index as u16);
            if part.wants(base, usize::from(point::WORDS)) {
                part.take(base, &self.sampler.point(index, now, self.kind, &config).encode());
            }
        }
        if part.wants(health::COUNTER, 2 * COUNT) {
            let mut words = [0; 2 * COUNT];
            for (place, counter) in words.chunks_exact_mut(2).zip(Counter::ALL) {
                self.memory.counter(*counter).write(place);
            }
            part.take(health::COUNTER, &words);
        }
        if part.wants(REFUSALS, usize::from(MOST_REFUSALS)) {
            let mut words = [0; MOST_REFUSALS as usize];
            for (place, reason) in words.iter_mut().zip(0..) {
                *place = self.memory.refusals(reason);
            }
            part.take(REFUSALS, &words);
        }
        part.take(map::selftest::STATE.address, &self.selftest.words(now));
        part.take(map::clock::NOW.address, &self.clock_words());
        if part.wants(log::HEAD.address, LOG_WORDS) {
            part.take(log::HEAD.address, &self.log_words());
        }
        if part.wants(map::update::STATE.address, crate::receiver::WORDS) {
            part.take(map::update::STATE.address, &self.receiver.words(self.trial_left_s()));
        }
    }

    fn read_holding(&mut self, part: &mut Part<'_>) {
        let now = self.clock.now();
        part.take(map::config::UNIT.address, self.settings.shadow());
        part.take(commit::COMMIT.address, &self.settings.commit_words(now));
        part.take(outputs::OUTPUT, &self.output_words());
        part.take(control::SELFTEST.address, &[0]);
        part.take(control::TIME.address, &self.clock_words()[..2]);
        let mut cursor = [0; 2];
        self.cursor.write(&mut cursor);
        part.take(control::CURSOR.address, &cursor);
        part.take(mailbox::COMMAND.address, &[0; update::WORDS]);
    }

    fn clock_words(&self) -> [u16; 3] {
        let mut words = [0; 3];
        self.wall.now(self.clock.uptime_s()).unwrap_or(0).write(&mut words[..2]);
        words[2] = self.wall.source().code();
        words
    }

    fn log_words(&self) -> [u16; LOG_WORDS] {
        let mut words = [0; LOG_WORDS];
        let (head, oldest) = (self.memory.head(), self.memory.oldest());
        log::HEAD.put(&mut words, log::HEAD.address, head);
        log::OLDEST.put(&mut words, log::HEAD.address, oldest);
        let first = self.cursor.max(oldest);
        let mut count = 0;
        let window = &mut words[usize::from(log::ENTRY - log::HEAD.address)..];
        for (place, seq) in window.chunks_exact_mut(usize::from(ENTRY_WORDS)).zip(first..=head) {
            if let Some(entry) = self.memory.entry(seq) {
                place.copy_from_slice(&entry.encode());
                count += 1;
            }
        }
        log::COUNT.put(&mut words, log::HEAD.address, count);
        words
    }

    fn output_words(&self) -> [u16; 2 * MOST_RELAYS] {
        let (now, bits) = (self.clock.now(), self.outputs.bits());
        let mut words = [0; 2 * MOST_RELAYS];
        for (index, pair) in words.chunks_exact_mut(2).enumerate() {
            pair[0] = bits >> index & 1;
            pair[1] = self.outputs.left_s(index, now);
        }
        words
    }

    /// A value without its lease takes the configured one; a lease without its value prolongs what is.
    fn write_outputs(&mut self, from: usize, words: &[u16]) -> Result<(), Exception> {
        let lease_s = self.settings.active().lease_s;
        let mut after = self.output_words();
        let touched = from..from + words.len();
        after[touched.clone()].copy_from_slice(words);
        let mut orders = [None; MOST_RELAYS];
        for (index, order) in orders.iter_mut().enumerate() {
            let (value, lease) = (2 * index, 2 * index + 1);
            let is_lease_said = touched.contains(&lease);
            if !is_lease_said && !touched.contains(&value) {
                continue;
            }
            let lease = if is_lease_said { after[lease] } else { lease_s };
            if after[value] > 1 || lease > LONGEST_LEASE_S {
                return Err(Exception::Value);
            }
            *order = Some((after[value] == 1, lease));
        }
        for (index, order) in orders.into_iter().enumerate() {
            if let Some((is_on, lease)) = order {
                self.set_output(index, is_on, lease)?;
            }
        }
        Ok(())
    }

    fn set_output(&mut self, index: usize, is_on: bool, lease_s: u16) -> Result<(), Exception> {
        let now = self.clock.now();
        let obeyed = self.outputs.set(now, &mut self.relays, index, is_on, lease_s, &mut self.memory);
        if obeyed { Ok(()) } else { Err(Exception::Failure) }
    }
}

/// Registers of the log block.
const LOG_WORDS: usize = (log::ENTRY - log::HEAD.address + WINDOW * ENTRY_WORDS) as usize;
