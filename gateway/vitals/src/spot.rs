//! Derives single measurements from a continuous stream: once the reading is steady, one
//! result; the next one only after the finger was removed. Pure: time arrives as an argument.

use std::time::Duration;

use tokio::time::Instant;

/// How long the reading must be steady.
const STEADY: Duration = Duration::from_secs(5);

/// Shorter absences of the finger are ignored.
const GONE: Duration = Duration::from_secs(2);

/// Largest change of saturation while it counts as steady, in percent.
const SATURATION_SPREAD: u16 = 2;

/// Largest change of the pulse rate, per minute.
const PULSE_SPREAD: u16 = 10;

/// Watches a stream of saturation and pulse rate.
#[derive(Debug, Default)]
pub struct Spot {
    window: Vec<(Instant, u16, u16)>,
    absent_since: Option<Instant>,
    is_reported: bool,
}

// === impl Spot ===

impl Spot {
    /// Adds a reading. Returns the median of the steady interval, once per finger.
    pub fn push(&mut self, now: Instant, reading: Option<(u16, u16)>) -> Option<(u16, u16)> {
        let Some((saturation, pulse)) = reading else {
            let since = *self.absent_since.get_or_insert(now);
            self.window.clear();
            if now.saturating_duration_since(since) >= GONE {
                self.is_reported = false;
            }
            return None;
        };
        self.absent_since = None;
        if self.is_reported {
            return None;
        }
        self.window.push((now, saturation, pulse));
        self.drop_unsteady();
        let (first, ..) = *self.window.first()?;
        if now.saturating_duration_since(first) < STEADY {
            return None;
        }
        let settled =
            (median(self.window.iter().map(|(_, s, _)| *s)), median(self.window.iter().map(|(.., p)| *p)));
        self.window.clear();
        self.is_reported = true;
        Some(settled)
    }

    /// A reading that the device doubts: it is no part of a steady interval.
    pub fn disturb(&mut self) {
        self.window.clear();
        self.absent_since = None;
    }

    /// Drops what came before the newest jump.
    fn drop_unsteady(&mut self) {
        let Some((_, saturation, pulse)) = self.window.last().copied() else { return };
        let is_near = |(_, s, p): &(Instant, u16, u16)| {
            s.abs_diff(saturation) <= SATURATION_SPREAD && p.abs_diff(pulse) <= PULSE_SPREAD
        };
        if let Some(jump) = self.window.iter().rposition(|entry| !is_near(entry)) {
            self.window.drain(..=jump);
        }
    }
}

fn median(values: impl Iterator<Item = u16>) -> u16 {
    let mut values: Vec<u16> = values.collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or(0)
}
