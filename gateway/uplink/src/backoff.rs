//! When to connect again: decorrelated jitter, so that a district's gateways do not come back to
//! a restarted broker in step; reset only by a connection that lasted.

use std::hash::{BuildHasher, RandomState};
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
    random: fastrand::Rng,
}

// === impl Backoff ===

impl Backoff {
    /// Begins with the shortest pauses; each process and client has its own sequence.
    pub fn new(client_id: &str) -> Self {
        // `RandomState` holds entropy of the operating system: gateways that start together after
        // a power failure do not share a seed.
        let seed = RandomState::new().hash_one(client_id);
        Self { last: BASE, random: fastrand::Rng::with_seed(seed) }
    }

    /// The pause after a connection that lasted `lived` (zero when there was none).
    pub fn next(&mut self, lived: Duration) -> Duration {
        if lived >= STABLE {
            self.last = BASE;
        }
        let highest = (self.last * 3).min(CAP);
        let spread = highest.saturating_sub(BASE);
        self.last = BASE + spread.mul_f64(self.random.f64());
        self.last
    }

    /// The pause before another broker of the same district is tried: short, and no step of the growing ones.
    pub fn other(&mut self) -> Duration {
        BASE.mul_f64(0.5 + self.random.f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pauses_stay_within_bounds_and_grow_only_threefold(seed in 0..u64::MAX) {
            let mut backoff = Backoff { last: BASE, random: fastrand::Rng::with_seed(seed) };
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
    fn another_broker_is_tried_soon_and_pauses_grow_by_the_round() {
        let mut backoff = Backoff { last: CAP, random: fastrand::Rng::with_seed(7) };
        for _ in 0..100 {
            assert!((BASE / 2..BASE * 2).contains(&backoff.other()));
        }
        assert_eq!(backoff.last, CAP);
    }

    #[test]
    fn only_a_lasting_connection_resets() {
        let mut backoff = Backoff { last: CAP, random: fastrand::Rng::with_seed(99) };
        let restless = (0..50).map(|_| backoff.next(Duration::from_secs(5))).max().expect("fifty");
        assert!(restless > Duration::from_secs(20), "{restless:?}");
        assert!(backoff.next(STABLE) <= BASE * 3);
    }
}
