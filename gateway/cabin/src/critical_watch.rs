//! Critical values that wait for an answer. One that waits too long goes the way of every alarm: the point `unanswered`
//! of the computed device `{room}.critical` becomes true, for which each cabin has an alarm by default.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use linli_config::settings::cabin::critical_layout;
use linli_domain::visit::{Status, Version, Visit};
use linli_domain::vital::{Critical, CriticalLimit, critical};
use linli_domain::{Batch, Id, Layout, Quality, Sample, Value};
use linli_store::{Cabin, ReadError};
use tokio::time::Instant;

/// The state is told again after this time, well before it is stale.
const AGAIN: Duration = Duration::from_secs(30);

/// A critical value of a measurement.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Why it is critical.
    pub critical: Critical,
    /// The number as people read it.
    pub shown: String,
}

/// Critical values of visits that nobody has answered.
#[derive(Debug, Default)]
pub struct CriticalWatch {
    /// By visit and measurement: the room, and since when.
    waiting: BTreeMap<(String, String), (Id, Instant)>,
    /// What was told of each room last.
    told: BTreeMap<Id, Told>,
}

#[derive(Debug)]
struct Told {
    layout: Arc<Layout>,
    is_unanswered: bool,
    at: Instant,
}

/// The critical values of a version.
#[must_use]
pub fn found_in(version: &Version, limits: &[CriticalLimit]) -> Vec<Found> {
    if version.status == Status::EnteredInError {
        return Vec::new();
    }
    let found = |reading| {
        let critical = critical(reading, version.context.age_months, limits)?;
        Some(Found { critical, shown: reading.shown()? })
    };
    version.measurement.readings.iter().filter_map(found).collect()
}

/// Whether a version has a critical value that the visit has no answer to.
#[must_use]
pub fn is_unanswered(visit: &Visit, version: &Version, limits: &[CriticalLimit]) -> bool {
    found_in(version, limits)
        .iter()
        .any(|found| visit.progress.answer(&version.id, found.critical.quantity, &found.shown).is_none())
}

// === impl CriticalWatch ===

impl CriticalWatch {
    /// After a restart: nobody knows for how long the values have waited, so they wait from now on.
    pub async fn resumed(
        store: &Cabin,
        visits: &[Visit],
        limits: &[CriticalLimit],
        now: Instant,
    ) -> Result<Self, ReadError> {
        let mut watch = Self::default();
        for visit in visits {
            for version in store.measured_during(&visit.id).await? {
                watch.look(&version, Some(visit), limits, now);
            }
        }
        Ok(watch)
    }

    /// Looks at the newest version of a measurement and at its visit.
    pub fn look(&mut self, version: &Version, visit: Option<&Visit>, limits: &[CriticalLimit], now: Instant) {
        let found = visit.filter(|visit| is_unanswered(visit, version, limits));
        let mut since = now;
        self.waiting.retain(|(_, measurement), (_, began)| {
            let is_other = *measurement != version.id;
            if !is_other {
                since = since.min(*began);
            }
            is_other
        });
        if let Some(visit) = found {
            self.waiting.insert((visit.id.clone(), version.id.clone()), (visit.room.clone(), since));
        }
    }

    /// Forgets a visit.
    pub fn forget(&mut self, visit: &str) {
        self.waiting.retain(|(of, _), _| of != visit);
    }

    /// Whether a value of that room has waited for that long.
    #[must_use]
    pub fn has_waited(&self, room: &Id, after: Duration, now: Instant) -> bool {
        let mut here = self.waiting.values().filter(|(of, _)| of == room);
        here.any(|(_, since)| now.saturating_duration_since(*since) >= after)
    }

    /// The batch that tells the state of a room, if it is another one than before, or was told long ago.
    pub(super) fn batch(
        &mut self,
        room: &Id,
        after: Duration,
        stamp: linli_domain::Stamp,
        now: Instant,
    ) -> Option<Batch> {
        let is_unanswered = self.has_waited(room, after, now);
        let is_known = |told: &&Told| {
            told.is_unanswered == is_unanswered && now.saturating_duration_since(told.at) < AGAIN
        };
        if self.told.get(room).as_ref().is_some_and(is_known) {
            return None;
        }
        let layout = match self.told.get(room) {
            Some(told) => Arc::clone(&told.layout),
            None => Arc::new(critical_layout(room)?),
        };
        self.told.insert(room.clone(), Told { layout: Arc::clone(&layout), is_unanswered, at: now });
        let sample = Sample {
            point: 0,
            at: stamp.at,
            clock: stamp.clock,
            quality: Quality::Good,
            value: Some(Value::Bool(is_unanswered)),
        };
        Some(Batch { layout, samples: vec![sample] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linli_config::settings::cabin::UNANSWERED;
    use linli_domain::visit::{Context, OpenedBy, Progress};
    use linli_domain::vital::{CRITICAL, Measurement, Quantity, Reading, Taken};
    use linli_domain::{ClockQuality, Timestamp};

    fn visit() -> Visit {
        Visit {
            id: "v-1".to_owned(),
            room: Id::new("cabin-1").unwrap(),
            pseudonym: None,
            code: None,
            consent: None,
            opened_by: OpenedBy::Worker,
            opened: Timestamp(0),
            ended: None,
            progress: Progress::default(),
        }
    }

    fn version(value: f64) -> Version {
        let taken = Taken { at: Timestamp(0), clock: ClockQuality::Synchronised, device: None };
        Version {
            id: "m-1".to_owned(),
            version: 1,
            status: Status::Final,
            visit: Some("v-1".to_owned()),
            unassigned: None,
            device: Id::new("oximeter").unwrap(),
            room: None,
            measurement: Measurement::of(taken, vec![Reading::of(Quantity::OxygenSaturation, value)]),
            context: Context::default(),
            at: Timestamp(0),
            by: "device".to_owned(),
            why: None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_becomes_an_alarm_after_two_minutes_unless_it_is_answered_or_corrected() {
        let (room, other) = (Id::new("cabin-1").unwrap(), Id::new("cabin-2").unwrap());
        let (mut watch, mut visit) = (CriticalWatch::default(), visit());
        watch.look(&version(84.0), Some(&visit), &CRITICAL, Instant::now());
        tokio::time::advance(Duration::from_secs(119)).await;
        assert!(!watch.has_waited(&room, UNANSWERED, Instant::now()));
        // Another version with the same value has waited as long.
        watch.look(&version(84.0), Some(&visit), &CRITICAL, Instant::now());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(watch.has_waited(&room, UNANSWERED, Instant::now()));
        assert!(!watch.has_waited(&other, UNANSWERED, Instant::now()), "rooms are independent");
        watch.look(&version(97.0), Some(&visit), &CRITICAL, Instant::now());
        assert!(!watch.has_waited(&room, UNANSWERED, Instant::now()), "corrected");
        watch.look(&version(84.0), Some(&visit), &CRITICAL, Instant::now() - UNANSWERED);
        assert!(watch.has_waited(&room, UNANSWERED, Instant::now()));
        visit.progress.critical.push(linli_domain::visit::CriticalAnswer {
            measurement: "m-1".to_owned(),
            quantity: Quantity::OxygenSaturation,
            read_back: "84".to_owned(),
            decision: linli_domain::visit::CriticalDecision::Repeat,
            by: "lin".to_owned(),
            at: Timestamp(1),
        });
        watch.look(&version(84.0), Some(&visit), &CRITICAL, Instant::now());
        assert!(!watch.has_waited(&room, UNANSWERED, Instant::now()));
        watch.look(&version(83.0), Some(&visit), &CRITICAL, Instant::now() - UNANSWERED);
        assert!(watch.has_waited(&room, UNANSWERED, Instant::now()), "another value asks again");
        watch.forget("v-1");
        assert!(!watch.has_waited(&room, UNANSWERED, Instant::now()));
    }
}
