//! The visits that are open or ended lately, by a clock that never jumps.

use std::time::Duration;

use linli_domain::visit::{Span, Visit};
use linli_domain::{Id, Timestamp};
use tokio::time::Instant;

/// A visit that ended longer ago has nothing to do with what is measured now.
const LATELY: Duration = Duration::from_secs(15 * 60);

/// A visit and its times by the clock that never jumps.
#[derive(Debug, Clone)]
pub struct Held {
    /// The visit.
    pub visit: Visit,
    opened: Instant,
    ended: Option<Instant>,
    active: Instant,
}

/// All of them.
#[derive(Debug, Default)]
pub struct Rooms {
    held: Vec<Held>,
}

// === impl Rooms ===

impl Rooms {
    /// After a restart: nobody knows what happened in between, so an open visit counts from now,
    /// and one that ended lately ended just now.
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

    /// The open visit of a room.
    #[must_use]
    pub fn open_in(&self, room: &Id) -> Option<&Visit> {
        self.held.iter().find(|held| held.ended.is_none() && held.visit.room == *room).map(|held| &held.visit)
    }

    /// An open visit by its id.
    #[must_use]
    pub fn open(&self, id: &str) -> Option<&Visit> {
        self.held.iter().find(|held| held.ended.is_none() && held.visit.id == id).map(|held| &held.visit)
    }

    /// Every open visit.
    pub fn all_open(&self) -> impl Iterator<Item = &Visit> {
        self.held.iter().filter(|held| held.ended.is_none()).map(|held| &held.visit)
    }

    /// The visits of a room with their times.
    #[must_use]
    pub fn spans(&self, room: &Id, now: Instant) -> (Vec<&Visit>, Vec<Span>) {
        let here = self.held.iter().filter(|held| held.visit.room == *room);
        let span = |held: &Held| Span {
            opened: now.saturating_duration_since(held.opened),
            ended: held.ended.map(|ended| now.saturating_duration_since(ended)),
        };
        here.map(|held| (&held.visit, span(held))).unzip()
    }

    /// A visit as it is now: new, or changed.
    pub fn put(&mut self, visit: Visit, now: Instant) {
        self.held.retain(|held| held.ended.is_none_or(|ended| now.saturating_duration_since(ended) < LATELY));
        let ended = visit.ended.map(|_| now);
        match self.held.iter_mut().find(|held| held.visit.id == visit.id) {
            Some(held) => *held = Held { visit, ended: held.ended.or(ended), active: now, ..held.clone() },
            None => self.held.push(Held { visit, opened: now, ended, active: now }),
        }
    }

    /// Something happened in a visit.
    pub fn touch(&mut self, id: &str, now: Instant) {
        if let Some(held) = self.held.iter_mut().find(|held| held.visit.id == id) {
            held.active = now;
        }
    }

    /// It is gone.
    pub fn forget(&mut self, id: &str) {
        self.held.retain(|held| held.visit.id != id);
    }

    /// Open visits in which nothing happened for that long.
    #[must_use]
    pub fn idle(&self, timeout: Duration, now: Instant) -> Vec<Visit> {
        let is_idle =
            |held: &&Held| held.ended.is_none() && now.saturating_duration_since(held.active) >= timeout;
        self.held.iter().filter(is_idle).map(|held| held.visit.clone()).collect()
    }
}
