//! Time in the temperature danger zone over the last four hours. Time without values counts apart: it
//! is unknown, not safe.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::alarm::Tick;

/// Germs grow between these, in °C (GB 31654-2021; perishable ready food at most two hours).
pub const DANGER: (f64, f64) = (8.0, 60.0);

/// Duration of one cell of the window.
const CELL: u64 = 5 * 60 * 1000;

/// Cells of the window: four hours.
const CELLS: usize = 48;

/// The state of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stretch {
    /// Cold or hot enough.
    Safe,
    /// Returns the time in the danger zone.
    Danger,
    /// Unknown.
    Unknown,
}

/// The window, in milliseconds per cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exposure {
    /// Number of the newest cell since the ticks began.
    newest: u64,
    danger: Vec<u32>,
    unknown: Vec<u32>,
}

// === impl Exposure ===

impl Exposure {
    /// Creates a window in which the time before is unknown.
    #[must_use]
    pub fn new(now: Tick) -> Self {
        Self { newest: now.0 / CELL, danger: vec![0; CELLS], unknown: vec![0; CELLS] }
    }

    /// Adds an interval in a state.
    pub fn add(&mut self, from: Tick, to: Tick, stretch: Stretch) {
        // An interval longer than the window replaces everything.
        let mut at = from.0.max(to.0.saturating_sub(CELL * CELLS as u64));
        while at < to.0 {
            let end = ((at / CELL + 1) * CELL).min(to.0);
            self.advance(at / CELL);
            let behind = usize::try_from(self.newest.saturating_sub(at / CELL)).unwrap_or(CELLS);
            let share = u32::try_from(end - at).unwrap_or(u32::MAX);
            let row = match stretch {
                Stretch::Safe => None,
                Stretch::Danger => Some(&mut self.danger),
                Stretch::Unknown => Some(&mut self.unknown),
            };
            if let Some(cell) = row.and_then(|row| row.get_mut(behind)) {
                *cell = cell.saturating_add(share);
            }
            at = end;
        }
    }

    /// The newest cell comes first; the oldest fall out.
    fn advance(&mut self, to: u64) {
        let steps = usize::try_from(to.saturating_sub(self.newest)).unwrap_or(CELLS).min(CELLS);
        for row in [&mut self.danger, &mut self.unknown] {
            row.rotate_right(steps);
            row[..steps].fill(0);
        }
        self.newest = self.newest.max(to);
    }

    /// Continues a stored window after a restart, `after` it was stored.
    #[must_use]
    pub fn resumed(mut self, away: Duration, now: Tick) -> Self {
        let away = u64::try_from(away.as_millis()).unwrap_or(u64::MAX).min(CELL * CELLS as u64);
        let end = Tick(self.newest.saturating_add(1) * CELL);
        self.danger.resize(CELLS, 0);
        self.unknown.resize(CELLS, 0);
        self.add(end, Tick(end.0 + away), Stretch::Unknown);
        self.newest = now.0 / CELL;
        self
    }

    /// Returns the time in the danger zone.
    #[must_use]
    pub fn danger(&self) -> Duration {
        Duration::from_millis(self.danger.iter().map(|cell| u64::from(*cell)).sum())
    }

    /// Returns the unknown time.
    #[must_use]
    pub fn unknown(&self) -> Duration {
        Duration::from_millis(self.unknown.iter().map(|cell| u64::from(*cell)).sum())
    }
}
