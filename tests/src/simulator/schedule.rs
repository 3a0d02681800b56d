//! Which request meets which fault, drawn from a seed, and shrunk when a trial fails.

use std::time::Duration;

use fastrand::Rng;

use super::fault::{Fault, Framing};

/// Requests among which faults are scattered.
const REQUESTS: u32 = 24;

/// Most faults in one schedule.
const MOST: usize = 7;

/// Time-out of the line under test.
pub(super) const TIMEOUT: Duration = Duration::from_millis(100);

/// A fault and the request that meets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    /// Number of the request, from 0, over all connections.
    pub request: u32,
    /// What happens to it.
    pub fault: Fault,
}

/// The faults of one trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The medium.
    pub framing: Framing,
    /// The faults.
    pub faults: Vec<Planned>,
}

// === impl Schedule ===

impl Schedule {
    /// Returns the schedule of a seed.
    #[must_use]
    pub fn of(framing: Framing, seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut faults: Vec<Planned> = (0..rng.usize(1..=MOST))
            .map(|_| Planned { request: rng.u32(0..REQUESTS), fault: draw(framing, &mut rng) })
            .collect();
        faults.sort_by_key(|planned| planned.request);
        faults.dedup_by_key(|planned| planned.request);
        Self { framing, faults }
    }

    /// The fault of a request.
    #[must_use]
    pub fn at(&self, request: u32) -> Option<Fault> {
        self.faults.iter().find(|planned| planned.request == request).map(|planned| planned.fault)
    }

    /// Number of the last request with a fault.
    #[must_use]
    pub fn last(&self) -> u32 {
        self.faults.iter().map(|planned| planned.request).max().unwrap_or(0)
    }

    /// Returns the smallest schedule found that still fails, leaving out one fault after another.
    #[must_use]
    pub fn shrunk(mut self, fails: impl Fn(&Self) -> bool) -> Self {
        let mut index = 0;
        while index < self.faults.len() {
            let mut smaller = self.clone();
            smaller.faults.remove(index);
            if fails(&smaller) {
                self = smaller;
            } else {
                index += 1;
            }
        }
        self
    }
}

/// Longest delay: on RTU an answer that comes later than twice the time-out may be anybody's.
fn delay(framing: Framing, rng: &mut Rng) -> Duration {
    let longest = if framing == Framing::Tcp { 900 } else { 190 };
    Duration::from_millis(rng.u64(1..longest))
}

fn draw(framing: Framing, rng: &mut Rng) -> Fault {
    let idle = |rng: &mut Rng| Duration::from_millis(rng.u64(5..400));
    match rng.u8(..if framing.is_connection() { 20 } else { 16 }) {
        0 | 1 => Fault::Delay(delay(framing, rng)),
        2 => Fault::Drop,
        3 => Fault::Split(rng.usize(1..9), Duration::from_millis(rng.u64(1..60))),
        4 => Fault::Merge,
        5 => Fault::Duplicate,
        6 if framing != Framing::Tcp => Fault::Echo,
        7 if framing != Framing::Tcp => Fault::EchoOnly,
        6..=8 => Fault::Stale(idle(rng)),
        9 => Fault::StaleHalf(idle(rng)),
        10 => Fault::WrongUnit(rng.u8(..)),
        11 => Fault::WrongLength(rng.i8(-3..4)),
        12 => Fault::Flip(rng.usize(..64)),
        13 => Fault::Noise(rng.u8(1..20)),
        14 => Fault::Exception([2, 4, 6, 10, 11][rng.usize(..5)]),
        15 => {
            if rng.bool() {
                Fault::SlowStart(Duration::from_millis(rng.u64(50..5000)))
            } else {
                Fault::CounterReset
            }
        }
        16 => Fault::CloseBefore,
        17 => Fault::CloseAfter,
        18 => Fault::CloseWithin,
        _ => Fault::Reset,
    }
}
