//! Temperature record of a cabinet: every interval of the day is within the limit, beyond it, or
//! unknown.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::exposure::{DANGER, Exposure, Stretch};
use super::{Kept, Limit};
use crate::Timestamp;
use crate::alarm::Tick;

/// Most excursions stored per day; later ones count in the sums only.
const MOST: usize = 100;

/// Excursions closer than this are merged.
const TOGETHER: i64 = 60_000;

/// An interval beyond the limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Excursion {
    /// When it began.
    pub from: Timestamp,
    /// When it ended; `None` while it lasts.
    pub to: Option<Timestamp>,
    /// The value farthest from the limit, °C.
    pub worst: f64,
}

/// The record of one day.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Day {
    /// Time within the limit, ms.
    pub within: u64,
    /// Time beyond the limit, ms.
    pub beyond: u64,
    /// Time between 8 and 60 °C, ms.
    pub danger: u64,
    /// Time without a valid value, ms.
    pub unknown: u64,
    /// Lowest and highest value, °C.
    pub range: Option<(f64, f64)>,
    /// Excursions.
    pub excursions: Vec<Excursion>,
}

/// The temperature record of a cabinet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// Accounted for up to here. Ticks restart with the process.
    #[serde(skip)]
    upto: Tick,
    /// The latest good value and when it came.
    #[serde(skip)]
    last: Option<(Tick, f64)>,
    /// Exposure over the last four hours.
    pub exposure: Exposure,
    /// Today.
    pub day: Day,
}

// === impl Account ===

impl Account {
    /// Creates an empty record that begins at `now`.
    #[must_use]
    pub fn new(now: Tick) -> Self {
        Self { upto: now, last: None, exposure: Exposure::new(now), day: Day::default() }
    }

    /// Continues a stored record after a restart, `after` it was stored; the time between is unknown.
    #[must_use]
    pub fn resumed(self, away: Duration, now: Tick) -> Self {
        let unknown = self.day.unknown.saturating_add(u64::try_from(away.as_millis()).unwrap_or(u64::MAX));
        let day = Day { unknown, ..self.day };
        Self { upto: now, last: None, exposure: self.exposure.resumed(away, now), day }
    }

    /// Time that belongs to no day of the account: nobody ran on whole days.
    #[must_use]
    pub fn lapsed(self, away: Duration, now: Tick) -> Self {
        Self { exposure: self.exposure.resumed(away, now), ..self }
    }

    /// Adds a sample: its value, or `None`. A value counts for at most `fresh`.
    pub fn see(&mut self, kept: Kept, now: Tick, at: Timestamp, value: Option<f64>, fresh: Duration) {
        self.pass(kept, now, value, fresh);
        let Some(value) = value else { return };
        self.last = Some((now, value));
        let (low, high) = self.day.range.unwrap_or((value, value));
        self.day.range = Some((low.min(value), high.max(value)));
        if let Some(limit) = kept.limits().first() {
            self.judge(limit, at, value);
        }
    }

    /// Accounts for the time up to `now`.
    pub fn pass(&mut self, kept: Kept, now: Tick, next: Option<f64>, fresh: Duration) {
        let from = self.upto;
        self.upto = now.max(from);
        // The value counts as long as it is fresh; after that the state is unknown.
        let known_until = match self.last {
            Some((came, _)) => came.after(fresh).max(from).min(self.upto),
            None => from,
        };
        if let Some((_, value)) = self.last {
            // Between two samples the worse one counts.
            let values = [Some(value), next.filter(|_| known_until == self.upto)];
            let is_beyond =
                values.iter().flatten().any(|v| kept.limits().first().is_some_and(|l| l.is_beyond(*v)));
            let is_danger = values.iter().flatten().any(|v| *v > DANGER.0 && *v < DANGER.1);
            let span = known_until.0 - from.0;
            *(if is_beyond { &mut self.day.beyond } else { &mut self.day.within }) += span;
            self.day.danger += if is_danger { span } else { 0 };
            let stretch = if is_danger { Stretch::Danger } else { Stretch::Safe };
            self.exposure.add(from, known_until, stretch);
        }
        self.day.unknown += self.upto.0 - known_until.0;
        self.exposure.add(known_until, self.upto, Stretch::Unknown);
    }

    fn judge(&mut self, limit: &Limit, at: Timestamp, value: f64) {
        let excursions = &mut self.day.excursions;
        let has_room = excursions.len() < MOST;
        let open = excursions
            .last_mut()
            .filter(|last| last.to.is_none_or(|to| limit.is_beyond(value) && at.0 - to.0 < TOGETHER));
        match (open, limit.is_beyond(value)) {
            (Some(open), true) => {
                open.to = None;
                open.worst = if limit.is_upper { open.worst.max(value) } else { open.worst.min(value) };
            }
            (Some(open), false) => open.to = Some(at),
            (None, true) if has_room => excursions.push(Excursion { from: at, to: None, worst: value }),
            (None, _) => {}
        }
    }

    /// Returns the record of the day and begins the next; an excursion that lasts continues there.
    pub fn turn(&mut self, midnight: Timestamp) -> Day {
        let lasts = self.day.excursions.last().filter(|last| last.to.is_none()).cloned();
        let excursions = lasts.into_iter().map(|last| Excursion { from: midnight, ..last }).collect();
        std::mem::replace(&mut self.day, Day { excursions, ..Day::default() })
    }
}
