//! Messages sent and not yet acknowledged, and acknowledgements not yet passed to the outbox.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

/// Acknowledgements passed to the outbox at a time.
const BATCH: usize = 256;

/// Messages under way.
#[derive(Debug, Default)]
pub struct Window {
    in_flight: BTreeMap<u64, Instant>,
    acknowledged: Vec<u64>,
}

// === impl Window ===

impl Window {
    /// How many are under way.
    pub fn len(&self) -> usize {
        self.in_flight.len()
    }

    /// A message was sent.
    pub fn sent(&mut self, seq: u64, now: Instant) {
        self.in_flight.insert(seq, now);
    }

    /// The broker has acknowledged a message. Returns whether it was in flight.
    pub fn taken(&mut self, seq: u64) -> bool {
        let known = self.in_flight.remove(&seq).is_some();
        if known {
            self.acknowledged.push(seq);
        }
        known
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
        self.in_flight.values().min().map_or(Duration::ZERO, |sent| now - *sent)
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
