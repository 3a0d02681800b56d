//! The readings behind predicates, and the time from which a reading counts. A reading taken before an
//! action proves nothing about it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use linli_domain::alarm::Source;
use linli_domain::{Batch, Id, Timestamp, Value};
use linli_mode::facility::ReadSource;
use linli_mode::record::Evidence;
use linli_mode::{Readings, ResolvedPlan, Truth, unbracketed};
use tokio::time::Instant;

use super::chatter::Chatter;
use super::setup::Setup;

/// Longest delay between reading a device and receiving the value here. A value received later than this
/// after an action was read after it; before that, the time of reading decides.
const ON_THE_WAY: Duration = Duration::from_secs(2);

/// Age at which a value is stale when the configuration gives none for the device.
const STALE_AFTER: Duration = Duration::from_secs(30);

/// One moment, on both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// On the monotonic clock.
    pub instant: Instant,
    /// On the wall clock.
    pub at: Timestamp,
}

/// The latest value of a point; `None` when its quality was not good.
#[derive(Debug, Clone)]
struct Reading {
    value: Option<Value>,
    received: Instant,
    at: Timestamp,
}

/// The latest reading of every point.
#[derive(Debug, Default)]
pub struct LatestReadings {
    readings: BTreeMap<Id, BTreeMap<Id, Reading>>,
}

/// The readings that count for one evaluation.
struct CountedReadings<'s> {
    readings: &'s LatestReadings,
    setup: &'s Setup,
    now: Instant,
    after: Option<Moment>,
    /// In a drill, the texts that devices show stand in brackets, which are removed here.
    is_drill: bool,
}

/// Evaluation state of a run's predicates: the moment after which readings count, and which results must
/// be reported again.
#[derive(Debug, Default)]
pub struct PredicateState {
    after: BTreeMap<usize, Moment>,
    /// Number of actions under way that may change the predicate.
    moving: BTreeMap<usize, u32>,
    /// Predicates to report even if their truth is the recorded one.
    pending: BTreeSet<usize>,
    /// Whether the run is a drill.
    is_drill: bool,
    /// Predicates that change all the time.
    chatter: BTreeMap<usize, Chatter>,
}

// === impl LatestReadings ===

impl LatestReadings {
    /// Stores the readings of a batch.
    pub fn note(&mut self, batch: &Batch, now: Instant) {
        let device = self.readings.entry(batch.layout.device.clone()).or_default();
        for sample in &batch.samples {
            let Some(point) = batch.layout.points.get(usize::from(sample.point)) else { continue };
            let value = sample.value.clone().filter(|_| sample.quality.is_good());
            device.insert(point.name.clone(), Reading { value, received: now, at: sample.at });
        }
    }

    /// Returns the state of a fire zone's input.
    pub fn fire(&self, setup: &Setup, input: &Source, now: Instant) -> Truth {
        match (CountedReadings { readings: self, setup, now, after: None, is_drill: false }).value(input) {
            Some(Value::Bool(is_alarm)) => is_alarm.into(),
            Some(value) => value.as_f64().map_or(Truth::Unknown, |number| (number != 0.0).into()),
            None => Truth::Unknown,
        }
    }

    /// Returns how long ago a point was last received.
    pub fn age(&self, point: &Source, now: Instant) -> Option<Duration> {
        let reading = self.readings.get(&point.device)?.get(&point.point)?;
        Some(now.saturating_duration_since(reading.received))
    }

    /// Returns the truth of a predicate, from readings received after `after`.
    pub fn truth(
        &self,
        setup: &Setup,
        resolved: &ResolvedPlan,
        predicate: usize,
        now: Instant,
        after: Option<Moment>,
        is_drill: bool,
    ) -> Truth {
        let counted = CountedReadings { readings: self, setup, now, after, is_drill };
        resolved
            .predicates
            .get(predicate)
            .map_or(Truth::Unknown, |predicate| predicate.truth(&setup.facility, &counted))
    }

    /// Returns the reading behind a predicate, for the audit entry.
    pub fn evidence(
        &self,
        setup: &Setup,
        resolved: &ResolvedPlan,
        predicate: usize,
        now: Instant,
    ) -> Option<Evidence> {
        let predicate = resolved.predicates.get(predicate)?;
        let read = setup.facility.fixtures.get(predicate.fixture)?.reads.get(predicate.read)?;
        let (claim, is_independent) = (predicate.text(&setup.facility), read.is_independent);
        let ReadSource::Point(source) = &read.from else {
            return Some(Evidence { claim, point: None, value: None, age_ms: None, is_independent });
        };
        let reading = self.readings.get(&source.device).and_then(|points| points.get(&source.point));
        Some(Evidence {
            claim,
            point: Some(format!("{}.{}", source.device, source.point)),
            value: reading.and_then(|reading| reading.value.clone()),
            age_ms: reading.and_then(|reading| {
                u64::try_from(now.saturating_duration_since(reading.received).as_millis()).ok()
            }),
            is_independent,
        })
    }
}

// === impl Counting ===

impl Readings for CountedReadings<'_> {
    fn value(&self, point: &Source) -> Option<Value> {
        let reading = self.readings.readings.get(&point.device)?.get(&point.point)?;
        let stale_after = self.setup.stale.get(&point.device).copied().unwrap_or(STALE_AFTER);
        if self.now.saturating_duration_since(reading.received) > stale_after {
            return None;
        }
        if let Some(after) = self.after {
            let since = reading.received.checked_duration_since(after.instant)?;
            if since.is_zero() || (since < ON_THE_WAY && reading.at < after.at) {
                return None;
            }
        }
        match &reading.value {
            Some(Value::Text(text)) if self.is_drill => Some(Value::Text(unbracketed(text).into())),
            value => value.clone(),
        }
    }
}

// === impl Claims ===

impl PredicateState {
    /// Creates the state of a new run.
    pub fn of(is_drill: bool) -> Self {
        Self { is_drill, ..Self::default() }
    }

    /// Sets whether the run is a drill, for a run that was restored.
    pub const fn set_drill(&mut self, is_drill: bool) {
        self.is_drill = is_drill;
    }

    /// Requires the predicates to be reported again, from readings taken after that moment.
    pub fn reread(&mut self, predicates: &[usize], moment: Moment) {
        for predicate in predicates {
            self.after.insert(*predicate, moment);
            self.pending.insert(*predicate);
        }
    }

    /// Begins an action that may change these predicates.
    pub fn begin_action(&mut self, predicates: &[usize]) {
        predicates.iter().for_each(|predicate| *self.moving.entry(*predicate).or_default() += 1);
    }

    /// Ends an action that may have changed these predicates.
    pub fn end_action(&mut self, predicates: &[usize], moment: Moment) {
        for predicate in predicates {
            if let Some(count) = self.moving.get_mut(predicate) {
                *count = count.saturating_sub(1);
            }
        }
        self.reread(predicates, moment);
    }

    /// Returns the truth to report for a predicate now, if any. `recorded` is the truth in the room's
    /// state.
    pub fn change(
        &mut self,
        readings: &LatestReadings,
        setup: &Setup,
        resolved: &ResolvedPlan,
        predicate: usize,
        recorded: Truth,
        now: Instant,
    ) -> Option<Truth> {
        let latest = readings.truth(setup, resolved, predicate, now, None, self.is_drill);
        if self.chatter.entry(predicate).or_default().note(latest, now) {
            return (recorded != Truth::Unknown).then_some(Truth::Unknown);
        }
        // Occupancy and an open door are reported at once, even while an action is under way.
        let is_danger = resolved.occupied.contains(&predicate) || resolved.opened.contains(&predicate);
        if is_danger && latest.holds() && !recorded.holds() {
            return Some(latest);
        }
        if self.moving.get(&predicate).is_some_and(|count| *count > 0) {
            return None;
        }
        if !self.pending.contains(&predicate) {
            return (latest != recorded).then_some(latest);
        }
        match readings.truth(
            setup,
            resolved,
            predicate,
            now,
            self.after.get(&predicate).copied(),
            self.is_drill,
        ) {
            // No newer reading yet; a predicate without any valid reading becomes unknown.
            Truth::Unknown => (latest == Truth::Unknown && recorded != Truth::Unknown).then_some(latest),
            fresh => {
                self.pending.remove(&predicate);
                Some(fresh)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(instant: Instant, at: i64) -> Moment {
        Moment { instant, at: Timestamp(at) }
    }

    #[tokio::test(start_paused = true)]
    async fn a_value_read_before_an_act_says_nothing_about_it() {
        let (device, point) = (Id::new("d").unwrap(), Id::new("p").unwrap());
        let source = Source { device: device.clone(), point: point.clone() };
        let setup = Setup {
            centre: Id::new("c").unwrap(),
            facility: linli_mode::facility::Facility::default(),
            plans: super::super::plans::Plans::default(),
            people: linli_config::People::default(),
            stale: [(device.clone(), Duration::from_secs(10))].into(),
            wiring: std::collections::BTreeMap::new(),
        };
        let began = Instant::now();
        let read = |received: Instant, at: i64| LatestReadings {
            readings: [(
                device.clone(),
                [(point.clone(), Reading { value: Some(Value::Bool(true)), received, at: Timestamp(at) })]
                    .into(),
            )]
            .into(),
        };
        let counts = |readings: &LatestReadings, now: Instant, after: Option<Moment>| {
            CountedReadings { readings, setup: &setup, now, after, is_drill: false }.value(&source).is_some()
        };
        let ms = Duration::from_millis;
        let act = moment(began + ms(100), 1_100);
        assert!(counts(&read(began, 1_000), began + ms(200), None));
        assert!(!counts(&read(began, 1_000), began + ms(200), Some(act)), "received before");
        assert!(
            !counts(&read(began + ms(150), 1_050), began + ms(200), Some(act)),
            "read before, on its way"
        );
        assert!(counts(&read(began + ms(150), 1_120), began + ms(200), Some(act)), "read after");
        assert!(
            counts(&read(began + ms(3_000), 5), began + ms(3_000), Some(act)),
            "the wall clock went back"
        );
        assert!(!counts(&read(began, 1_000), began + ms(10_001), None), "too old");
    }
}
