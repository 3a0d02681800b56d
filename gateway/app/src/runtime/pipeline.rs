//! From the lines to the store: one task that every batch and every transition passes.
//!
//! It never waits for the disk: [`Store::accept`] takes or refuses at once, so the lines feel
//! back-pressure from a busy processor only.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use linli_domain::printable::printable;
use linli_domain::report::{Report, Reporter};
use linli_domain::rollup::Gatherer;
use linli_domain::{Batch, DeviceClass, Id, Lane, Message, Record, Topic, Value};
use linli_drivers::{CabinEvent, DeviceState, LineEvent, VitalMeasurement};
use linli_mode::InForce;
use linli_store::Store;
use serde_json::{Map, json};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior};

use linli_cabin::Steady;
use linli_services::events::Events;
use linli_services::live::{Erased, Live};
use linli_web::status::Flow;

/// Batches waiting between lines and store: at 1000 requests a second, one second's worth.
pub const BATCH_QUEUE: usize = 1024;

/// Transitions waiting. They are rare, but a line with 247 devices may lose all at once.
pub const EVENT_QUEUE: usize = 512;

/// Interval at which trends are flushed, which is what a power cut loses. A flush rewrites one row per device.
const ROLLUP_EVERY: Duration = Duration::from_secs(10);

/// Values use the lane of alarms only while fewer messages wait there: an outage must not fill the
/// reserve of alarms with values.
const MOST_URGENT: u64 = 1000;

/// How many batches are taken from the queue at a time.
const TAKE: usize = 64;

/// Report rules of every device, one per point in the order of its layout.
pub type Rules = Arc<BTreeMap<Id, Vec<Report>>>;

/// A service that receives the batches of some devices.
pub struct Tap {
    /// Ids of the devices, replaced on a reload.
    pub devices: watch::Receiver<Arc<BTreeSet<Id>>>,
    /// Channel to the service.
    pub to: mpsc::Sender<Batch>,
    /// Counts batches that did not fit into the channel.
    pub dropped: Arc<AtomicU64>,
}

/// What the task works with.
pub struct Pipeline {
    /// Stores records.
    pub store: Store,
    /// Latest values, for the API.
    pub live: Arc<Live>,
    /// Report rules, replaced on a reload.
    pub rules: watch::Receiver<Rules>,
    /// Data policies in force, which select devices for the lane of alarms.
    pub in_force: watch::Receiver<Arc<InForce>>,
    /// Number of messages that wait for delivery.
    pub waiting: watch::Receiver<linli_store::Status>,
    /// Receives measurements of polled devices; the lines keep the channel open.
    pub measurements: Option<mpsc::WeakSender<CabinEvent>>,
    /// Services that receive batches.
    pub taps: Vec<Tap>,
    /// Events for the screens.
    pub events: Events,
    /// Counters.
    pub flow: Arc<Flow>,
}

#[derive(Default)]
struct Filter {
    rules: Rules,
    reporters: BTreeMap<Id, Vec<Reporter>>,
    steady: Steady,
}

// === impl Pipeline ===

impl Pipeline {
    /// Runs until every line has dropped its senders, so that a drain loses nothing.
    pub async fn run(mut self, mut batches: mpsc::Receiver<Batch>, mut events: mpsc::Receiver<LineEvent>) {
        let mut gatherer = Gatherer::default();
        let mut filter = Filter { rules: self.rules.borrow_and_update().clone(), ..Filter::default() };
        let mut flush = tokio::time::interval(ROLLUP_EVERY);
        flush.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut taken = Vec::with_capacity(TAKE);
        let (mut batches_open, mut events_open, mut rules_open) = (true, true, true);
        while batches_open || events_open {
            tokio::select! {
                biased;
                event = events.recv(), if events_open => match event {
                    Some(event) => self.transition(&event),
                    None => events_open = false,
                },
                count = batches.recv_many(&mut taken, TAKE), if batches_open => {
                    batches_open = count > 0;
                    for batch in taken.drain(..) {
                        self.pass(batch, &mut filter, &mut gatherer);
                    }
                }
                changed = self.rules.changed(), if rules_open => {
                    rules_open = changed.is_ok();
                    filter.rules = self.rules.borrow_and_update().clone();
                    filter.reporters.clear();
                }
                _ = flush.tick() => self.flush(&mut gatherer).await,
            }
            self.flow.progress.fetch_add(1, Ordering::Relaxed);
        }
        self.flush(&mut gatherer).await;
    }

    /// Stores what was gathered for the trends, without what was erased meanwhile.
    async fn flush(&self, gatherer: &mut Gatherer) {
        for Erased { device, from, to } in self.live.take_erased() {
            gatherer.forget(&device, from, to);
        }
        self.store.history().add(gatherer.take()).await;
    }

    fn pass(&self, mut batch: Batch, filter: &mut Filter, gatherer: &mut Gatherer) {
        self.flow.values_read.fetch_add(batch.samples.len() as u64, Ordering::Relaxed);
        make_printable(&mut batch);
        self.live.update(&batch, Instant::now());
        for tap in &self.taps {
            if tap.devices.borrow().contains(&batch.layout.device) && tap.to.try_send(batch.clone()).is_err()
            {
                tap.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
        if batch.layout.class == DeviceClass::Vital {
            self.events.publish("value", &shown(&batch));
            self.measured(&batch, &mut filter.steady);
        }
        gatherer.add(&batch);
        filter.apply(&mut batch);
        if batch.samples.is_empty() {
            return;
        }
        let values = batch.samples.len() as u64;
        let (lane, record) = self.lane(batch);
        match self.store.accept_in(lane, record) {
            Ok(()) => self.flow.values_reported.fetch_add(values, Ordering::Relaxed),
            Err(_) => self.flow.refused.fetch_add(1, Ordering::Relaxed),
        };
    }

    /// Lane of a batch: that of alarms when a policy asks for it and few messages wait there.
    fn lane(&self, batch: Batch) -> (Lane, Record) {
        let is_wanted = self.in_force.borrow().urgent.contains(&batch.layout.device);
        let record = Record::Samples(batch);
        let own = record.lane();
        if !is_wanted || own == Lane::Urgent {
            return (own, record);
        }
        let waits = self.waiting.borrow().rows.first().copied().unwrap_or_default();
        let lane = raised(own, waits);
        let count = if lane == Lane::Urgent { &self.flow.raised } else { &self.flow.held_back };
        count.fetch_add(1, Ordering::Relaxed);
        (lane, record)
    }

    /// Takes a measurement of a polled device once its values are steady; other devices report the end of a
    /// measurement themselves.
    fn measured(&self, batch: &Batch, steady: &mut Steady) {
        if linli_drivers::health::tells_itself(&batch.layout.profile) {
            return;
        }
        let Some(measurement) = steady.push(batch, Instant::now()) else { return };
        let (layout, measurements) = (Arc::clone(&batch.layout), vec![measurement]);
        let reported = CabinEvent::Measured(VitalMeasurement { layout, measurements, reply: None });
        let measurements = self.measurements.as_ref().and_then(mpsc::WeakSender::upgrade);
        let taken = measurements.is_some_and(|measurements| measurements.try_send(reported).is_ok());
        if !taken {
            tracing::warn!(device = %batch.layout.device, "a measurement could not be taken: too many at once");
        }
    }

    fn transition(&self, event: &LineEvent) {
        self.live.transition(event);
        let (line, device) = (event.line.as_str(), event.device.as_ref().map(Id::as_str));
        let detail = Some(event.detail.as_str()).filter(|detail| !detail.is_empty());
        let reason = match event.state {
            DeviceState::Online => None,
            DeviceState::Offline(reason) => Some(reason.as_str()),
        };
        match reason {
            None => tracing::info!(line, device, detail, "online"),
            Some(reason) => tracing::warn!(line, device, reason, detail, "offline"),
        }
        // The transition of a line is published through those of its devices.
        if let Some(body) = device_event(event) {
            self.events.publish("device", &serde_json::Value::Object(body.clone()));
            let message =
                Message { topic: Topic::DeviceEvent, class: DeviceClass::Telemetry, at: event.at.at, body };
            if self.store.accept(Record::Message(message)).is_err() {
                self.flow.refused.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Lane of a batch whose device a policy made urgent, given the number of waiting messages.
const fn raised(own: Lane, waits: u64) -> Lane {
    if waits < MOST_URGENT { Lane::Urgent } else { own }
}

/// Event for the transition of a device; `None` for that of a line.
fn device_event(event: &LineEvent) -> Option<Map<String, serde_json::Value>> {
    let device = event.device.as_ref()?;
    let (state, reason) = match event.state {
        DeviceState::Online => ("online", None),
        DeviceState::Offline(reason) => ("offline", Some(reason.as_str())),
    };
    let detail = Some(event.detail.as_str()).filter(|detail| !detail.is_empty());
    let body =
        json!({"device": device, "state": state, "reason": reason, "detail": detail, "at": event.at.at.0});
    let serde_json::Value::Object(mut body) = body else { return None };
    body.retain(|_, member| !member.is_null());
    Some(body)
}

/// Form of a batch for the screens.
fn shown(batch: &Batch) -> serde_json::Value {
    let samples = batch.samples.iter().filter_map(|sample| {
        let point = batch.layout.points.get(usize::from(sample.point))?;
        Some(json!({
            "point": point.name, "unit": point.unit, "value": sample.value, "quality": sample.quality.to_string(), "at": sample.at.0,
        }))
    });
    json!({"device": batch.layout.device, "samples": samples.collect::<Vec<_>>()})
}

// === impl Filter ===

impl Filter {
    /// Keeps the samples that the report rules of the device admit.
    fn apply(&mut self, batch: &mut Batch) {
        let Some(rules) = self.rules.get(&batch.layout.device) else { return };
        if rules.iter().all(|rule| *rule == Report::Always) {
            return;
        }
        if !self.reporters.contains_key(&batch.layout.device) {
            self.reporters.insert(batch.layout.device.clone(), vec![Reporter::default(); rules.len()]);
        }
        let Some(reporters) = self.reporters.get_mut(&batch.layout.device) else { return };
        batch.samples.retain(|sample| {
            let point = usize::from(sample.point);
            match (rules.get(point), reporters.get_mut(point)) {
                (Some(rule), Some(reporter)) => reporter.admits(rule, sample),
                _ => true,
            }
        });
    }
}

/// No text of a device acts on a terminal, a log or a table.
fn make_printable(batch: &mut Batch) {
    for sample in &mut batch.samples {
        if let Some(Value::Text(text)) = &mut sample.value
            && let Cow::Owned(shown) = printable(text)
        {
            *text = shown.into();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_transitions_as_they_are_told() {
        let event = |device: Option<&str>, state, detail: &str| LineEvent {
            line: Id::new("kitchen-bus").unwrap(),
            device: device.map(|device| Id::new(device).unwrap()),
            state,
            at: linli_domain::Stamp { at: linli_domain::Timestamp(1_795_428_000_123), ..Default::default() },
            detail: detail.to_owned(),
        };
        let silent = DeviceState::Offline(linli_domain::Reason::Silent);
        assert_eq!(
            device_event(&event(None, silent, "")),
            None,
            "a line's own is told of each of its devices"
        );
        let events = [
            device_event(&event(Some("fridge-1"), DeviceState::Online, "")),
            device_event(&event(Some("fridge-1"), silent, "no answer")),
        ];
        linli_golden::sent("pipeline/device", &events);
    }

    #[test]
    fn values_never_fill_what_is_reserved_for_alarms() {
        assert_eq!(raised(Lane::Data, 0), Lane::Urgent);
        assert_eq!(raised(Lane::Data, MOST_URGENT - 1), Lane::Urgent);
        assert_eq!(raised(Lane::Data, MOST_URGENT), Lane::Data);
    }
}
