//! What is read: which values count, and from when on. A value that is older than an act says
//! nothing about it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use linli_domain::alarm::Source;
use linli_domain::{Batch, Id, Timestamp, Value};
use linli_mode::facility::ReadSource;
use linli_mode::record::Evidence;
use linli_mode::{Readings, ResolvedPlan, Truth, unbracketed};
use tokio::time::Instant;

use super::setup::Setup;

/// The way from a line to the service takes milliseconds: what arrives later than this after an act
/// was read after it. Until then the time of reading decides.
const ON_THE_WAY: Duration = Duration::from_secs(2);

/// Of a device that the configuration says nothing of.
const STALE_AFTER: Duration = Duration::from_secs(30);

/// A moment, by both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// By the monotonic one.
    pub instant: Instant,
    /// By the wall.
    pub at: Timestamp,
}

/// A value as it was read.
#[derive(Debug, Clone)]
struct Reading {
    value: Option<Value>,
    received: Instant,
    at: Timestamp,
}

/// The latest values.
#[derive(Debug, Default)]
pub struct LatestReadings {
    readings: BTreeMap<Id, BTreeMap<Id, Reading>>,
}

/// The values that count for a question.
struct Counting<'s> {
    readings: &'s LatestReadings,
    setup: &'s Setup,
    now: Instant,
    after: Option<Moment>,
    /// In a drill what devices say to people stands in brackets.
    is_drill: bool,
}

/// Per claim of a room's plan: from when on a value counts, and whether it is to be reported anew.
#[derive(Debug, Default)]
pub struct Claims {
    after: BTreeMap<usize, Moment>,
    /// Acts under way that move what the claim is about.
    moving: BTreeMap<usize, u32>,
    /// To be reported even if it is what was known.
    pending: BTreeSet<usize>,
    /// Whether the run is a drill.
    is_drill: bool,
}

// === impl LatestReadings ===

impl LatestReadings {
    /// Remembers what was read.
    pub fn note(&mut self, batch: &Batch, now: Instant) {
        let device = self.readings.entry(batch.layout.device.clone()).or_default();
        for sample in &batch.samples {
            let Some(point) = batch.layout.points.get(usize::from(sample.point)) else { continue };
            let value = sample.value.clone().filter(|_| sample.quality.is_good());
            device.insert(point.name.clone(), Reading { value, received: now, at: sample.at });
        }
    }

    /// What is known of a fire zone.
    pub fn fire(&self, setup: &Setup, input: &Source, now: Instant) -> Truth {
        match (Counting { readings: self, setup, now, after: None, is_drill: false }).value(input) {
            Some(Value::Bool(is_alarm)) => is_alarm.into(),
            Some(value) => value.as_f64().map_or(Truth::Unknown, |number| (number != 0.0).into()),
            None => Truth::Unknown,
        }
    }

    /// What is known of a claim, from values read after that moment.
    pub fn truth(
        &self,
        setup: &Setup,
        brief: &ResolvedPlan,
        atom: usize,
        now: Instant,
        after: Option<Moment>,
        is_drill: bool,
    ) -> Truth {
        let counting = Counting { readings: self, setup, now, after, is_drill };
        brief.predicates.get(atom).map_or(Truth::Unknown, |atom| atom.truth(&setup.facility, &counting))
    }

    /// What a claim rests on.
    pub fn evidence(
        &self,
        setup: &Setup,
        brief: &ResolvedPlan,
        atom: usize,
        now: Instant,
    ) -> Option<Evidence> {
        let atom = brief.predicates.get(atom)?;
        let read = setup.facility.fixtures.get(atom.fixture)?.reads.get(atom.read)?;
        let (claim, is_independent) = (atom.text(&setup.facility), read.is_independent);
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

impl Readings for Counting<'_> {
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

impl Claims {
    /// Of a run that begins.
    pub fn of(is_drill: bool) -> Self {
        Self { is_drill, ..Self::default() }
    }

    /// Of a room whose run was kept.
    pub const fn drill(&mut self, is_drill: bool) {
        self.is_drill = is_drill;
    }

    /// These are reported anew, from values read after that moment.
    pub fn reread(&mut self, atoms: &[usize], moment: Moment) {
        for atom in atoms {
            self.after.insert(*atom, moment);
            self.pending.insert(*atom);
        }
    }

    /// An act that moves what these are about is under way.
    pub fn moves(&mut self, atoms: &[usize]) {
        atoms.iter().for_each(|atom| *self.moving.entry(*atom).or_default() += 1);
    }

    /// It ended.
    pub fn moved(&mut self, atoms: &[usize], moment: Moment) {
        for atom in atoms {
            if let Some(count) = self.moving.get_mut(atom) {
                *count = count.saturating_sub(1);
            }
        }
        self.reread(atoms, moment);
    }

    /// What is to be reported of a claim now, if anything. `known` is what the machine knows of it.
    pub fn news(
        &mut self,
        readings: &LatestReadings,
        setup: &Setup,
        brief: &ResolvedPlan,
        atom: usize,
        known: Truth,
        now: Instant,
    ) -> Option<Truth> {
        let latest = readings.truth(setup, brief, atom, now, None, self.is_drill);
        // That somebody is there, or a door open, is reported at once, whatever moves.
        let is_danger = brief.occupied.contains(&atom) || brief.opened.contains(&atom);
        if is_danger && latest.holds() && !known.holds() {
            return Some(latest);
        }
        if self.moving.get(&atom).is_some_and(|count| *count > 0) {
            return None;
        }
        if !self.pending.contains(&atom) {
            return (latest != known).then_some(latest);
        }
        match readings.truth(setup, brief, atom, now, self.after.get(&atom).copied(), self.is_drill) {
            // Nothing newer yet; but what is not read at all any more is not known.
            Truth::Unknown => (latest == Truth::Unknown && known != Truth::Unknown).then_some(latest),
            fresh => {
                self.pending.remove(&atom);
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
            plans: Vec::new(),
            people: linli_config::People::default(),
            stale: [(device.clone(), Duration::from_secs(10))].into(),
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
            Counting { readings, setup: &setup, now, after, is_drill: false }.value(&source).is_some()
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
