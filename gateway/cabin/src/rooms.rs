//! Open and recently ended visits, timed by the monotonic clock.

use std::time::Duration;

use linli_domain::visit::{Span, Visit};
use linli_domain::{Id, Timestamp};
use tokio::time::Instant;

/// A visit that ended longer ago than this is not matched with measurements any more.
const LATELY: Duration = Duration::from_secs(15 * 60);

/// A visit with the monotonic times of its events.
#[derive(Debug, Clone)]
pub struct Held {
    /// The visit.
    pub visit: Visit,
    opened: Instant,
    ended: Option<Instant>,
    active: Instant,
}

/// Open and recently ended visits of all rooms.
#[derive(Debug, Default)]
pub struct Rooms {
    held: Vec<Held>,
}

// === impl Rooms ===

impl Rooms {
    /// Visits after a restart. How long ago they began or ended is unknown, so `now` counts as the beginning
    /// of an open visit, and as the end of one that ended recently.
    #[must_use]
    pub fn resumed(visits: Vec<Visit>, now: Instant, at: Timestamp) -> Self {
        let lately = at.0.saturating_sub(i64::try_from(LATELY.as_millis()).unwrap_or(i64::MAX));
        let is_held = |visit: &Visit| visit.ended.is_none_or(|(ended, _)| ended.0 >= lately);
        let hold = |visit: Visit| {
            let ended = visit.ended.map(|_| now);
            Held { visit, opened: now, ended, active: now }
        };
        Self { held: visits.into_iter().filter(is_held).map(hold).collect() }
    }

    /// Returns the open visit of a room.
    #[must_use]
    pub fn open_in(&self, room: &Id) -> Option<&Visit> {
        self.held.iter().find(|held| held.ended.is_none() && held.visit.room == *room).map(|held| &held.visit)
    }

    /// Returns an open visit by its id.
    #[must_use]
    pub fn open(&self, id: &str) -> Option<&Visit> {
        self.held.iter().find(|held| held.ended.is_none() && held.visit.id == id).map(|held| &held.visit)
    }

    /// Iterates over the open visits.
    pub fn all_open(&self) -> impl Iterator<Item = &Visit> {
        self.held.iter().filter(|held| held.ended.is_none()).map(|held| &held.visit)
    }

    /// Returns the visits of all rooms, each with the time since it began and ended.
    #[must_use]
    pub fn spans(&self, now: Instant) -> (Vec<&Visit>, Vec<Span>) {
        let span = |held: &Held| Span {
            opened: now.saturating_duration_since(held.opened),
            ended: held.ended.map(|ended| now.saturating_duration_since(ended)),
        };
        self.held.iter().map(|held| (&held.visit, span(held))).unzip()
    }

    /// Inserts or replaces a visit.
    pub fn put(&mut self, visit: Visit, now: Instant) {
        self.held.retain(|held| held.ended.is_none_or(|ended| now.saturating_duration_since(ended) < LATELY));
        let ended = visit.ended.map(|_| now);
        match self.held.iter_mut().find(|held| held.visit.id == visit.id) {
            Some(held) => *held = Held { visit, ended: held.ended.or(ended), active: now, ..held.clone() },
            None => self.held.push(Held { visit, opened: now, ended, active: now }),
        }
    }

    /// Notes activity in a visit, which postpones its timeout.
    pub fn touch(&mut self, id: &str, now: Instant) {
        if let Some(held) = self.held.iter_mut().find(|held| held.visit.id == id) {
            held.active = now;
        }
    }

    /// Removes a visit.
    pub fn forget(&mut self, id: &str) {
        self.held.retain(|held| held.visit.id != id);
    }

    /// Returns open visits without activity for `timeout` or longer.
    #[must_use]
    pub fn idle(&self, timeout: Duration, now: Instant) -> Vec<Visit> {
        let is_idle =
            |held: &&Held| held.ended.is_none() && now.saturating_duration_since(held.active) >= timeout;
        self.held.iter().filter(is_idle).map(|held| held.visit.clone()).collect()
    }
}
