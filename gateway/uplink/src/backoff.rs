//! When to connect again: decorrelated jitter, so that a district's gateways do not come back to
//! a restarted broker in step; reset only by a connection that lasted.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

/// Shortest pause.
const BASE: Duration = Duration::from_secs(1);

/// Longest pause.
const CAP: Duration = Duration::from_secs(60);

/// A connection that lasted this long was a good one.
const STABLE: Duration = Duration::from_secs(60);

/// The pauses between connections.
#[derive(Debug)]
pub struct Backoff {
    last: Duration,
    random: u64,
}

// === impl Backoff ===

impl Backoff {
    /// Begins with the shortest pauses; each process and client has its own sequence.
    pub fn new(client_id: &str) -> Self {
        let mut hasher = RandomState::new().build_hasher();
        hasher.write(client_id.as_bytes());
        Self { last: BASE, random: hasher.finish() | 1 }
    }

    /// The pause after a connection that lasted `lived` (zero when there was none).
    pub fn next(&mut self, lived: Duration) -> Duration {
        if lived >= STABLE {
            self.last = BASE;
        }
        let highest = (self.last * 3).min(CAP);
        let spread = highest.saturating_sub(BASE);
        self.last = BASE + spread.mul_f64(self.fraction());
        self.last
    }

    /// xorshift64*: good enough to scatter, and nothing secret hangs on it.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are kept")]
    fn fraction(&mut self) -> f64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        let bits = self.random.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11;
        bits as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pauses_stay_within_bounds_and_grow_only_threefold(seed in 1..u64::MAX) {
            let mut backoff = Backoff { last: BASE, random: seed };
            let mut before = BASE;
            for _ in 0..200 {
                let pause = backoff.next(Duration::ZERO);
                prop_assert!((BASE..=CAP).contains(&pause));
                prop_assert!(pause <= (before * 3).min(CAP));
                before = pause;
            }
        }
    }

    #[test]
    fn only_a_lasting_connection_resets() {
        let mut backoff = Backoff { last: CAP, random: 99 };
        let restless = (0..50).map(|_| backoff.next(Duration::from_secs(5))).max().expect("fifty");
        assert!(restless > Duration::from_secs(20), "{restless:?}");
        assert!(backoff.next(STABLE) <= BASE * 3);
    }
}
