//! Samples every point of the kind, and knows how good each value is.

use embedded_hal::i2c::I2c;
use linli_wire::config::Config;
use linli_wire::health::Counter;
use linli_wire::kind::{Kind, PointOf};
use linli_wire::log::Code;
use linli_wire::point::{AGE_UNKNOWN, MOST, Point};
use linli_wire::quality::{Quality, Reason};

use crate::clock::Ms;
use crate::filter::{Filter, Taken};
use crate::retained::Retained;
use crate::sensor;

/// Samples that must fail one after the other before a value is given up: a single disturbed
/// transfer on a long cable is no fault of the sensor.
const FAILURES: u8 = 3;

/// A value this much older than its period is stale.
const GRACE_MS: Ms = 5000;

/// One point's state.
#[derive(Debug, Clone, Copy, Default)]
struct Track {
    filter: Filter,
    good_at: Option<Ms>,
    tried: bool,
    failures: u8,
    fault: Option<Reason>,
    doubted: bool,
}

/// All points of a node.
#[derive(Debug)]
pub struct Sampler {
    tracks: [Track; MOST],
    due: Ms,
}

// === impl Track ===

impl Track {
    fn is_failed(&self) -> bool {
        self.failures >= FAILURES || (self.fault.is_some() && self.good_at.is_none())
    }

    fn quality(&self, now: Ms, period: Ms) -> Quality {
        match (self.fault, self.good_at) {
            (Some(reason), _) if self.is_failed() => Quality::Bad(reason),
            (_, None) => Quality::Bad(Reason::Starting),
            (_, Some(at)) if now.saturating_sub(at) > 3 * period + GRACE_MS => Quality::Bad(Reason::Stale),
            (Some(reason), _) => Quality::Uncertain(reason),
            _ if self.doubted => Quality::Uncertain(Reason::Jump),
            _ => Quality::Good,
        }
    }

    /// Takes a reading; the log entry it makes, if any.
    fn take(&mut self, now: Ms, reading: Result<i32, Reason>, point: &PointOf, percent: u16) -> Change {
        let was_failed = self.is_failed();
        self.tried = true;
        match reading {
            Ok(sample) => {
                if was_failed {
                    // What was before the fault says nothing about what is now.
                    self.filter = Filter::default();
                }
                let taken = self.filter.take(sample, percent, point.jump);
                self.doubted = taken == Taken::Doubted;
                (self.failures, self.fault) = (0, None);
                if !self.doubted {
                    self.good_at = Some(now);
                }
                if was_failed { Change::Back } else { Change::None }
            }
            Err(reason) => {
                self.failures = self.failures.saturating_add(1);
                self.fault = Some(reason);
                if self.is_failed() && !was_failed { Change::Failed(reason) } else { Change::None }
            }
        }
    }
}

enum Change {
    None,
    Failed(Reason),
    Back,
}

// === impl Sampler ===

impl Sampler {
    /// Nothing measured yet; the first samples are due at once.
    #[must_use]
    pub fn new() -> Self {
        Self { tracks: [Track::default(); MOST], due: 0 }
    }

    /// Forgets everything, for a node that became another kind.
    pub fn restart(&mut self, now: Ms) {
        *self = Self { due: now, ..Self::new() };
    }

    /// Samples if it is time.
    pub fn tick<I: I2c>(
        &mut self,
        now: Ms,
        i2c: &mut I,
        kind: &Kind,
        config: &Config,
        memory: &mut Retained,
    ) {
        if now < self.due {
            return;
        }
        let period = Ms::from(config.sample_ms);
        // In step with the period, but never catching up on what a long erase has missed.
        self.due = if now - self.due < period { self.due + period } else { now + period };
        for (index, (track, point)) in self.tracks.iter_mut().zip(kind.points).enumerate() {
            let reading = sensor::read(i2c, point);
            memory.count(Counter::Samples);
            if let Err(reason) = reading {
                memory.count(Counter::SensorErrors);
                match reason {
                    Reason::NoAnswer => memory.count(Counter::I2cNacks),
                    Reason::OutOfRange => memory.count(Counter::Implausible),
                    _ => {}
                }
            }
            let uptime_s = (now / 1000) as u32;
            match track.take(now, reading, point, config.filter_percent) {
                Change::Failed(reason) => {
                    memory.log(uptime_s, Code::SensorFailed, (index as u32) << 16 | u32::from(reason.code()));
                }
                Change::Back => memory.log(uptime_s, Code::SensorBack, index as u32),
                Change::None => {}
            }
            if track.doubted {
                memory.count(Counter::Implausible);
            }
        }
    }

    /// A point as it is read.
    #[must_use]
    pub fn point(&self, index: usize, now: Ms, kind: &Kind, config: &Config) -> Point {
        let (Some(track), true) = (self.tracks.get(index), index < kind.points.len()) else {
            return Point { value: None, quality: Quality::Bad(Reason::NotFitted), age_s: AGE_UNKNOWN };
        };
        let offset = i32::from(config.offsets[index]);
        let age = |at: Ms| (now.saturating_sub(at) / 1000).min(Ms::from(AGE_UNKNOWN - 1)) as u16;
        Point {
            value: track.filter.value().map(|value| value.saturating_add(offset)),
            quality: track.quality(now, Ms::from(config.sample_ms)),
            age_s: track.good_at.map_or(AGE_UNKNOWN, age),
        }
    }

    /// Whether every sensor of the kind was tried.
    #[must_use]
    pub fn has_tried_all(&self, kind: &Kind) -> bool {
        self.tracks.iter().zip(kind.points).all(|(track, _)| track.tried)
    }

    /// How many of the kind's points are not good.
    #[must_use]
    pub fn faulty(&self, now: Ms, kind: &Kind, config: &Config) -> usize {
        let points = 0..kind.points.len();
        points.filter(|index| self.point(*index, now, kind, config).quality != Quality::Good).count()
    }
}

impl Default for Sampler {
    fn default() -> Self {
        Self::new()
    }
}
