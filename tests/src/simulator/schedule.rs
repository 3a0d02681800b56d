//! Which request meets which fault, drawn from a seed, and shrunk when a trial fails.

use std::time::Duration;

use fastrand::Rng;

use super::fault::{Fault, Framing};

/// Requests among which faults are scattered.
const REQUESTS: u32 = 24;

/// Most faults in one schedule.
const MOST: usize = 7;

/// Time-out of the line under test in real time.
pub(super) const REAL_TIMEOUT: Duration = Duration::from_millis(200);

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

    /// Returns a schedule in which each kind of fault meets so many thousandths of the requests. Devices that start do so
    /// for as large a part of the time, at `rate` requests a second.
    #[must_use]
    pub fn steady(framing: Framing, seed: u64, requests: u32, thousandths: u32, rate: u32) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut faults = Vec::new();
        for request in 0..requests {
            let kinds = (0..kinds(framing)).filter(|_| rng.u32(..1000) < thousandths).collect::<Vec<_>>();
            let Some(kind) = kinds.get(rng.usize(..kinds.len().max(1))) else { continue };
            let fault = of_kind(framing, *kind, &mut rng);
            // As long as 100 requests: of those a hundredth meets one.
            if matches!(fault, Fault::SlowStart(_)) && rng.u32(..100 * thousandths / 10) >= 1 {
                continue;
            }
            let fault = match fault {
                Fault::SlowStart(_) => Fault::SlowStart(Duration::from_secs(u64::from((100 / rate).max(1)))),
                fault => fault,
            };
            faults.push(Planned { request, fault });
        }
        Self { framing, faults }
    }

    /// The fault of a request.
    #[must_use]
    pub fn at(&self, request: u32) -> Option<Fault> {
        let at = self.faults.binary_search_by_key(&request, |planned| planned.request).ok()?;
        Some(self.faults[at].fault)
    }

    /// The schedule in real time: the time-out of a line is `REAL_TIMEOUT` there, and no answer comes later than three
    /// times that, with some room for a busy machine.
    #[must_use]
    pub fn in_real_time(&self) -> Self {
        let stretched = |planned: &Planned| match planned.fault {
            Fault::Delay(time) if self.framing != Framing::Tcp => {
                let most = REAL_TIMEOUT * 3 - REAL_TIMEOUT / 2;
                Planned { fault: Fault::Delay((time * 2).min(most)), ..*planned }
            }
            _ => *planned,
        };
        Self { framing: self.framing, faults: self.faults.iter().map(stretched).collect() }
    }

    /// The schedule as a test that carries it out; only its name is missing.
    #[must_use]
    pub fn as_test(&self) -> String {
        let fault = |planned: &Planned| format!("({}, {})", planned.request, planned.fault.code());
        let faults: Vec<String> = self.faults.iter().map(fault).collect();
        let faults = faults.join(", ");
        format!("#[test]\nfn NAME() {{\n    carried_out(Framing::{:?}, &[{faults}]);\n}}\n", self.framing)
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

/// Longest delay: on RTU an answer that comes later than three times the time-out may be anybody's.
fn delay(framing: Framing, rng: &mut Rng) -> Duration {
    let longest = if framing == Framing::Tcp { 900 } else { 290 };
    Duration::from_millis(rng.u64(1..longest))
}

/// How many kinds of faults there are on a medium.
const fn kinds(framing: Framing) -> u8 {
    if framing.is_connection() { 20 } else { 16 }
}

fn draw(framing: Framing, rng: &mut Rng) -> Fault {
    let kind = rng.u8(..kinds(framing));
    of_kind(framing, kind, rng)
}

fn of_kind(framing: Framing, kind: u8, rng: &mut Rng) -> Fault {
    let idle = |rng: &mut Rng| Duration::from_millis(rng.u64(5..400));
    match kind {
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
