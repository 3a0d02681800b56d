//! Contacts that flicker. A loose wire changes its state with every reading; each change would be an entry of the record,
//! which has no end. What changes that often says nothing (ISA-18.2: chattering), and unknown never counts as good.

use std::collections::VecDeque;
use std::time::Duration;

use linli_mode::Truth;
use tokio::time::Instant;

/// Changes within [`WITHIN`] from which on nothing is believed: no door is opened and closed so often.
const MOST: usize = 60;

/// In this time; and for so long nothing must change before it is believed again.
const WITHIN: Duration = Duration::from_secs(60);

/// The changes of one input.
#[derive(Debug, Default)]
pub(super) struct Chatter {
    last: Option<Truth>,
    /// When it changed, the latest [`MOST`] times within the last [`WITHIN`].
    changes: VecDeque<Instant>,
    is_chattering: bool,
}

// === impl Chatter ===

impl Chatter {
    /// Notes what the input says now. Returns whether it changes too often to be believed.
    pub fn note(&mut self, says: Truth, now: Instant) -> bool {
        if self.last.replace(says).is_some_and(|last| last != says) {
            self.changes.push_back(now);
        }
        let is_old = |at: &Instant| now.saturating_duration_since(*at) > WITHIN;
        while self.changes.len() > MOST || self.changes.front().is_some_and(is_old) {
            self.changes.pop_front();
        }
        self.is_chattering = match self.changes.len() {
            0 => false,
            some => self.is_chattering || some >= MOST,
        };
        self.is_chattering
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_flickering_contact_is_believed_after_a_minute_of_rest() {
        let mut contact = Chatter::default();
        let mut believed = 0;
        for nth in 0..1000 {
            believed += usize::from(!contact.note((nth % 2 == 0).into(), Instant::now()));
            tokio::time::advance(Duration::from_millis(100)).await;
        }
        assert_eq!(believed, MOST);
        tokio::time::advance(WITHIN - Duration::from_millis(100)).await;
        assert!(contact.note(Truth::False, Instant::now()));
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(!contact.note(Truth::False, Instant::now()), "a minute of rest");
        // A door that people use is believed.
        for nth in 0..1000 {
            assert!(!contact.note((nth % 2 == 0).into(), Instant::now()), "{nth}");
            tokio::time::advance(Duration::from_millis(1100)).await;
        }
    }
}
