//! A message that makes the broker close the connection. MQTT 3.1.1 has no reason codes: a broker
//! that refuses a message only disconnects. Such a message would be sent for ever, and nothing else.
//!
//! It takes proof: the message is sent alone, and only connections that end at once with it
//! alone under way, several in a row, convict it.

use std::time::Duration;

/// Connections that ended with the same unanswered message at their head before it is sent alone.
const SUSPICIONS: u32 = 3;

/// Connections lost with it alone under way before it goes to the dead letters.
const PROOFS: u32 = 5;

/// A connection that lasted longer did not end because of its first message.
const AT_ONCE: Duration = Duration::from_secs(5);

/// The message under suspicion.
#[derive(Debug, Default)]
pub struct Suspect {
    seq: Option<u64>,
    suspicions: u32,
    proofs: u32,
}

// === impl Suspect ===

impl Suspect {
    /// The message to be sent alone, if any.
    pub fn alone(&self) -> Option<u64> {
        self.seq.filter(|_| self.suspicions >= SUSPICIONS)
    }

    /// An acknowledgement arrived: no message is suspect.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// A connection was lost with `head` the first unanswered of `in_flight` messages. The
    /// message that is convicted now, if any.
    pub fn lost(&mut self, head: Option<u64>, in_flight: usize, lived: Duration) -> Option<u64> {
        let Some(head) = head.filter(|_| lived <= AT_ONCE) else {
            self.clear();
            return None;
        };
        if self.seq != Some(head) {
            *self = Self { seq: Some(head), suspicions: 0, proofs: 0 };
        }
        if self.suspicions >= SUSPICIONS && in_flight == 1 {
            self.proofs += 1;
        } else {
            self.suspicions += 1;
        }
        let convicted = self.proofs >= PROOFS;
        if convicted {
            self.clear();
            return Some(head);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(10);

    #[test]
    fn only_a_message_that_kills_alone_is_convicted() {
        let mut suspect = Suspect::default();
        for _ in 0..SUSPICIONS {
            assert_eq!((suspect.alone(), suspect.lost(Some(7), 64, SHORT)), (None, None));
        }
        assert_eq!(suspect.alone(), Some(7));
        for _ in 1..PROOFS {
            assert_eq!(suspect.lost(Some(7), 1, SHORT), None);
        }
        assert_eq!(suspect.lost(Some(7), 1, SHORT), Some(7));
        assert_eq!(suspect.alone(), None);
    }

    #[test]
    fn a_broker_that_dies_often_convicts_nobody_who_is_answered() {
        let mut suspect = Suspect::default();
        for round in 0..100 {
            assert_eq!(suspect.lost(Some(round), 64, SHORT), None);
            suspect.clear();
        }
        for _ in 0..100 {
            assert_eq!(suspect.lost(Some(1), 64, Duration::from_secs(60)), None);
        }
        assert_eq!(suspect.alone(), None);
    }
}
