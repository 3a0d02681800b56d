//! Messages sent and not yet acknowledged, and acknowledgements not yet passed to the outbox.

use std::collections::BTreeMap;
use std::time::Duration;

use linli_domain::Lane;
use tokio::time::Instant;

use super::stored::Ranges;

/// Acknowledgements passed to the outbox at a time.
const BATCH: usize = 256;

/// A message under way.
#[derive(Debug, Clone, Copy)]
pub struct Flight {
    /// When it was sent.
    pub sent: Instant,
    /// The lane of its record.
    pub lane: Lane,
    /// Whether the district has stored it: its acknowledgement may overtake the broker's.
    pub is_stored: bool,
}

/// Messages under way.
#[derive(Debug, Default)]
pub struct Window {
    in_flight: BTreeMap<u64, Flight>,
    acknowledged: Vec<u64>,
}

// === impl Window ===

impl Window {
    /// How many are under way.
    pub fn len(&self) -> usize {
        self.in_flight.len()
    }

    /// A message was sent.
    pub fn sent(&mut self, seq: u64, lane: Lane, now: Instant) {
        self.in_flight.insert(seq, Flight { sent: now, lane, is_stored: false });
    }

    /// The broker has answered a message. Returns how it was under way, unless it was not.
    pub fn answered(&mut self, seq: u64) -> Option<Flight> {
        self.in_flight.remove(&seq)
    }

    /// A record has been delivered: the outbox may forget it.
    pub fn acknowledge(&mut self, seq: u64) {
        self.acknowledged.push(seq);
    }

    /// The district has stored what is under way.
    pub fn stored(&mut self, ranges: &Ranges) {
        for flight in self.in_flight.iter_mut().filter(|(seq, _)| ranges.contains(**seq)) {
            flight.1.is_stored = true;
        }
    }

    /// It will not be delivered on this connection.
    pub fn forget(&mut self, seq: u64) {
        self.in_flight.remove(&seq);
    }

    /// The lowest number under way.
    pub fn head(&self) -> Option<u64> {
        self.in_flight.keys().next().copied()
    }

    /// How long the one sent longest ago has been under way.
    pub fn oldest(&self, now: Instant) -> Duration {
        self.in_flight.values().map(|flight| flight.sent).min().map_or(Duration::ZERO, |sent| now - sent)
    }

    /// Whether enough acknowledgements have come together.
    pub fn is_full(&self) -> bool {
        self.acknowledged.len() >= BATCH
    }

    /// Whether there are acknowledgements to pass on.
    pub fn has_acknowledged(&self) -> bool {
        !self.acknowledged.is_empty()
    }

    /// Takes the acknowledgements away.
    pub fn take_acknowledged(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.acknowledged)
    }
}
