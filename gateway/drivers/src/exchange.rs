//! The latest exchange with a device and its pause, as technicians see them: the frames both ways as they were on the
//! line, and when a device that does not answer is asked again.

use linli_domain::Reason;
use tokio::time::Instant;

/// What came of an exchange.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ExchangeOutcome {
    /// The answer fits the request.
    #[default]
    Good,
    /// No byte of an answer came in time.
    Silent,
    /// Bytes came that are no answer to the request.
    Garbled,
    /// An exception response with this code.
    Refused(u8),
    /// A gateway's exception response: it does not reach the unit.
    NotReached(u8),
    /// This unit answered instead.
    OtherUnit(u8),
    /// The port or connection ended.
    Down,
}

/// One exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The request as it was sent.
    pub request: Vec<u8>,
    /// Everything that came after it, the first 300 bytes.
    pub answer: Vec<u8>,
    /// What came of it.
    pub outcome: ExchangeOutcome,
    /// When it ended.
    pub at: Instant,
}

/// The latest exchange, and the latest that failed.
#[derive(Debug, Clone, Default)]
pub struct Exchanges {
    /// The latest.
    pub last: Option<Exchange>,
    /// The latest that gave no data.
    pub failed: Option<Exchange>,
    /// Failures in a row while the device is polled.
    pub failures: u32,
    /// While it is not polled: since when, why, and when it is asked again.
    pub pause: Option<Pause>,
}

/// A device that is not polled, because it does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    /// Since when.
    pub since: Instant,
    /// When it is asked again.
    pub next: Instant,
    /// Why.
    pub reason: Reason,
}

// === impl Exchanges ===

impl Exchanges {
    /// Keeps an exchange, in the buffers of the one before.
    pub(crate) fn note(&mut self, frames: (&[u8], &[u8]), outcome: ExchangeOutcome, at: Instant) {
        put(&mut self.last, frames, (outcome, at));
        if outcome != ExchangeOutcome::Good {
            put(&mut self.failed, frames, (outcome, at));
        }
    }
}

fn put(slot: &mut Option<Exchange>, frames: (&[u8], &[u8]), (outcome, at): (ExchangeOutcome, Instant)) {
    let kept = slot.get_or_insert_with(|| Exchange { request: Vec::new(), answer: Vec::new(), outcome, at });
    kept.request.clear();
    kept.request.extend_from_slice(frames.0);
    kept.answer.clear();
    kept.answer.extend_from_slice(frames.1);
    (kept.outcome, kept.at) = (outcome, at);
}
